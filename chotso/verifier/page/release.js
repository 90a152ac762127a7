// --- SPEC.md §6: checking one release. A folder is {kind: "folder", name, children, error?}, a file {kind: "file",
// name, file, error?} whose `file` has `size` and `slice(from, to).arrayBuffer()`, and all else {kind: "odd", name}.

const CHUNK = 1 << 23;
const MANIFEST = "manifest.json";
const BESIDE = /^(signature\.pdf|certifications\/[A-Za-z0-9_][A-Za-z0-9_.-]*\.json)$/;
const CERTIFICATION = "chotso-certification/1";
const SIGNED = ["format", "release_id", "root_sha256", "signer_id", "certified_at"];
const SIGNERS_NEEDED = 2;
const PREFIX_DIGITS = 16;

class OutOfBounds extends Error {}

class NotGiven extends Error {}

/** The plain files below a folder by path, after every entry was judged (§6.2). */
function filesBelow(folder, fail) {
  const files = new Map();
  let count = 0;
  const holdsFile = (place, under, depth) => {
    let holds = false;
    for (const item of place.children ?? []) {
      count++;
      if (count > MOST.entries || depth > MOST.segments) throw new OutOfBounds();
      const path = under + item.name;
      if (item.kind === "file") {
        files.set(path, item);
        holds = true;
      } else if (item.kind === "folder") {
        const isHolding = holdsFile(item, `${path}/`, depth + 1);
        if (!isHolding && path !== "certifications") fail("unlisted", `${path}/`);
        holds ||= isHolding;
      } else fail("odd-file", path);
    }
    if (place.error) fail("unreadable", under);
    return holds || Boolean(place.error);
  };
  holdsFile(folder, "", 1);
  return files;
}

/** Bytes of a file from one place to another; throws `NotGiven` where the system gives others or none. */
async function bytesOf(node, from, to) {
  if (node.error) throw new NotGiven(node.error);
  let bytes;
  try {
    bytes = new Uint8Array(await node.file.slice(from, to).arrayBuffer());
  } catch (error) {
    throw new NotGiven(String(error));
  }
  if (bytes.length !== Math.max(0, Math.min(to, node.file.size) - from)) throw new NotGiven("it has changed");
  return bytes;
}

const sizeOf = (node) => {
  if (node.error) throw new NotGiven(node.error);
  return node.file.size;
};

async function* chunksOf(node) {
  for (let at = 0; at < sizeOf(node); at += CHUNK) yield await bytesOf(node, at, at + CHUNK);
}

/** Size, SHA-256, Merkle root and records of a file in one pass (§3, §5). `seen` is shown every piece. */
async function describe(path, node, seen) {
  const size = sizeOf(node);
  const tree = new MerkleTree(), leaf = new Sha256();
  const whole = size > CHUNK || !subtle ? new Sha256() : null;
  let sha = null, isOpen = false, quotes = 0, records = 0, at = 0;
  for await (const bytes of chunksOf(node)) {
    seen(bytes, at);
    at += bytes.length;
    if (whole) whole.update(bytes);
    else sha = await sha256(bytes);
    for (let start = 0; start < bytes.length;) {
      const found = bytes.indexOf(0x0a, start);
      const end = found < 0 ? bytes.length : found + 1;
      if (!isOpen) leaf.restart().byte(0);
      leaf.update(bytes, start, end);
      for (let i = start; i < end; i++) if (bytes[i] === 0x22) quotes++;
      isOpen = found < 0;
      if (!isOpen) {
        tree.addHash(leaf.digest());
        if (quotes % 2 === 0) records++;
      }
      start = end;
    }
  }
  if (isOpen) tree.addHash(leaf.digest());
  return {
    bytes: size,
    rows: path.endsWith(".csv") ? Math.max(records - 1, 0) : null,
    sha256: toHex(whole ? whole.digest() : sha ?? (await sha256(new Uint8Array()))),
    merkle_root: tree.root(),
  };
}

