// A second verifier, written from SPEC.md alone, so that no one program has to be believed:
//   node verify.mjs BUNDLE [--anchor HEX] [--json]
//   node verify.mjs --batch          a JSON object {"path", "anchor"} per line in, a result per line
// Needs Node 18 or newer and nothing else. Exit status: 0 verified, 1 failed or unanchored, 2 usage.

import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { closeSync, lstatSync, openSync, readFileSync, readSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const HEX64 = /^[0-9a-f]{64}$/;
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$/;
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const NEEDED = ["SPEC.md", "data/arrears_ratio.csv", "data/attainment.csv", "verify.py"];
const MANIFEST = "manifest.json";
const CHUNK = 1 << 20;

class Unreadable extends Error {}

const sha256 = (...parts) => parts.reduce((h, part) => h.update(part), createHash("sha256")).digest();
const isText = (value) => typeof value === "string";
const isObject = (value) => value instanceof Map;
const isHash = (value) => isText(value) && HEX64.test(value);
const byCodePoint = (one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two));
const hasExactly = (object, keys) =>
  isObject(object) && object.size === keys.length && keys.every((key) => object.has(key));

// --- §2 canonical JSON: objects become Maps, so that no key has a meaning of its own

class Reader {
  constructor(bytes) {
    try {
      this.text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Unreadable("not UTF-8");
    }
    this.at = 0;
  }

  whole() {
    const value = this.value(0);
    this.blanks();
    if (this.at < this.text.length) this.refuse("something stands after the value");
    return value;
  }

  refuse(why) {
    throw new Unreadable(`${why}, at character ${this.at}`);
  }

  blanks() {
    while (" \t\n\r".includes(this.text[this.at] ?? "?")) this.at += 1;
  }

  take(wanted) {
    this.blanks();
    if (!this.text.startsWith(wanted, this.at)) return false;
    this.at += wanted.length;
    return true;
  }

  value(depth) {
    this.blanks();
    if (this.text[this.at] === '"') return this.string();
    if ("{[".includes(this.text[this.at] ?? "?") && depth === 64) this.refuse("nested too deeply");
    if (this.take("{")) return this.object(depth + 1);
    if (this.take("[")) return this.array(depth + 1);
    if (this.take("true")) return true;
    if (this.take("false")) return false;
    if (this.take("null")) return null;
    return this.number();
  }

  number() {
    const pattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) this.refuse("no JSON value");
    if (found[1] || found[2] || !Number.isSafeInteger(Number(found[0])))
      this.refuse("no whole number that every language reads");
    this.at = pattern.lastIndex;
    return found[0] === "-0" ? 0 : Number(found[0]);
  }

  array(depth) {
    const items = [];
    if (this.take("]")) return items;
    do items.push(this.value(depth));
    while (this.take(","));
    if (!this.take("]")) this.refuse("an array does not end");
    return items;
  }

  object(depth) {
    const members = new Map();
    if (this.take("}")) return members;
    do {
      this.blanks();
      if (this.text[this.at] !== '"') this.refuse("no key");
      const key = this.string();
      if (members.has(key)) this.refuse(`the key ${JSON.stringify(key)} stands twice`);
      if (!this.take(":")) this.refuse("no colon");
      members.set(key, this.value(depth));
    } while (this.take(","));
    if (!this.take("}")) this.refuse("an object does not end");
    return members;
  }

  string() {
    const pattern = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    const end = this.endOfString();
    pattern.lastIndex = 0;
    const piece = this.text.slice(this.at, end);
    if (!pattern.test(piece) || pattern.lastIndex !== piece.length) this.refuse("no JSON string");
    const value = JSON.parse(piece);
    if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value))
      this.refuse("an unpaired surrogate");
    this.at = end;
    return value;
  }

  endOfString() {
    for (let at = this.at + 1; at < this.text.length; at += 1) {
      if (this.text[at] === "\\") at += 1;
      else if (this.text[at] === '"') return at + 1;
    }
    return this.refuse("a string does not end");
  }
}

