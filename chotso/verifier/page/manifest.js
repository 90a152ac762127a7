// --- SPEC.md §4: what a manifest may say. Each function gives the codes of what is wrong.

const MOST = {
  entries: 100_000, segments: 16, releases: 10_000, manifest: 1 << 25, path: 200, segment: 100, signers: 256,
  certification: 65_536, line: 1 << 20,
};
const FORMAT = "chotso-bundle/1";
const NEEDED = ["SPEC.md", "data/arrears_ratio.csv", "data/attainment.csv", "verify.py"];
const NEEDED_TO_CORRECT = ["data/changes.csv", "data/late_changes.csv"];
const ENTRY = ["path", "bytes", "rows", "sha256", "merkle_root"];

const small = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const lengthOf = (text) => [...text].length;
const isHash = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
const isAbsent = (value) => value === null || value === undefined;
const areObjects = (value) => Array.isArray(value) && value.every(isObject);
const hasExactly = (value, keys) => isObject(value) && value.size === keys.length && keys.every((key) => value.has(key));

function isDate(value) {
  const found = isText(value) && /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(value);
  if (!found) return false;
  const [year, month, day] = found.slice(1).map(Number);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return year >= 1 && day >= 1 && day <= days;
}

function isInstant(value) {
  return isText(value) && isDate(value.slice(0, 10))
    && /^T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z$/.test(value.slice(10));
}

/** The form of §4.2, second point: one meaning on every system. */
function isPlainPath(path) {
  if (path.length > MOST.path) return false;
  const segments = path.split("/");
  return segments.length <= MOST.segments && segments.every((segment) =>
    segment.length <= MOST.segment
    && /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(segment)
    && !segment.endsWith(".")
    && !/^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/.test(small(segment)));
}

/** What is the manifest, or stands beside it, whatever its case. */
function isReserved(path) {
  const name = small(path);
  return name === "manifest.json" || name === "signature.pdf" || name.split("/")[0] === "certifications";
}

function* identityProblems(manifest) {
  const [release, period, kind] = ["release_id", "period_id", "kind"].map((key) => manifest.get(key));
  if (![release, period, kind].every(isText)) {
    yield "identity";
    return;
  }
  const isPeriod = /^[a-z0-9][a-z0-9-]*$/.test(period) && !/^rehearsal(-|$)/.test(period) && !/-c[0-9]+$/.test(period);
  const number = { original: /^$/, corrigendum: /^-c[1-9][0-9]*$/, rehearsal: /^-[1-9][0-9]*$/ }[kind];
  const before = kind === "rehearsal" ? `rehearsal-${period}` : period;
  const isNamed = number && release.startsWith(before) && number.test(release.slice(before.length));
  if (!isPeriod || !isNamed || release.length > 100) yield "identity";
  const corrects = manifest.get("corrects");
  if (kind === "corrigendum" ? !isText(corrects) : !isAbsent(corrects)) yield "identity";
  if (kind === "rehearsal" && !isAbsent(manifest.get("previous_root"))) yield "identity";
}

function* instantProblems(manifest) {
  const [cutoff, known] = [manifest.get("cutoff_at"), manifest.get("as_known_at")];
  if (!isInstant(cutoff) || !isInstant(known)) yield "instants";
  else if (manifest.get("kind") !== "rehearsal" && known < cutoff) yield "instants";
  if (manifest.has("business_date") && !isDate(manifest.get("business_date"))) yield "instants";
}

function* correctionProblems(manifest) {
  const said = manifest.get("correction");
  if (manifest.get("kind") !== "corrigendum") {
    if (!isAbsent(said)) yield "correction";
    return;
  }
  const isSaid = (key) => isText(said.get(key)) && /[^ ]/.test(said.get(key));
  if (!hasExactly(said, ["reason", "author", "corrected_root"])) yield "correction";
  else if (!isSaid("reason") || !isSaid("author") || !isHash(said.get("corrected_root"))) yield "correction";
  const files = manifest.get("files");
  if (!areObjects(files)) return;
  const paths = new Set(files.map((entry) => entry.get("path")));
  if (!NEEDED_TO_CORRECT.every((path) => paths.has(path))) yield "correction";
}