/** Lines of a file; a longer one than `longest` bytes is null. */
async function* linesOf(node, longest) {
  let rest = []; // pieces of a line that goes on
  let length = 0;
  for await (const bytes of chunksOf(node)) {
    for (let start = 0; start < bytes.length;) {
      const found = bytes.indexOf(0x0a, start);
      const end = found < 0 ? bytes.length : found + 1;
      length += end - start;
      if (length <= longest) rest.push(bytes.subarray(start, end));
      else yield null; // agrees with nothing: nobody asks for more
      if (found >= 0) {
        yield joined(rest);
        rest = [];
        length = 0;
      }
      start = end;
    }
  }
  if (length) yield joined(rest);
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The first line, from 1, at which a data file and its index disagree; null where they agree. */
async function firstDifference(data, index) {
  const hash = new Sha256();
  const [lines, marks] = [linesOf(data, MOST.line), linesOf(index, PREFIX_DIGITS + 1)];
  for (let row = 1; ; row++) {
    const [line, mark] = [await lines.next(), await marks.next()];
    if (line.done && mark.done) return null;
    if (!line.value || !mark.value) return row;
    const wanted = `${toHex(hash.restart().byte(0).update(line.value).digest()).slice(0, PREFIX_DIGITS)}\n`;
    if (String.fromCharCode(...mark.value) !== wanted) return row;
  }
}

/** One release being checked: what is known, and what was found. */
class Release {
  constructor(folder, watch) {
    this.folder = folder;
    this.watch = watch;
    this.release_id = this.root = this.data_root = this.manifest = null;
    this.certified_by = [];
    this.certifications = [];
    this.findings = [];
    this.damaged = new Set();
    this.given = new Set();
  }

  fail(code, path, row = null) {
    this.findings.push({ code, path, row });
  }

  /** §6, 1 to 7. */
  async check() {
    if (this.folder.kind !== "folder") return this.fail("not-a-folder", "");
    try {
      this.files = filesBelow(this.folder, (code, path) => this.fail(code, path));
    } catch (error) {
      if (!(error instanceof OutOfBounds)) throw error;
      this.findings = [{ code: "bounds", path: "", row: null }];
      return undefined;
    }
    const manifest = await this.readManifest();
    if (!manifest) return undefined;
    this.manifest = manifest;
    this.release_id = manifest.get("release_id");
    this.data_root = manifest.get("data_root");
    await this.checkFiles();
    await this.nameRows();
    this.checkDataRoot();
    if (!isConfigurationListed(manifest)) this.fail("configuration", MANIFEST);
    return this.checkCertifications();
  }

  /** §6, 3 to 5: the manifest, where the check goes on. */
  async readManifest() {
    const node = this.files.get(MANIFEST);
    if (!node) return this.fail("manifest-missing", MANIFEST);
    let bytes;
    try {
      if (sizeOf(node) > MOST.manifest) return this.fail("bounds", MANIFEST);
      bytes = await bytesOf(node, 0, MOST.manifest);
    } catch (error) {
      if (!(error instanceof NotGiven)) throw error;
      return this.fail("unreadable", MANIFEST);
    }
    this.root = toHex(await sha256(bytes));
    let said;
    try {
      said = readJson(bytes);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return this.fail("manifest-unreadable", MANIFEST);
    }
    if (!said.isCanonical) this.fail("manifest-not-canonical", MANIFEST);
    if (!isObject(said.value) || said.value.get("format") !== FORMAT) return this.fail("format", MANIFEST);
    const problems = manifestProblems(said.value);
    for (const code of problems) this.fail(code, MANIFEST);
    return problems.size ? undefined : said.value;
  }

  /** §6.6, first and second point. */
  async checkFiles() {
    const entries = this.manifest.get("files");
    const listed = new Set(entries.map((entry) => entry.get("path")));
    for (const path of this.files.keys()) {
      if (path !== MANIFEST && !listed.has(path) && !BESIDE.test(path)) this.fail("unlisted", path);
    }
    for (const entry of entries) {
      const path = entry.get("path");
      const node = this.files.get(path);
      if (!node) {
        this.fail("missing", path);
        continue;
      }
      try {
        await this.checkFile(path, node, entry);
        this.given.add(path);
      } catch (error) {
        if (!(error instanceof NotGiven)) throw error;
        this.fail("unreadable", path);
      }
    }
  }

  async checkFile(path, node, entry) {
    const wrong = (key) => {
      this.fail(key.replace("_", "-"), path);
      this.damaged.add(path);
    };
    if (sizeOf(node) !== entry.get("bytes")) return wrong("bytes");
    const found = await describe(path, node, this.watch(this, path, node.file.size));
    for (const key of ["sha256", "rows", "merkle_root"]) if (found[key] !== entry.get(key)) wrong(key);
    return undefined;
  }

  /** §6.6, third point: the sound one of a data file and its index tells where the other differs. */
  async nameRows() {
    for (const path of this.given) {
      const name = /^data\/(.*)\.csv$/.exec(path)?.[1];
      const index = `rows/${name}.txt`;
      if (name === undefined || !this.given.has(index)) continue;
      if (this.damaged.has(path) === this.damaged.has(index)) continue;
      const bad = this.damaged.has(path) ? path : index;
      try {
        const row = await firstDifference(this.files.get(path), this.files.get(index));
        if (row !== null) this.fail("row", bad, row);
      } catch (error) {
        if (!(error instanceof NotGiven)) throw error;
        this.fail("unreadable", bad);
      }
    }
  }

  checkDataRoot() {
    const tree = new MerkleTree();
    for (const entry of this.manifest.get("files")) { // they are in order by now
      if (!entry.get("path").startsWith("data/")) continue;
      tree.add(joined([toUtf8(`${entry.get("path")}\0`), fromHex(entry.get("merkle_root"))]));
    }
    if (tree.root() !== this.data_root) this.fail("data-root", MANIFEST);
  }

  /** §6.7. */
  async checkCertifications() {
    const paths = [...this.files.keys()].filter((path) => BESIDE.test(path) && path !== "signature.pdf");
    for (const path of paths.sort(compareText)) {
      if (this.manifest.get("files").some((entry) => entry.get("path") === path)) continue;
      try {
        const found = await this.certification(path, this.files.get(path));
        if (found) {
          this.certified_by.push(found.signer_id);
          this.certifications.push(found);
        } else this.fail("certification", path);
      } catch (error) {
        if (!(error instanceof NotGiven)) throw error;
        this.fail("unreadable", path);
      }
    }
  }

  /** What a certification says, where it holds (§9.2). */
  async certification(path, node) {
    if (sizeOf(node) > MOST.certification) return null;
    const bytes = await bytesOf(node, 0, MOST.certification);
    let said;
    try {
      said = readJson(bytes);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return null;
    }
    const { value, isCanonical } = said;
    if (!isCanonical || !hasExactly(value, [...SIGNED, "signature"]) || ![...value.values()].every(isText)) return null;
    const found = Object.fromEntries(value);
    const signer = (this.manifest.get("signers") ?? []).find((each) => each.get("id") === found.signer_id);
    const isAboutThis = found.format === CERTIFICATION && this.manifest.get("kind") !== "rehearsal"
      && found.release_id === this.release_id && found.root_sha256 === this.root
      && signer !== undefined && path === `certifications/${found.signer_id}.json`;
    if (!isAboutThis || !isInstant(found.certified_at) || !/^[0-9a-f]{128}$/.test(found.signature)) return null;
    const message = toUtf8(SIGNED.map((name) => `${found[name]}\n`).join(""));
    const holds = await isSignature(fromHex(signer.get("public_key")), message, fromHex(found.signature));
    return holds ? { ...found, name: signer.get("name") } : null;
  }
}