const SHORT = { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\" };

function spellString(text) {
  const escape = (character) => {
    const code = character.charCodeAt(0);
    return SHORT[code] ?? `\\u${code.toString(16).padStart(4, "0")}`;
  };
  return `"${text.normalize("NFC").replace(/["\\\u0000-\u001f]/g, escape)}"`;
}

function spell(value) {
  if (isText(value)) return spellString(value);
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`;
  if (!isObject(value)) return String(value);
  const keys = [...value.keys()].sort(byCodePoint);
  return `{${keys.map((key) => `${spellString(key)}:${spell(value.get(key))}`).join(",")}}`;
}

function readJson(bytes) {
  const value = new Reader(bytes).whole();
  return { value, isCanonical: Buffer.from(spell(value) + "\n").equals(bytes) };
}

// --- §3 hashes of a file

class Tree {
  constructor() {
    this.complete = []; // one subtree per set bit of the number of leaves, the largest first
    this.leaves = 0;
  }

  add(leafHash) {
    let node = leafHash;
    for (let rest = this.leaves; rest % 2 === 1; rest = Math.floor(rest / 2))
      node = sha256("\x01", this.complete.pop(), node);
    this.complete.push(node);
    this.leaves += 1;
  }

  root() {
    if (this.leaves === 0) return sha256("");
    return this.complete.reduceRight((right, left) => sha256("\x01", left, right));
  }
}

/** Calls `piece(bytes, endsLine)` for the pieces of a file's lines; memory stays flat. */
function readPieces(path, piece) {
  const descriptor = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (let size; (size = readSync(descriptor, buffer, 0, CHUNK, null)) > 0; ) {
      let start = 0;
      for (let end; (end = buffer.indexOf(10, start)) !== -1 && end < size; start = end + 1)
        piece(buffer.subarray(start, end + 1), true);
      if (start < size) piece(buffer.subarray(start, size), false);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Calls `line(leafHash)` for each line of a file. */
function readLeaves(path, line, seen = () => {}) {
  let hash = null;
  readPieces(path, (bytes, endsLine) => {
    seen(bytes, endsLine);
    hash ??= createHash("sha256").update("\x00");
    hash.update(bytes);
    if (!endsLine) return;
    line(hash.digest());
    hash = null;
  });
  if (hash) line(hash.digest());
}

function describe(folder, path) {
  const whole = createHash("sha256");
  const tree = new Tree();
  let bytes = 0;
  let records = 0;
  let isQuoted = false;
  readLeaves(
    join(folder, path),
    (leaf) => tree.add(leaf),
    (piece, endsLine) => {
      whole.update(piece);
      bytes += piece.length;
      for (let at = -1; (at = piece.indexOf(34, at + 1)) !== -1; ) isQuoted = !isQuoted;
      if (endsLine && !isQuoted) records += 1;
    },
  );
  const rows = path.endsWith(".csv") ? Math.max(records - 1, 0) : null;
  return { bytes, rows, sha256: whole.digest("hex"), merkle_root: tree.root().toString("hex") };
}

function firstDifference(dataPath, indexPath) {
  const wanted = [];
  readLeaves(dataPath, (leaf) => wanted.push(leaf.toString("hex", 0, 8)));
  const recorded = readFileSync(indexPath, "latin1").split(/(?<=\n)/);
  for (let row = 0; row < Math.max(wanted.length, recorded.length); row += 1)
    if (row >= wanted.length || recorded[row] !== `${wanted[row]}\n`) return row + 1;
  return null;
}

function dataRoot(entries) {
  const tree = new Tree();
  const figures = entries.filter((entry) => entry.path.startsWith("data/"));
  for (const { path, merkle_root } of figures.sort((a, b) => byCodePoint(a.path, b.path)))
    tree.add(sha256("\x00", path, "\x00", Buffer.from(merkle_root, "hex")));
  return tree.root().toString("hex");
}

// --- §9 certifications

const PRIME = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SMALL_ORDER = new Set([
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]);

function power(base, exponent) {
  let result = 1n;
  for (let square = base % PRIME; exponent > 0n; exponent >>= 1n, square = (square * square) % PRIME)
    if (exponent & 1n) result = (result * square) % PRIME;
  return result;
}

const littleEndian = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

/** Whether 32 bytes are the encoding of a point that is not of small order. */
function isSoundPoint(bytes) {
  const y = littleEndian(bytes) & (2n ** 255n - 1n);
  if (y >= PRIME || SMALL_ORDER.has(bytes.toString("hex"))) return false;
  const d = ((PRIME - 121665n) * power(121666n, PRIME - 2n)) % PRIME;
  const above = (y * y - 1n + PRIME) % PRIME;
  const below = (d * y * y + 1n) % PRIME;
  const square = (above * power(below, PRIME - 2n)) % PRIME;
  if (square === 0n) return false; // y is 1 or -1: of small order, or with a sign for x = 0
  return power(square, (PRIME - 1n) / 2n) === 1n;
}

function isSigned(key, message, signature) {
  if (littleEndian(signature.subarray(32)) >= ORDER) return false;
  const jwk = { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") };
  // OpenSSL compares the bytes of [S]B - [k]A with those of R: exact, and without the cofactor.
  return verifySignature(null, message, createPublicKey({ key: jwk, format: "jwk" }), signature);
}

const SIGNER = ["id", "name", "public_key"];

function* signerProblems(signers) {
  const isSigner = (each) => hasExactly(each, SIGNER) && [...each.values()].every(isText);
  if (!Array.isArray(signers) || !signers.every(isSigner)) {
    yield ["signers", "signers is no array of ids, names and public keys"];
    return;
  }
  for (const signer of signers) {
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(signer.get("id"))) yield ["signers", "no id of a signer"];
    const key = signer.get("public_key");
    if (!isHash(key) || !isSoundPoint(Buffer.from(key, "hex"))) yield ["signers", "no sound key"];
  }
  for (const name of ["id", "public_key"])
    if (new Set(signers.map((each) => each.get(name))).size < signers.length)
      yield ["signers", `two signers have one ${name}`];
}

const CERTIFICATION = "chotso-certification/1";
const LARGEST = 65536; // bytes of a certification
const SIGNED = ["format", "release_id", "root_sha256", "signer_id", "certified_at"];

function readStart(path, size) {
  const descriptor = openSync(path, "r");
  try {
    const buffer = Buffer.alloc(size);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, size, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Whether a certification holds. */
function isCertification(path, manifest, root) {
  const bytes = readStart(path, LARGEST + 1);
  let read;
  try {
    read = readJson(bytes);
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
  const { value, isCanonical } = read;
  if (!isCanonical || bytes.length > LARGEST || manifest.get("kind") === "rehearsal") return false;
  if (!hasExactly(value, [...SIGNED, "signature"]) || ![...value.values()].every(isText))
    return false;
  const said = Object.fromEntries(value);
  const isFormed = said.format === CERTIFICATION && INSTANT.test(said.certified_at);
  if (!isFormed || !/^[0-9a-f]{128}$/.test(said.signature)) return false;
  if (said.release_id !== manifest.get("release_id") || said.root_sha256 !== root) return false;
  const signers = manifest.get("signers") ?? [];
  const signer = signers.find((each) => each.get("id") === said.signer_id);
  if (!signer || basename(path) !== `${said.signer_id}.json`) return false;
  const message = Buffer.from(SIGNED.map((name) => `${said[name]}\n`).join(""));
  const key = Buffer.from(signer.get("public_key"), "hex");
  return isSigned(key, message, Buffer.from(said.signature, "hex"));
}

// --- §4 the manifest

function isPlainPath(path) {
  return path.split("/").every((segment) => SEGMENT.test(segment));
}

function standsBeside(path) {
  if (path === "signature.pdf") return true;
  const [folder, name, ...rest] = path.split("/");
  return folder === "certifications" && rest.length === 0 && SEGMENT.test(name ?? "")
    && name.endsWith(".json") && name.length > 5;
}

function* identityProblems(manifest) {
  const [release, period, kind] = ["release_id", "period_id", "kind"].map((k) => manifest.get(k));
  if (![release, period, kind].every(isText)) {
    yield ["identity", "release_id, period_id or kind is no text"];
    return;
  }
  const isPeriod = /^[a-z0-9][a-z0-9-]*$/.test(period) && period !== "rehearsal"
    && !period.startsWith("rehearsal-") && !/-c[0-9]+$/.test(period);
  const number = "[1-9][0-9]*";
  const ids = { original: period, corrigendum: `${period}-c${number}`,
    rehearsal: `rehearsal-${period}-${number}` };
  if (!isPeriod || !Object.hasOwn(ids, kind) || !new RegExp(`^${ids[kind]}$`).test(release))
    yield ["identity", `${release} is no ${kind} of the period ${period}`];
  const corrects = manifest.get("corrects") ?? null;
  if (kind === "corrigendum" ? !isText(corrects) : corrects !== null)
    yield ["identity", "only a corrigendum corrects a release"];
  if (kind === "rehearsal" && (manifest.get("previous_root") ?? null) !== null)
    yield ["identity", "a rehearsal follows no release"];
  const [cutoff, known] = ["cutoff_at", "as_known_at"].map((key) => manifest.get(key));
  if (![cutoff, known].every((at) => isText(at) && INSTANT.test(at)))
    yield ["instants", "an instant is not in its form"];
  else if (kind !== "rehearsal" && known < cutoff)
    yield ["instants", "what was known is older than the cutoff"];
}

const ENTRY = ["path", "bytes", "rows", "sha256", "merkle_root"];

function isEntry(entry) {
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  return hasExactly(entry, ENTRY) && isText(entry.get("path")) && isCount(entry.get("bytes"))
    && (entry.get("rows") === null || isCount(entry.get("rows")))
    && isHash(entry.get("sha256")) && isHash(entry.get("merkle_root"));
}

function* listProblems(files) {
  if (!Array.isArray(files) || !files.every(isObject)) {
    yield ["file-list", "files is no array of objects"];
    return;
  }
  for (const entry of files)
    if (!isEntry(entry)) yield ["file-list", `the entry of ${entry.get("path")} has another form`];
  const paths = files.map((entry) => entry.get("path")).filter(isText);
  for (const path of paths)
    if (!isPlainPath(path) || path === MANIFEST || standsBeside(path))
      yield ["path", `${path} may not be listed`];
  if (paths.some((path, at) => at > 0 && byCodePoint(paths[at - 1], path) > 0))
    yield ["file-list", "the paths are not in order"];
  const folded = paths.map((path) => path.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
  if (new Set(folded).size < paths.length) yield ["file-list", "two paths are equal but for case"];
  for (const path of NEEDED) if (!paths.includes(path)) yield ["incomplete", `${path} is not listed`];
}

const CORRECTION = ["reason", "author", "corrected_root"];

function* correctionProblems(manifest) {
  const correction = manifest.get("correction") ?? null;
  if (manifest.get("kind") !== "corrigendum") {
    if (correction !== null) yield ["correction", "only a corrigendum has one"];
    return;
  }
  const isSaid = (key) => isText(correction.get(key)) && /[^ ]/.test(correction.get(key));
  if (!hasExactly(correction, CORRECTION) || !isSaid("reason") || !isSaid("author")
    || !isHash(correction.get("corrected_root")))
    yield ["correction", "no reason, author and root of what it corrects"];
  const files = manifest.get("files");
  if (!Array.isArray(files)) return;
  for (const path of ["data/changes.csv", "data/late_changes.csv"])
    if (!files.some((entry) => isObject(entry) && entry.get("path") === path))
      yield ["correction", `${path} is not listed`];
}

function* manifestProblems(manifest) {
  yield* identityProblems(manifest);
  yield* correctionProblems(manifest);
  yield* listProblems(manifest.get("files"));
  if (!isHash(manifest.get("data_root"))) yield ["manifest-field", "data_root is no hash"];
  const previous = manifest.get("previous_root");
  if (previous !== null && !isHash(previous)) yield ["manifest-field", "previous_root is no hash"];
  if (manifest.has("signers")) yield* signerProblems(manifest.get("signers"));
}

// --- §6 one release

function newResult(path, anchor) {
  return { path, anchor, release_id: null, root: null, data_root: null, certified_by: [],
    findings: [], notes: [] };
}

function fail(result, code, path, message, row = null) {
  result.findings.push({ code, path, message, row });
}

/** The regular files below a folder; everything else is a finding. */
function walk(folder, result, under = "") {
  const found = new Set();
  for (const item of readdirSync(join(folder, under), { withFileTypes: true })) {
    const name = under + item.name;
    const inside = item.isDirectory() ? walk(folder, result, `${name}/`) : null;
    if (inside?.size === 0 && name !== "certifications")
      fail(result, "unlisted", `${name}/`, "a folder without any file");
    for (const each of inside ?? []) found.add(each);
    if (item.isFile()) found.add(name);
    else if (!inside) fail(result, "odd-file", name, "neither a plain file nor a folder");
  }
  return found;
}

function readManifest(bytes, result) {
  let read;
  try {
    read = readJson(bytes);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    fail(result, "manifest-unreadable", MANIFEST, error.message);
    return null;
  }
  if (!read.isCanonical) fail(result, "manifest-not-canonical", MANIFEST, "spelled another way");
  if (!isObject(read.value) || read.value.get("format") !== "chotso-bundle/1") {
    fail(result, "format", MANIFEST, "not of the format chotso-bundle/1");
    return null;
  }
  const problems = [...manifestProblems(read.value)];
  for (const [code, message] of problems) fail(result, code, MANIFEST, message);
  return problems.length ? null : read.value;
}

function checkFiles(folder, entries, present, result) {
  const damaged = new Set();
  for (const entry of entries) {
    if (!present.has(entry.path)) {
      fail(result, "missing", entry.path, "listed, and not there");
      damaged.add(entry.path);
      continue;
    }
    const found = describe(folder, entry.path);
    for (const key of ENTRY.slice(1)) {
      if (found[key] === entry[key]) continue;
      fail(result, key.replace("_", "-"), entry.path, `${found[key]}, listed as ${entry[key]}`);
      damaged.add(entry.path);
    }
  }
  return damaged;
}

function nameRows(folder, usable, damaged, result) {
  for (const data of usable) {
    const index = data.replace(/^data\/(.*)\.csv$/s, "rows/$1.txt");
    if (index === data || !usable.has(index) || damaged.has(data) === damaged.has(index)) continue;
    const row = firstDifference(join(folder, data), join(folder, index));
    const bad = damaged.has(data) ? data : index;
    if (row) fail(result, "row", bad, `line ${row} is the first that differs`, row);
  }
}

function checkCertifications(folder, manifest, present, result) {
  for (const path of [...present].sort(byCodePoint)) {
    if (!path.startsWith("certifications/") || !standsBeside(path)) continue;
    if (isCertification(join(folder, path), manifest, result.root))
      result.certified_by.push(basename(path, ".json"));
    else fail(result, "certification", path, "this certification does not hold");
  }
}

function checkBundle(folder, anchor) {
  const result = newResult(folder, anchor);
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    fail(result, "not-a-folder", folder, "no such folder, or a link");
    return { result, manifest: null };
  }
  const present = walk(folder, result);
  if (!present.has(MANIFEST)) {
    fail(result, "manifest-missing", MANIFEST, "the release has no manifest");
    return { result, manifest: null };
  }
  const bytes = readFileSync(join(folder, MANIFEST));
  result.root = sha256(bytes).toString("hex");
  const manifest = readManifest(bytes, result);
  if (!manifest) return { result, manifest };
  result.release_id = manifest.get("release_id");
  result.data_root = manifest.get("data_root");
  const entries = manifest.get("files").map((entry) => Object.fromEntries(entry));
  const listed = new Set(entries.map((entry) => entry.path));
  for (const path of present)
    if (!listed.has(path) && path !== MANIFEST && !standsBeside(path))
      fail(result, "unlisted", path, "not listed");
  const damaged = checkFiles(folder, entries, present, result);
  nameRows(folder, new Set([...listed].filter((path) => present.has(path))), damaged, result);
  if (dataRoot(entries) !== result.data_root)
    fail(result, "data-root", MANIFEST, "not that of the listed files");
  checkCertifications(folder, manifest, present, result);
  return { result, manifest };
}

function verifyBundle(folder, anchor) {
  const { result, manifest } = checkBundle(folder, anchor);
  if (anchor && result.root && result.root !== anchor)
    fail(result, "anchor", MANIFEST, `the root is ${result.root}, the anchor ${anchor}`);
  const previous = manifest?.get("previous_root");
  if (previous) result.notes.push(`the preceding release ${previous} is not present`);
  return result;
}

// --- §7 a folder of releases

function checkChain(releases, result) {
  const after = new Map(); // previous_root, "" for none -> roots
  for (const [root, { manifest }] of releases) {
    const previous = manifest.get("previous_root") ?? "";
    after.set(previous, [...(after.get(previous) ?? []), root]);
    if (manifest.get("kind") === "rehearsal")
      fail(result, "chain-rehearsal", manifest.get("release_id"), "a rehearsal is no release");
  }
  if (!after.has("")) fail(result, "chain-start", "", "no release is the first");
  for (const [previous, roots] of after) {
    const ids = roots.map((root) => releases.get(root).manifest.get("release_id"));
    const names = ids.sort(byCodePoint).join(", ");
    if (roots.length > 1) fail(result, "chain-fork", names, "they follow one release");
    if (previous && !releases.has(previous)) fail(result, "chain-gap", names, `after ${previous}`);
  }
  const ofPeriod = new Map();
  let newest = null;
  for (let next; (next = after.get(newest ?? ""))?.length === 1; ) {
    newest = next[0];
    const { manifest } = releases.get(newest);
    const [id, period] = [manifest.get("release_id"), manifest.get("period_id")];
    const earlier = ofPeriod.get(period) ?? [];
    const due = earlier.length ? `${period}-c${earlier.length}` : period;
    const before = earlier.at(-1) ?? { id: null, root: null };
    const correctedRoot = manifest.get("correction")?.get("corrected_root") ?? null;
    const fits = id === due && (manifest.get("corrects") ?? null) === before.id
      && correctedRoot === before.root;
    if (!fits && manifest.get("kind") !== "rehearsal")
      fail(result, "chain-order", id, `${due} was due`);
    ofPeriod.set(period, [...earlier, { id, root: newest }]);
  }
  return newest;
}

function verifyReleases(folder, anchor) {
  const result = newResult(folder, anchor);
  const releases = new Map();
  for (const name of readdirSync(folder).sort(byCodePoint)) {
    if (name.startsWith(".") || name === "rehearsal") {
      result.notes.push(`${name} is outside the chain and was not checked`);
      continue;
    }
    const { result: one, manifest } = checkBundle(join(folder, name), null);
    for (const each of one.findings)
      result.findings.push({ ...each, path: `${name}/${each.path}` });
    result.notes.push(...one.notes.map((note) => `${name}: ${note}`));
    if (!manifest) continue;
    releases.set(one.root, { manifest, one });
    if (name !== one.release_id) fail(result, "folder-name", name, `holds ${one.release_id}`);
  }
  const newest = checkChain(releases, result);
  if (newest) {
    const { release_id, data_root, certified_by } = releases.get(newest).one;
    Object.assign(result, { root: newest, release_id, data_root, certified_by });
    if (anchor && newest !== anchor) fail(result, "anchor", "", `the newest root is ${newest}`);
  }
  return result;
}

function verify(path, anchor) {
  let result;
  try {
    const isThere = (each) => lstatSync(each, { throwIfNoEntry: false });
    const isFolder = isThere(path) && isThere(`${path}/.`)?.isDirectory();
    const several = isFolder && !isThere(join(path, MANIFEST));
    result = several ? verifyReleases(path, anchor) : verifyBundle(path, anchor);
  } catch (error) {
    if (!error.code) throw error;
    result = newResult(path, anchor);
    fail(result, "unreadable", error.path ?? "", error.message);
  }
  const status = result.findings.length ? "failed" : anchor ? "verified" : "unanchored";
  const isCertified = status === "verified" && result.certified_by.length >= 2;
  return { status, is_certified: isCertified, ...result };
}

// --- the command line

function usage() {
  process.stderr.write("usage: node verify.mjs BUNDLE [--anchor HEX] [--json]\n");
  process.exit(2);
}

function readArguments(words) {
  const options = { bundle: null, anchor: null, json: false, batch: false };
  for (let at = 0; at < words.length; at += 1) {
    if (words[at] === "--json") options.json = true;
    else if (words[at] === "--batch") options.batch = true;
    else if (words[at] === "--anchor") {
      options.anchor = (words[(at += 1)] ?? "").replace(/\s/g, "").toLowerCase();
      if (!HEX64.test(options.anchor)) usage();
    } else if (words[at].startsWith("--") || options.bundle !== null) usage();
    else options.bundle = words[at];
  }
  return options;
}

function tell(result) {
  process.stdout.write(`${result.status}: ${result.release_id ?? result.path}\n`);
  process.stdout.write(`root ${result.root}\ndata root ${result.data_root}\n`);
  if (result.certified_by.length) {
    const word = result.is_certified ? "certified" : "not certified yet";
    process.stdout.write(`signed by ${result.certified_by.join(", ")}: ${word}\n`);
  }
  for (const { code, path, message } of result.findings)
    process.stdout.write(`FINDING ${code}: ${path}: ${message}\n`);
  for (const note of result.notes) process.stdout.write(`note: ${note}\n`);
  if (result.status === "unanchored")
    process.stdout.write("next: run again with --anchor and the root from the signed page\n");
}

async function main() {
  const options = readArguments(process.argv.slice(2));
  if (options.batch) {
    for await (const line of createInterface({ input: process.stdin })) {
      const { path, anchor } = JSON.parse(line);
      process.stdout.write(`${JSON.stringify(verify(path, anchor ?? null))}\n`);
    }
    return;
  }
  const result = verify(options.bundle ?? fileURLToPath(new URL(".", import.meta.url)), options.anchor);
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else tell(result);
  process.exitCode = result.status === "verified" ? 0 : 1;
}

await main();
