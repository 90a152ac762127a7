// A second verifier, written from SPEC.md alone, so that no one program has to be believed:
//   node verify.mjs [BUNDLE] [--anchor HEX] [--json]
//   node verify.mjs --batch          a JSON object {"path", "anchor"} per line in, a result per line
// Needs Node 20 or newer and nothing else. Exit status: 0 verified, 1 failed or unanchored, 2 usage.

import { isUtf8 } from "node:buffer";
import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync, opendirSync, readSync } from "node:fs";
import { basename, join, resolve, sep } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const LOADS_CODE = /(^|[\s"'])(-r|--require|--import|--loader|--experimental-loader)([\s="']|$)/;
if (LOADS_CODE.test([process.env.NODE_OPTIONS ?? "", ...process.execArgv].join(" "))) {
  process.stderr.write("Nothing was checked: Node was told to load other code before this "
    + "(NODE_OPTIONS, --require, --import); run it again without.\n");
  process.exit(2);
}

const HEX64 = /^[0-9a-f]{64}$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const TIME = /^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z$/;
const SEGMENT = /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?$/;
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;
const NEEDED = ["SPEC.md", "data/arrears_ratio.csv", "data/attainment.csv", "verify.py"];
const MANIFEST = "manifest.json";
const CHUNK = 1 << 20;

// --- §12 bounds

const MOST = { entries: 100_000, segments: 16, releases: 10_000, manifest: 1 << 25, nesting: 64,
  string: 65_536, path: 200, segment: 100, signers: 256, certification: 65_536, line: 1 << 20 };

class OutOfBounds extends Error {}

class Unreadable extends Error {}

const sha256 = (...parts) => parts.reduce((h, part) => h.update(part), createHash("sha256")).digest();
const isText = (value) => typeof value === "string";
const isObject = (value) => value instanceof Map;
const isHash = (value) => isText(value) && HEX64.test(value);
const byCodePoint = (one, two) => Buffer.compare(Buffer.from(one), Buffer.from(two));
const hasExactly = (object, keys) =>
  isObject(object) && object.size === keys.length && keys.every((key) => object.has(key));

// --- §2 canonical JSON: objects become Maps, so that no key has a meaning of its own

let unassigned = null;

/** Matches a character that Unicode 14.0 does not know. */
function unassignedPattern() {
  const range = (each) => each.split("-").map((end) => `\\u{${end}}`).join("-");
  unassigned ??= new RegExp(`[^${ASSIGNED.trim().split(/\s+/).map(range).join("")}]`, "u");
  return unassigned;
}

class Reader {
  constructor(bytes) {
    try {
      this.text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Unreadable("not UTF-8");
    }
    this.at = 0;
    this.isNormal = true; // whether every string so far is in NFC
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
    if ("{[".includes(this.text[this.at] ?? "?") && depth === MOST.nesting) this.refuse("nested too deeply");
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
    const end = this.endOfString();
    if (end - this.at > 6 * MOST.string + 2) this.refuse("a string is too long");
    let value;
    try {
      value = JSON.parse(this.text.slice(this.at, end));
    } catch {
      this.refuse("no JSON string");
    }
    if (Buffer.byteLength(value) > MOST.string) this.refuse("a string is too long");
    if (!value.isWellFormed()) this.refuse("an unpaired surrogate");
    if (/[^\u0000-\u007f]/.test(value)) {
      if (unassignedPattern().test(value)) this.refuse("a character that Unicode 14.0 lacks");
      this.isNormal &&= value.normalize("NFC") === value;
    }
    this.at = end;
    return value;
  }

  endOfString() {
    for (let at = this.at + 1; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code === 92) at += 1;
      else if (code === 34) return at + 1;
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
  return `"${text.replace(/["\\\u0000-\u001f]/g, escape)}"`;
}

function spell(value) {
  if (isText(value)) return spellString(value);
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`;
  if (!isObject(value)) return String(value);
  const keys = [...value.keys()].sort(byCodePoint);
  return `{${keys.map((key) => `${spellString(key)}:${spell(value.get(key))}`).join(",")}}`;
}

function readJson(bytes) {
  const reader = new Reader(bytes);
  const value = reader.whole();
  return { value, isCanonical: reader.isNormal && Buffer.from(spell(value) + "\n").equals(bytes) };
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

/** Opens a plain file, even if it was exchanged since it was found. */
function openPlain(path) {
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(path, flags);
  const status = fstatSync(descriptor);
  if (status.isFile()) return { descriptor, size: status.size };
  closeSync(descriptor);
  throw Object.assign(new Error("no plain file any more"), { code: "EINVAL" });
}

/** The first bytes of a file, up to a limit. */
function readStart(path, limit) {
  const { descriptor } = openPlain(path);
  try {
    const parts = [];
    for (let left = limit; left > 0; ) {
      const part = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const size = readSync(descriptor, part, 0, part.length, null);
      if (size === 0) break;
      parts.push(part.subarray(0, size));
      left -= size;
    }
    return Buffer.concat(parts);
  } finally {
    closeSync(descriptor);
  }
}

/** Calls `piece(bytes, endsLine)` for the pieces of a file's lines; memory stays flat. */
function readPieces(descriptor, piece) {
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let size; (size = readSync(descriptor, buffer, 0, CHUNK, null)) > 0; ) {
    let start = 0;
    for (let end; (end = buffer.indexOf(10, start)) !== -1 && end < size; start = end + 1)
      piece(buffer.subarray(start, end + 1), true);
    if (start < size) piece(buffer.subarray(start, size), false);
  }
}

function describe(descriptor, path) {
  const whole = createHash("sha256");
  const tree = new Tree();
  let [bytes, records, isQuoted, leaf] = [0, 0, false, null];
  readPieces(descriptor, (piece, endsLine) => {
    whole.update(piece);
    bytes += piece.length;
    for (let at = -1; (at = piece.indexOf(34, at + 1)) !== -1; ) isQuoted = !isQuoted;
    if (endsLine && !isQuoted) records += 1;
    leaf ??= createHash("sha256").update("\x00");
    leaf.update(piece);
    if (!endsLine) return;
    tree.add(leaf.digest());
    leaf = null;
  });
  if (leaf) tree.add(leaf.digest());
  const rows = path.endsWith(".csv") ? Math.max(records - 1, 0) : null;
  return { bytes, rows, sha256: whole.digest("hex"), merkle_root: tree.root().toString("hex") };
}

/** The lines of a file; one that is longer than `longest` is cut after one byte more. */
function* linesOf(descriptor, longest) {
  const buffer = Buffer.allocUnsafe(CHUNK);
  let rest = Buffer.alloc(0);
  for (let size; (size = readSync(descriptor, buffer, 0, CHUNK, null)) > 0; ) {
    let start = 0;
    for (let end; (end = buffer.indexOf(10, start)) !== -1 && end < size; start = end + 1) {
      yield Buffer.concat([rest, buffer.subarray(start, end + 1)]).subarray(0, longest + 1);
      rest = Buffer.alloc(0);
    }
    rest = Buffer.concat([rest, buffer.subarray(start, size)]);
    if (rest.length > longest) {
      yield rest.subarray(0, longest + 1);
      return;
    }
  }
  if (rest.length) yield rest;
}

/** The first line at which a data file and its row index disagree, from 1; null if none. */
function firstDifference(dataPath, indexPath) {
  const opened = [];
  try {
    for (const path of [dataPath, indexPath]) opened.push(openPlain(path).descriptor);
    const [data, index] = [linesOf(opened[0], MOST.line), linesOf(opened[1], 17)];
    for (let row = 1; ; row += 1) {
      const [line, recorded] = [data.next().value, index.next().value];
      if (!line && !recorded) return null;
      if (!line || !recorded || line.length > MOST.line) return row;
      const wanted = `${sha256("\x00", line).toString("hex", 0, 8)}\n`;
      if (recorded.toString("latin1") !== wanted) return row;
    }
  } finally {
    opened.forEach(closeSync);
  }
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
  if (signers.length > MOST.signers) {
    yield ["signers", "there are too many signers"];
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
const SIGNED = ["format", "release_id", "root_sha256", "signer_id", "certified_at"];

/** Whether a certification holds. */
function isCertification(path, manifest, root) {
  const bytes = readStart(path, MOST.certification + 1);
  let read;
  try {
    read = readJson(bytes);
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
  const { value, isCanonical } = read;
  if (!isCanonical || bytes.length > MOST.certification || manifest.get("kind") === "rehearsal") return false;
  if (!hasExactly(value, [...SIGNED, "signature"]) || ![...value.values()].every(isText))
    return false;
  const said = Object.fromEntries(value);
  const isFormed = said.format === CERTIFICATION && isInstant(said.certified_at);
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

const small = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

function isDate(value) {
  const [, year, month, day] = (isText(value) && DATE.exec(value)?.map(Number)) || [];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

function isInstant(value) {
  return isText(value) && isDate(value.slice(0, 10)) && value[10] === "T"
    && TIME.test(value.slice(11));
}

function isPlainPath(path) {
  if (path.length > MOST.path) return false;
  const segments = path.split("/");
  return segments.length <= MOST.segments && segments.every((segment) =>
    segment.length <= MOST.segment && SEGMENT.test(segment) && !DEVICE.test(segment));
}

/** What stands beside the listed files, however it is spelled. */
function isReserved(path) {
  const folded = small(path);
  return [MANIFEST, "signature.pdf"].includes(folded) || folded.split("/")[0] === "certifications";
}

function standsBeside(path) {
  if (path === "signature.pdf") return true;
  const [folder, name, ...rest] = path.split("/");
  return folder === "certifications" && rest.length === 0
    && /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.json$/.test(name ?? "");
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
  if (!isPeriod || release.length > MOST.segment || !Object.hasOwn(ids, kind)
    || !new RegExp(`^${ids[kind]}$`).test(release))
    yield ["identity", `${release} is no ${kind} of the period ${period}`];
  const corrects = manifest.get("corrects") ?? null;
  if (kind === "corrigendum" ? !isText(corrects) : corrects !== null)
    yield ["identity", "only a corrigendum corrects a release"];
  if (kind === "rehearsal" && (manifest.get("previous_root") ?? null) !== null)
    yield ["identity", "a rehearsal follows no release"];
}

function* instantProblems(manifest) {
  const [cutoff, known] = ["cutoff_at", "as_known_at"].map((key) => manifest.get(key));
  if (![cutoff, known].every(isInstant)) yield ["instants", "an instant is not in its form"];
  else if (manifest.get("kind") !== "rehearsal" && known < cutoff)
    yield ["instants", "what was known is older than the cutoff"];
  if (manifest.has("business_date") && !isDate(manifest.get("business_date")))
    yield ["instants", "business_date is no date"];
}

/** The folders in which a path stands. */
const foldersOf = (path) =>
  path.split("/").slice(0, -1).map((_, at, segments) => segments.slice(0, at + 1).join("/"));

const ENTRY = ["path", "bytes", "rows", "sha256", "merkle_root"];

function isEntry(entry) {
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  return hasExactly(entry, ENTRY) && isText(entry.get("path")) && isCount(entry.get("bytes"))
    && (entry.get("path").endsWith(".csv") ? isCount(entry.get("rows")) : entry.get("rows") === null)
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
    if (!isPlainPath(path) || isReserved(path))
      yield ["path", `${path} may not be listed`];
  if (paths.some((path, at) => at > 0 && byCodePoint(paths[at - 1], path) > 0))
    yield ["file-list", "the paths are not in order"];
  if (new Set(paths.map(small)).size < paths.length)
    yield ["file-list", "two paths are equal but for case"];
  const folders = new Set(paths.filter(isPlainPath).flatMap(foldersOf));
  if (new Set([...folders].map(small)).size < folders.size)
    yield ["file-list", "a folder is spelled in two ways"];
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
  if (!Array.isArray(files) || !files.every(isObject)) return;
  for (const path of ["data/changes.csv", "data/late_changes.csv"])
    if (!files.some((entry) => entry.get("path") === path))
      yield ["correction", `${path} is not listed`];
}

const isHashed = (name) => (value) =>
  isObject(value) && isText(value.get(name)) && isHash(value.get("sha256"));
const areHashed = (values) => Array.isArray(values) && values.every(isHashed("path"));
const OPTIONAL = { inputs: Array.isArray, final_extract: Array.isArray, configuration: areHashed,
  rules: areHashed, code: isHashed("version"), lock_sha256: isHash };

function* manifestProblems(manifest) {
  yield* identityProblems(manifest);
  yield* instantProblems(manifest);
  yield* correctionProblems(manifest);
  yield* listProblems(manifest.get("files"));
  if (!isHash(manifest.get("data_root"))) yield ["manifest-field", "data_root is no hash"];
  const previous = manifest.get("previous_root");
  if (previous !== null && !isHash(previous)) yield ["manifest-field", "previous_root is no hash"];
  for (const [key, isFormed] of Object.entries(OPTIONAL))
    if (manifest.has(key) && !isFormed(manifest.get(key)))
      yield ["manifest-field", `${key} is not of its form`];
  if (manifest.has("signers")) yield* signerProblems(manifest.get("signers"));
}

// --- §6 one release

function newResult(path, anchor) {
  return { path: resolve(path), anchor, release_id: null, root: null, data_root: null,
    period_id: null, cutoff_at: null, superseded: null, certified_by: [], findings: [], notes: [] };
}

function fail(result, code, path, message, row = null) {
  result.findings.push({ code, path, message, row });
}

/** The names in a folder, as bytes, read one by one: there may be millions. */
function* namesIn(folder) {
  const opened = opendirSync(folder, { encoding: "buffer" });
  try {
    for (let item; (item = opened.readSync()); ) yield Buffer.from(item.name);
  } finally {
    opened.closeSync();
  }
}

/** A name as findings show it: of one that is not UTF-8, what is no printable ASCII as \xhh. */
function shownName(bytes) {
  if (isUtf8(bytes)) return bytes.toString();
  const shown = (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte)
    : `\\x${byte.toString(16).padStart(2, "0")}`);
  return [...bytes].map(shown).join("");
}

const isSystemError = (error) => typeof error.code === "string";

/** The plain files below a folder; everything else is a finding, and is never followed. */
function walk(folder, result) {
  const found = new Set();
  let count = 0;
  const holdsFile = (under, depth) => {
    let holds = false;
    try {
      for (const bytes of namesIn(join(folder, under))) {
        count += 1;
        if (count > MOST.entries || depth > MOST.segments) throw new OutOfBounds();
        const name = under + shownName(bytes);
        const kind = isUtf8(bytes) ? lstatSync(join(folder, name)) : null;
        if (kind?.isFile()) found.add(name);
        else if (!kind?.isDirectory()) {
          fail(result, "odd-file", name, "neither a plain file nor a folder");
          continue;
        } else if (!holdsFile(`${name}/`, depth + 1)) {
          if (name !== "certifications")
            fail(result, "unlisted", `${name}/`, "a folder without any file");
          continue;
        }
        holds = true;
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      fail(result, "unreadable", under, error.message);
      return true;
    }
    return holds;
  };
  holdsFile("", 1);
  return found;
}

function isFolder(path) {
  try {
    return lstatSync(path).isDirectory();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
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

function checkFile(folder, entry, present, result) {
  if (!present.has(entry.path)) {
    fail(result, "missing", entry.path, "listed, and not there");
    return false;
  }
  let found;
  try {
    const { descriptor, size } = openPlain(join(folder, entry.path));
    try {
      // one of another size is not read: it may be endless
      found = size === entry.bytes ? describe(descriptor, entry.path) : { bytes: size };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    present.delete(entry.path);
    fail(result, "unreadable", entry.path, error.message);
    return false;
  }
  const keys = found.bytes === entry.bytes ? ["rows", "sha256", "merkle_root"] : ["bytes"];
  const wrong = keys.filter((key) => found[key] !== entry[key]);
  for (const key of wrong)
    fail(result, key.replace("_", "-"), entry.path, `${found[key]}, listed as ${entry[key]}`);
  return wrong.length === 0;
}

function nameRows(folder, usable, damaged, result) {
  for (const data of usable) {
    const index = data.replace(/^data\/(.*)\.csv$/s, "rows/$1.txt");
    if (index === data || !usable.has(index) || damaged.has(data) === damaged.has(index)) continue;
    const bad = damaged.has(data) ? data : index;
    let row = null;
    try {
      row = firstDifference(join(folder, data), join(folder, index));
    } catch (error) {
      if (!isSystemError(error)) throw error;
      fail(result, "unreadable", bad, error.message);
    }
    if (row) fail(result, "row", bad, `line ${row} is the first that differs`, row);
  }
}

function checkCertifications(folder, manifest, present, result) {
  for (const path of [...present].sort(byCodePoint)) {
    if (!path.startsWith("certifications/") || !standsBeside(path)) continue;
    try {
      if (isCertification(join(folder, path), manifest, result.root))
        result.certified_by.push(basename(path, ".json"));
      else fail(result, "certification", path, "this certification does not hold");
    } catch (error) {
      if (!isSystemError(error)) throw error;
      fail(result, "unreadable", path, error.message);
    }
  }
}

/** Whether `configuration`, where it stands, names the listed files in config/. */
function isConfigurationListed(manifest, entries) {
  if (!manifest.has("configuration")) return true;
  const told = (pairs) => pairs.map(({ path, sha256: hash }) => `${hash} ${path}`).sort().join("\n");
  const said = manifest.get("configuration").map((each) => Object.fromEntries(each));
  return told(said) === told(entries.filter((entry) => entry.path.startsWith("config/")));
}

/** §6.1 to §6.5: the manifest, where there is one to go on with. */
function openBundle(folder, result) {
  if (!isFolder(folder)) {
    fail(result, "not-a-folder", "", "no such folder, or a link");
    return {};
  }
  let present;
  try {
    present = walk(folder, result);
  } catch (error) {
    if (!(error instanceof OutOfBounds)) throw error;
    result.findings = [];
    fail(result, "bounds", "", "too many entries, or too many folders within one another");
    return {};
  }
  if (!present.has(MANIFEST)) {
    fail(result, "manifest-missing", MANIFEST, "the release has no manifest");
    return {};
  }
  let bytes;
  try {
    bytes = readStart(join(folder, MANIFEST), MOST.manifest + 1);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    fail(result, "unreadable", MANIFEST, error.message);
    return {};
  }
  if (bytes.length > MOST.manifest) {
    fail(result, "bounds", MANIFEST, "too large");
    return {};
  }
  result.root = sha256(bytes).toString("hex");
  return { present, manifest: readManifest(bytes, result) };
}

function checkBundle(folder, anchor) {
  const result = newResult(folder, anchor);
  const { present, manifest = null } = openBundle(folder, result);
  if (!manifest) return { result, manifest };
  for (const key of ["release_id", "data_root", "period_id", "cutoff_at"])
    result[key] = manifest.get(key);
  const entries = manifest.get("files").map((entry) => Object.fromEntries(entry));
  const listed = new Set(entries.map((entry) => entry.path));
  for (const path of present)
    if (!listed.has(path) && path !== MANIFEST && !standsBeside(path))
      fail(result, "unlisted", path, "not listed");
  const wrong = entries.filter((entry) => !checkFile(folder, entry, present, result));
  const damaged = new Set(wrong.map((entry) => entry.path));
  nameRows(folder, new Set([...listed].filter((path) => present.has(path))), damaged, result);
  if (dataRoot(entries) !== result.data_root)
    fail(result, "data-root", MANIFEST, "not that of the listed files");
  if (!isConfigurationListed(manifest, entries))
    fail(result, "configuration", MANIFEST, "not the hashes of the files in config/");
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
    if (before.id) result.superseded[before.id] = id;
    ofPeriod.set(period, [...earlier, { id, root: newest }]);
  }
  return newest;
}

function checkRelease(folder, bytes, result) {
  const name = shownName(bytes);
  const checked = { result: newResult(name, null), manifest: null };
  if (isUtf8(bytes)) Object.assign(checked, checkBundle(join(folder, name), null));
  else fail(checked.result, "not-a-folder", "", "its name is not UTF-8");
  for (const each of checked.result.findings)
    result.findings.push({ ...each, path: `${name}/${each.path}` });
  return { one: checked.result, manifest: checked.manifest };
}

function releasesIn(folder) {
  const names = [];
  for (const bytes of namesIn(folder))
    if (names.push(bytes) > MOST.releases) throw new OutOfBounds();
  return names.sort(Buffer.compare);
}

function verifyReleases(folder, anchor) {
  const result = { ...newResult(folder, anchor), superseded: {} };
  let names;
  try {
    names = releasesIn(folder);
  } catch (error) {
    if (!isSystemError(error) && !(error instanceof OutOfBounds)) throw error;
    const code = error instanceof OutOfBounds ? "bounds" : "unreadable";
    fail(result, code, "", error.message);
    return result;
  }
  const releases = new Map();
  for (const bytes of names) {
    const name = shownName(bytes);
    if (name.startsWith(".") || name === "rehearsal") {
      result.notes.push(`${name} is outside the chain and was not checked`);
      continue;
    }
    const { one, manifest } = checkRelease(folder, bytes, result);
    if (!manifest) continue;
    releases.set(one.root, { manifest, one });
    if (name !== one.release_id) fail(result, "folder-name", name, `holds ${one.release_id}`);
  }
  const newest = checkChain(releases, result);
  if (newest) {
    const { release_id, data_root, period_id, cutoff_at, certified_by } = releases.get(newest).one;
    Object.assign(result, { root: newest, release_id, data_root, period_id, cutoff_at, certified_by });
    if (anchor && newest !== anchor) fail(result, "anchor", "", `the newest root is ${newest}`);
  }
  return result;
}

/** A path without any "/" and "/." at its end: what it names, not where a link leads. */
function bare(path) {
  return path.replace(sep === "/" ? /(?<=.)(?:\/\.?)+$/s : /(?<=.)(?:[/\\]\.?)+$/s, "");
}

function verify(given, anchor) {
  const path = bare(given);
  const isThere = (name) => lstatSync(join(path, name), { throwIfNoEntry: false });
  const several = isFolder(path) && !isThere(MANIFEST) && !isThere("SPEC.md");
  const result = several ? verifyReleases(path, anchor) : verifyBundle(path, anchor);
  const status = result.findings.length ? "failed" : anchor ? "verified" : "unanchored";
  const isCertified = status === "verified" && result.certified_by.length >= 2;
  return { status, is_certified: isCertified, ...result };
}

// --- §11 the command line

// Blanks that printers and clipboards put between digits.
const BLANKS =
  /[\x09-\x0d \x85\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff]/g;
// Controls, marks that turn the direction of writing, and characters that cannot be seen.
const UNSEEN = new RegExp(
  "[\\x00-\\x1f\\x7f-\\xa0\\xad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f"
  + "\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ud800-\\udfff"
  + "\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}"
  + "\\u{e0000}-\\u{e0fff}]", "gu");

function visible(text) {
  const spelled = (found) => found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return String(text).replace(UNSEEN, (found) => `<U+${spelled(found)}>`);
}

class WrongUsage extends Error {}

function readAnchor(text) {
  const digits = small(text.replace(BLANKS, ""));
  if (!HEX64.test(digits)) throw new WrongUsage("an anchor is 64 hex digits");
  return digits;
}

function readArguments(words) {
  const options = { bundle: null, anchor: null, json: false };
  const left = [...words];
  while (left.length) {
    const word = left.shift();
    if (word === "--json") options.json = true;
    else if (word === "--anchor" || word.startsWith("--anchor=")) {
      const value = word === "--anchor" ? left.shift() ?? "" : word.slice("--anchor=".length);
      if (options.anchor !== null) throw new WrongUsage("--anchor stands twice");
      options.anchor = readAnchor(value);
    } else if (word.startsWith("-") || word === "" || options.bundle !== null)
      throw new WrongUsage(`not understood: ${word.slice(0, 80)}`);
    else options.bundle = word;
  }
  return options;
}

const USAGE = `usage: node verify.mjs [BUNDLE] [--anchor HEX] [--json]
BUNDLE is a release's folder, or the folder of all releases (default: where this file lies);
HEX is the root from a source you trust: 64 hex digits, in blanks and capitals as you like.
`;

const WORDS = {
  verified: "đúng bản đã niêm phong",
  failed: "KHÔNG khớp",
  unanchored: "chưa đối chiếu với mã gốc, CHƯA chứng minh được gì",
};

/** The lines for people; what foreign text stands in them is made visible. */
function* told(result) {
  yield `${result.status} (${WORDS[result.status]}): ${visible(result.release_id ?? "–")}`;
  yield `thư mục (folder) ${visible(result.path)}`;
  if (result.period_id) {
    yield `kỳ (period) ${result.period_id}`;
    yield `chốt lúc (cutoff) ${result.cutoff_at}: giờ UTC, giờ Việt Nam là +7 (UTC)`;
  }
  yield `mã gốc (root) ${result.root}`;
  yield `mã gốc số liệu (data root) ${result.data_root}`;
  if (result.certified_by.length) {
    const word = result.is_certified ? "certified" : "not certified yet";
    yield `signed by ${result.certified_by.join(", ")}: ${word}`;
  }
  for (const { code, path, message } of result.findings)
    yield `FINDING ${code}: ${path ? `${visible(path)}: ` : ""}${visible(message)}`;
  for (const [release, by] of Object.entries(result.superseded ?? {}))
    yield `đã được thay thế (superseded): ${visible(release)} → ${visible(by)}`;
  for (const note of result.notes) yield `note: ${visible(note)}`;
  if (result.status === "verified" && !result.superseded)
    yield "note: a later release may correct this one; the folder of all releases tells";
  if (result.status === "unanchored") {
    yield "tiếp theo (next): chạy lại với --anchor và mã gốc trên trang đã ký";
    yield "  (run again with --anchor and the root from the signed page)";
  }
}

/** JSON in ASCII. */
function asJson(result) {
  const spelled = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(result).replace(/[\u007f-\uffff]/g, spelled);
}

async function answerBatch() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { path, anchor } = JSON.parse(line);
    process.stdout.write(`${asJson(verify(path, anchor ?? null))}\n`);
  }
}

function main(words) {
  let options;
  try {
    options = readArguments(words);
  } catch (error) {
    if (!(error instanceof WrongUsage)) throw error;
    process.stderr.write(`${visible(error.message)}\n${USAGE}`);
    return 2;
  }
  const own = fileURLToPath(new URL(".", import.meta.url));
  const result = verify(options.bundle ?? own, options.anchor);
  process.stdout.write(options.json ? `${asJson(result)}\n` : `${[...told(result)].join("\n")}\n`);
  return result.status === "verified" ? 0 : 1;
}

// The characters that Unicode 14.0 knows, private ones too: §13, to the letter.
const ASSIGNED = `
0-377 37A-37F 384-38A 38C 38E-3A1 3A3-52F 531-556 559-58A 58D-58F 591-5C7 5D0-5EA 5EF-5F4 600-70D
70F-74A 74D-7B1 7C0-7FA 7FD-82D 830-83E 840-85B 85E 860-86A 870-88E 890-891 898-983 985-98C 98F-990
993-9A8 9AA-9B0 9B2 9B6-9B9 9BC-9C4 9C7-9C8 9CB-9CE 9D7 9DC-9DD 9DF-9E3 9E6-9FE A01-A03 A05-A0A
A0F-A10 A13-A28 A2A-A30 A32-A33 A35-A36 A38-A39 A3C A3E-A42 A47-A48 A4B-A4D A51 A59-A5C A5E A66-A76
A81-A83 A85-A8D A8F-A91 A93-AA8 AAA-AB0 AB2-AB3 AB5-AB9 ABC-AC5 AC7-AC9 ACB-ACD AD0 AE0-AE3 AE6-AF1
AF9-AFF B01-B03 B05-B0C B0F-B10 B13-B28 B2A-B30 B32-B33 B35-B39 B3C-B44 B47-B48 B4B-B4D B55-B57
B5C-B5D B5F-B63 B66-B77 B82-B83 B85-B8A B8E-B90 B92-B95 B99-B9A B9C B9E-B9F BA3-BA4 BA8-BAA BAE-BB9
BBE-BC2 BC6-BC8 BCA-BCD BD0 BD7 BE6-BFA C00-C0C C0E-C10 C12-C28 C2A-C39 C3C-C44 C46-C48 C4A-C4D
C55-C56 C58-C5A C5D C60-C63 C66-C6F C77-C8C C8E-C90 C92-CA8 CAA-CB3 CB5-CB9 CBC-CC4 CC6-CC8 CCA-CCD
CD5-CD6 CDD-CDE CE0-CE3 CE6-CEF CF1-CF2 D00-D0C D0E-D10 D12-D44 D46-D48 D4A-D4F D54-D63 D66-D7F
D81-D83 D85-D96 D9A-DB1 DB3-DBB DBD DC0-DC6 DCA DCF-DD4 DD6 DD8-DDF DE6-DEF DF2-DF4 E01-E3A E3F-E5B
E81-E82 E84 E86-E8A E8C-EA3 EA5 EA7-EBD EC0-EC4 EC6 EC8-ECD ED0-ED9 EDC-EDF F00-F47 F49-F6C F71-F97
F99-FBC FBE-FCC FCE-FDA 1000-10C5 10C7 10CD 10D0-1248 124A-124D 1250-1256 1258 125A-125D 1260-1288
128A-128D 1290-12B0 12B2-12B5 12B8-12BE 12C0 12C2-12C5 12C8-12D6 12D8-1310 1312-1315 1318-135A
135D-137C 1380-1399 13A0-13F5 13F8-13FD 1400-169C 16A0-16F8 1700-1715 171F-1736 1740-1753 1760-176C
176E-1770 1772-1773 1780-17DD 17E0-17E9 17F0-17F9 1800-1819 1820-1878 1880-18AA 18B0-18F5 1900-191E
1920-192B 1930-193B 1940 1944-196D 1970-1974 1980-19AB 19B0-19C9 19D0-19DA 19DE-1A1B 1A1E-1A5E
1A60-1A7C 1A7F-1A89 1A90-1A99 1AA0-1AAD 1AB0-1ACE 1B00-1B4C 1B50-1B7E 1B80-1BF3 1BFC-1C37 1C3B-1C49
1C4D-1C88 1C90-1CBA 1CBD-1CC7 1CD0-1CFA 1D00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B
1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FC4 1FC6-1FD3 1FD6-1FDB 1FDD-1FEF 1FF2-1FF4 1FF6-1FFE 2000-2064
2066-2071 2074-208E 2090-209C 20A0-20C0 20D0-20F0 2100-218B 2190-2426 2440-244A 2460-2B73 2B76-2B95
2B97-2CF3 2CF9-2D25 2D27 2D2D 2D30-2D67 2D6F-2D70 2D7F-2D96 2DA0-2DA6 2DA8-2DAE 2DB0-2DB6 2DB8-2DBE
2DC0-2DC6 2DC8-2DCE 2DD0-2DD6 2DD8-2DDE 2DE0-2E5D 2E80-2E99 2E9B-2EF3 2F00-2FD5 2FF0-2FFB 3000-303F
3041-3096 3099-30FF 3105-312F 3131-318E 3190-31E3 31F0-321E 3220-A48C A490-A4C6 A4D0-A62B A640-A6F7
A700-A7CA A7D0-A7D1 A7D3 A7D5-A7D9 A7F2-A82C A830-A839 A840-A877 A880-A8C5 A8CE-A8D9 A8E0-A953
A95F-A97C A980-A9CD A9CF-A9D9 A9DE-A9FE AA00-AA36 AA40-AA4D AA50-AA59 AA5C-AAC2 AADB-AAF6 AB01-AB06
AB09-AB0E AB11-AB16 AB20-AB26 AB28-AB2E AB30-AB6B AB70-ABED ABF0-ABF9 AC00-D7A3 D7B0-D7C6 D7CB-D7FB
E000-FA6D FA70-FAD9 FB00-FB06 FB13-FB17 FB1D-FB36 FB38-FB3C FB3E FB40-FB41 FB43-FB44 FB46-FBC2
FBD3-FD8F FD92-FDC7 FDCF FDF0-FE19 FE20-FE52 FE54-FE66 FE68-FE6B FE70-FE74 FE76-FEFC FEFF FF01-FFBE
FFC2-FFC7 FFCA-FFCF FFD2-FFD7 FFDA-FFDC FFE0-FFE6 FFE8-FFEE FFF9-FFFD 10000-1000B 1000D-10026
10028-1003A 1003C-1003D 1003F-1004D 10050-1005D 10080-100FA 10100-10102 10107-10133 10137-1018E
10190-1019C 101A0 101D0-101FD 10280-1029C 102A0-102D0 102E0-102FB 10300-10323 1032D-1034A
10350-1037A 10380-1039D 1039F-103C3 103C8-103D5 10400-1049D 104A0-104A9 104B0-104D3 104D8-104FB
10500-10527 10530-10563 1056F-1057A 1057C-1058A 1058C-10592 10594-10595 10597-105A1 105A3-105B1
105B3-105B9 105BB-105BC 10600-10736 10740-10755 10760-10767 10780-10785 10787-107B0 107B2-107BA
10800-10805 10808 1080A-10835 10837-10838 1083C 1083F-10855 10857-1089E 108A7-108AF 108E0-108F2
108F4-108F5 108FB-1091B 1091F-10939 1093F 10980-109B7 109BC-109CF 109D2-10A03 10A05-10A06
10A0C-10A13 10A15-10A17 10A19-10A35 10A38-10A3A 10A3F-10A48 10A50-10A58 10A60-10A9F 10AC0-10AE6
10AEB-10AF6 10B00-10B35 10B39-10B55 10B58-10B72 10B78-10B91 10B99-10B9C 10BA9-10BAF 10C00-10C48
10C80-10CB2 10CC0-10CF2 10CFA-10D27 10D30-10D39 10E60-10E7E 10E80-10EA9 10EAB-10EAD 10EB0-10EB1
10F00-10F27 10F30-10F59 10F70-10F89 10FB0-10FCB 10FE0-10FF6 11000-1104D 11052-11075 1107F-110C2
110CD 110D0-110E8 110F0-110F9 11100-11134 11136-11147 11150-11176 11180-111DF 111E1-111F4
11200-11211 11213-1123E 11280-11286 11288 1128A-1128D 1128F-1129D 1129F-112A9 112B0-112EA
112F0-112F9 11300-11303 11305-1130C 1130F-11310 11313-11328 1132A-11330 11332-11333 11335-11339
1133B-11344 11347-11348 1134B-1134D 11350 11357 1135D-11363 11366-1136C 11370-11374 11400-1145B
1145D-11461 11480-114C7 114D0-114D9 11580-115B5 115B8-115DD 11600-11644 11650-11659 11660-1166C
11680-116B9 116C0-116C9 11700-1171A 1171D-1172B 11730-11746 11800-1183B 118A0-118F2 118FF-11906
11909 1190C-11913 11915-11916 11918-11935 11937-11938 1193B-11946 11950-11959 119A0-119A7
119AA-119D7 119DA-119E4 11A00-11A47 11A50-11AA2 11AB0-11AF8 11C00-11C08 11C0A-11C36 11C38-11C45
11C50-11C6C 11C70-11C8F 11C92-11CA7 11CA9-11CB6 11D00-11D06 11D08-11D09 11D0B-11D36 11D3A
11D3C-11D3D 11D3F-11D47 11D50-11D59 11D60-11D65 11D67-11D68 11D6A-11D8E 11D90-11D91 11D93-11D98
11DA0-11DA9 11EE0-11EF8 11FB0 11FC0-11FF1 11FFF-12399 12400-1246E 12470-12474 12480-12543
12F90-12FF2 13000-1342E 13430-13438 14400-14646 16800-16A38 16A40-16A5E 16A60-16A69 16A6E-16ABE
16AC0-16AC9 16AD0-16AED 16AF0-16AF5 16B00-16B45 16B50-16B59 16B5B-16B61 16B63-16B77 16B7D-16B8F
16E40-16E9A 16F00-16F4A 16F4F-16F87 16F8F-16F9F 16FE0-16FE4 16FF0-16FF1 17000-187F7 18800-18CD5
18D00-18D08 1AFF0-1AFF3 1AFF5-1AFFB 1AFFD-1AFFE 1B000-1B122 1B150-1B152 1B164-1B167 1B170-1B2FB
1BC00-1BC6A 1BC70-1BC7C 1BC80-1BC88 1BC90-1BC99 1BC9C-1BCA3 1CF00-1CF2D 1CF30-1CF46 1CF50-1CFC3
1D000-1D0F5 1D100-1D126 1D129-1D1EA 1D200-1D245 1D2E0-1D2F3 1D300-1D356 1D360-1D378 1D400-1D454
1D456-1D49C 1D49E-1D49F 1D4A2 1D4A5-1D4A6 1D4A9-1D4AC 1D4AE-1D4B9 1D4BB 1D4BD-1D4C3 1D4C5-1D505
1D507-1D50A 1D50D-1D514 1D516-1D51C 1D51E-1D539 1D53B-1D53E 1D540-1D544 1D546 1D54A-1D550
1D552-1D6A5 1D6A8-1D7CB 1D7CE-1DA8B 1DA9B-1DA9F 1DAA1-1DAAF 1DF00-1DF1E 1E000-1E006 1E008-1E018
1E01B-1E021 1E023-1E024 1E026-1E02A 1E100-1E12C 1E130-1E13D 1E140-1E149 1E14E-1E14F 1E290-1E2AE
1E2C0-1E2F9 1E2FF 1E7E0-1E7E6 1E7E8-1E7EB 1E7ED-1E7EE 1E7F0-1E7FE 1E800-1E8C4 1E8C7-1E8D6
1E900-1E94B 1E950-1E959 1E95E-1E95F 1EC71-1ECB4 1ED01-1ED3D 1EE00-1EE03 1EE05-1EE1F 1EE21-1EE22
1EE24 1EE27 1EE29-1EE32 1EE34-1EE37 1EE39 1EE3B 1EE42 1EE47 1EE49 1EE4B 1EE4D-1EE4F 1EE51-1EE52
1EE54 1EE57 1EE59 1EE5B 1EE5D 1EE5F 1EE61-1EE62 1EE64 1EE67-1EE6A 1EE6C-1EE72 1EE74-1EE77
1EE79-1EE7C 1EE7E 1EE80-1EE89 1EE8B-1EE9B 1EEA1-1EEA3 1EEA5-1EEA9 1EEAB-1EEBB 1EEF0-1EEF1
1F000-1F02B 1F030-1F093 1F0A0-1F0AE 1F0B1-1F0BF 1F0C1-1F0CF 1F0D1-1F0F5 1F100-1F1AD 1F1E6-1F202
1F210-1F23B 1F240-1F248 1F250-1F251 1F260-1F265 1F300-1F6D7 1F6DD-1F6EC 1F6F0-1F6FC 1F700-1F773
1F780-1F7D8 1F7E0-1F7EB 1F7F0 1F800-1F80B 1F810-1F847 1F850-1F859 1F860-1F887 1F890-1F8AD
1F8B0-1F8B1 1F900-1FA53 1FA60-1FA6D 1FA70-1FA74 1FA78-1FA7C 1FA80-1FA86 1FA90-1FAAC 1FAB0-1FABA
1FAC0-1FAC5 1FAD0-1FAD9 1FAE0-1FAE7 1FAF0-1FAF6 1FB00-1FB92 1FB94-1FBCA 1FBF0-1FBF9 20000-2A6DF
2A700-2B738 2B740-2B81D 2B820-2CEA1 2CEB0-2EBE0 2F800-2FA1D 30000-3134A E0001 E0020-E007F
E0100-E01EF F0000-FFFFD 100000-10FFFD
`;

const words = process.argv.slice(2);
if (words.length === 1 && words[0] === "--batch") await answerBatch();
else process.exitCode = main(words);
