// --- SPEC.md §7: checking a folder of releases, and what a verifier says of either (§10, §11).

class Chain {
  constructor(folder, watch) {
    this.folder = folder;
    this.watch = watch;
    this.findings = [];
    this.aside = [];
    this.superseded = {};
    this.releases = new Map(); // by root
    this.newest = null;
  }

  fail(code, path) {
    this.findings.push({ code, path, row: null });
  }

  async check() {
    const { children, error } = this.folder;
    if (error) return this.fail("unreadable", "");
    if (children.length > MOST.releases) return this.fail("bounds", "");
    for (const child of [...children].sort((one, two) => compareText(one.name, two.name))) {
      if (child.name.startsWith(".") || child.name === "rehearsal") this.aside.push(child.name);
      else await this.checkOne(child);
    }
    this.judge();
    return this.follow();
  }

  async checkOne(child) {
    const release = new Release(child, this.watch);
    await release.check();
    for (const { code, path, row } of release.findings) {
      this.findings.push({ code, path: `${child.name}/${path}`, row });
    }
    if (!release.release_id) return;
    if (release.release_id !== child.name) this.fail("folder-name", child.name);
    this.releases.set(release.root, release);
  }

  /** §7, 2 and 3. */
  judge() {
    this.after = new Map();
    for (const release of this.releases.values()) {
      if (release.manifest.get("kind") === "rehearsal") this.fail("chain-rehearsal", release.release_id);
      const previous = release.manifest.get("previous_root");
      this.after.set(previous, [...(this.after.get(previous) ?? []), release]);
    }
    if (!this.after.has(null)) this.fail("chain-start", "");
    for (const [previous, following] of this.after) {
      const names = following.map((release) => release.release_id).sort(compareText).join(", ");
      if (following.length > 1) this.fail("chain-fork", names);
      if (previous !== null && !this.releases.has(previous)) this.fail("chain-gap", names);
    }
  }

  /** §7, 4 and 5. */
  follow() {
    const ofPeriod = new Map();
    for (let next = this.after.get(null); next?.length === 1; next = this.after.get(this.newest.root)) {
      [this.newest] = next;
      const { manifest, release_id: id } = this.newest;
      const earlier = ofPeriod.get(manifest.get("period_id")) ?? [];
      if (manifest.get("kind") !== "rehearsal" && !isDue(this.newest, earlier)) this.fail("chain-order", id);
      if (earlier.length) this.superseded[earlier.at(-1).release_id] = id;
      ofPeriod.set(manifest.get("period_id"), [...earlier, this.newest]);
    }
  }
}

/** Whether a release is what comes after the earlier ones of its period. */
function isDue({ manifest, release_id: id }, earlier) {
  const [corrects, correction] = [manifest.get("corrects"), manifest.get("correction")];
  const before = earlier.at(-1);
  if (!before) return manifest.get("kind") === "original" && isAbsent(corrects) && isAbsent(correction);
  return id === `${manifest.get("period_id")}-c${earlier.length}`
    && corrects === before.release_id && correction?.get("corrected_root") === before.root;
}

const UNWATCHED = () => () => {};

/**
 * Check a release's folder, or a folder of releases (§6, §7).
 *
 * @param watch Given a release, a path and a size, what is shown every piece of that file and where it stands.
 * @returns The answer of §10, and the releases that were checked.
 */
async function verify(folder, anchor = null, watch = UNWATCHED) {
  const isSeveral = folder.kind === "folder" && !folder.error
    && !folder.children.some((child) => child.name === MANIFEST || child.name === "SPEC.md");
  const checked = isSeveral ? new Chain(folder, watch) : new Release(folder, watch);
  await checked.check();
  const release = isSeveral ? checked.newest : checked;
  const root = release?.root ?? null;
  if (anchor !== null && root !== null && root !== anchor) checked.fail("anchor", isSeveral ? "" : MANIFEST);
  const status = checked.findings.length ? "failed" : anchor === null ? "unanchored" : "verified";
  const certified = release?.certified_by ?? [];
  return {
    answer: {
      status,
      release_id: release?.release_id ?? null,
      root,
      data_root: release?.data_root ?? null,
      certified_by: certified,
      is_certified: status === "verified" && certified.length >= SIGNERS_NEEDED,
      findings: checked.findings,
      notes: [],
      is_chain: isSeveral,
      superseded: checked.superseded ?? {},
      aside: checked.aside ?? [],
    },
    releases: isSeveral ? [...checked.releases.values()] : checked.manifest ? [checked] : [],
  };
}

const BLANKS =
  /[\x09-\x0d \x85\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff]/g;

/** An anchor as people type or paste it (§11); null where it is none. */
function readAnchor(text) {
  const digits = small(text.replace(BLANKS, ""));
  return isHash(digits) ? digits : null;
}

// Controls, marks that turn the direction of writing, and characters that cannot be seen (§10).
const UNSEEN = new RegExp(
  "[\\x00-\\x1f\\x7f-\\xa0\\xad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f"
    + "\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ud800-\\udfff\\ufe00-\\ufe0f\\ufeff\\uffa0"
    + "\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]",
  "gu",
);

/** A text with what cannot be seen, or moves what can, spelled out. */
function visible(text) {
  return String(text).replace(UNSEEN, (found) =>
    `<U+${found.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}>`);
}

/** What this browser computes wrongly or not at all, before anything is believed; null where it is sound. */
async function selfTest() {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 7) % 251);
  const pieces = new Sha256().update(bytes, 0, 7).update(bytes, 7, 100).update(bytes, 100);
  if (toHex(pieces.digest()) !== toHex(await sha256(bytes))) return "SHA-256";
  if (toHex(new Sha256().update(toUtf8("abc")).digest()) !== ABC_256) return "SHA-256";
  if (toHex(sha512Here(bytes)) !== toHex(await sha512(bytes))) return "SHA-512";
  if (!(await isSignature(...SIGNED_ONCE.map(fromHex)))) return "Ed25519";
  // marks that came with Unicode 14.0: an older browser does not put them in order
  if ("b\u0301\u1dfa".normalize("NFC") !== "b\u1dfa\u0301") return "Unicode 14.0";
  if (subtle && !(await agreesOnEd25519())) return "Ed25519";
  return null;
}

const ABC_256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
// RFC 8032 §7.1, the second vector: key, message, signature.
const SIGNED_ONCE = [
  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  "72",
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
];

/** Whether the browser's Ed25519, where it has one, takes the same signature. */
async function agreesOnEd25519() {
  const [key, message, signature] = SIGNED_ONCE.map(fromHex);
  let imported;
  try {
    imported = await subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  } catch {
    return true; // it has none
  }
  return subtle.verify("Ed25519", imported, signature, message);
}