function isEntry(entry) {
  if (!hasExactly(entry, ENTRY) || !isText(entry.get("path"))) return false;
  const rows = entry.get("rows");
  return isCount(entry.get("bytes")) && isHash(entry.get("sha256")) && isHash(entry.get("merkle_root"))
    && (entry.get("path").endsWith(".csv") ? isCount(rows) : rows === null);
}

function* fileProblems(manifest) {
  const files = manifest.get("files");
  if (!areObjects(files)) {
    yield "file-list";
    return;
  }
  if (!files.every(isEntry)) yield "file-list";
  const paths = files.map((entry) => entry.get("path")).filter(isText);
  if (paths.some((path, i) => i > 0 && compareText(paths[i - 1], path) >= 0)) yield "file-list";
  if (new Set(paths.map(small)).size < paths.length) yield "file-list";
  const plain = paths.filter(isPlainPath);
  if (!areFoldersSpelledOneWay(plain)) yield "file-list";
  if (plain.length < paths.length || plain.some(isReserved)) yield "path";
  if (!NEEDED.every((path) => paths.includes(path))) yield "incomplete";
}

function areFoldersSpelledOneWay(paths) {
  const spelling = new Map();
  for (const path of paths) {
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      const folder = path.slice(0, end);
      const known = spelling.get(small(folder));
      if (known !== undefined && known !== folder) return false;
      spelling.set(small(folder), folder);
    }
  }
  return true;
}

const areHashed = (value, name) =>
  areObjects(value) && value.every((each) => isText(each.get(name)) && isHash(each.get("sha256")));

const FORMS = {
  inputs: Array.isArray,
  final_extract: Array.isArray,
  configuration: (value) => areHashed(value, "path"),
  rules: (value) => areHashed(value, "path"),
  code: (value) => areHashed([value], "version"),
  lock_sha256: isHash,
};

function* fieldProblems(manifest) {
  if (!isHash(manifest.get("data_root"))) yield "manifest-field";
  const previous = manifest.get("previous_root");
  if (previous !== null && !isHash(previous)) yield "manifest-field";
  for (const [key, isFormed] of Object.entries(FORMS)) {
    if (manifest.has(key) && !isFormed(manifest.get(key))) yield "manifest-field";
  }
}

const isSigner = (signer) => hasExactly(signer, ["id", "name", "public_key"]) && [...signer.values()].every(isText);

function* signerProblems(manifest) {
  const signers = manifest.has("signers") ? manifest.get("signers") : [];
  if (!Array.isArray(signers) || !signers.every(isSigner) || signers.length > MOST.signers) {
    yield "signers";
    return;
  }
  const [ids, keys] = ["id", "public_key"].map((name) => signers.map((signer) => signer.get(name)));
  if (!ids.every((id) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(id))) yield "signers";
  if (!keys.every((key) => isHash(key) && isSoundPoint(fromHex(key)))) yield "signers";
  if (new Set(ids).size < ids.length || new Set(keys).size < keys.length) yield "signers";
}

/** All that is wrong with what a manifest says (§6.5), each code once. */
function manifestProblems(manifest) {
  const judges = [identityProblems, instantProblems, correctionProblems, fileProblems, fieldProblems, signerProblems];
  return new Set(judges.flatMap((judge) => [...judge(manifest)]));
}

/** Whether `configuration`, where it stands, names the files of config/ as `files` does, each once. */
function isConfigurationListed(manifest) {
  if (!manifest.has("configuration")) return true;
  const named = (entries) => entries.map((each) => `${each.get("path")}\0${each.get("sha256")}`);
  const listed = manifest.get("files").filter((entry) => entry.get("path").startsWith("config/"));
  const [one, two] = [named(manifest.get("configuration")), named(listed)].map((each) => each.sort(compareText));
  return one.length === two.length && one.every((pair, i) => pair === two[i]);
}
