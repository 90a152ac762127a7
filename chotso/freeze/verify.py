"""Check a sealed release: `python3 -I verify.py [BUNDLE] [--anchor HEX] [--json]`.

Needs Python 3.9 or newer and nothing else: no network, no database, no other file of the
project. Every rule is spelled out in SPEC.md; what each finding means stands in
docs/verification.md. Exit status: 0 verified, 1 failed or unanchored, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import stat
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

FORMAT = "chotso-bundle/1"
CERTIFICATION = "chotso-certification/1"
SIGNERS_NEEDED = 2
REQUIRED = ("SPEC.md", "data/arrears_ratio.csv", "data/attainment.csv", "verify.py")
REQUIRED_OF_A_CORRIGENDUM = ("data/changes.csv", "data/late_changes.csv")
ENTRY_KEYS = {"path", "bytes", "rows", "sha256", "merkle_root"}
SIGNER_KEYS = {"id", "name", "public_key"}
CORRECTION_KEYS = {"author", "corrected_root", "reason"}
CERTIFICATION_KEYS = {
    "format", "release_id", "root_sha256", "signer_id", "certified_at", "signature"
}  # fmt: skip
LARGEST_CERTIFICATION = 1 << 16
LARGEST_INTEGER = 2**53 - 1  # what every language reads from JSON without loss
DEEPEST = 64  # lists and objects within one another
HEX = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")
INSTANT = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{6}Z")
PERIOD = re.compile(r"(?!rehearsal(-|$))(?!.*-c[0-9]+$)[a-z0-9][a-z0-9-]*")
SIGNER = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
BESIDE = re.compile(r"signature\.pdf|certifications/[A-Za-z0-9_][A-Za-z0-9_.-]*\.json")
PREFIX_DIGITS = 16  # of a leaf hash, in a row index


@dataclass(frozen=True)
class Finding:
    """One reason why a release is not what was sealed; `row` counts lines, the header being 1."""

    code: str
    path: str
    message: str
    row: int | None = None


@dataclass
class Result:
    """What a check found; `status` is verified, unanchored or failed."""

    path: str
    anchor: str | None
    release_id: str | None = None
    root: str | None = None
    data_root: str | None = None
    certified_by: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """`verified` needs an anchor that agrees; without one nothing is proven."""
        if self.findings:
            return "failed"
        return "verified" if self.anchor else "unanchored"

    @property
    def is_certified(self) -> bool:
        """Whether enough distinct persons signed this very root."""
        return self.status == "verified" and len(self.certified_by) >= SIGNERS_NEEDED

    def fail(self, code: str, path: str, message: str, row: int | None = None) -> None:
        """Record a finding."""
        self.findings.append(Finding(code, path, message, row))

    def as_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {"status": self.status, "is_certified": self.is_certified, **asdict(self)}


class MerkleTree:
    """The tree hash of RFC 6962 over leaves added one by one, in memory of O(log n)."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: bytes) -> bytes:
        """Add a leaf's bytes; its hash."""
        leaf_hash = node = hashlib.sha256(b"\x00" + leaf).digest()
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            node = hashlib.sha256(b"\x01" + self._peaks.pop()[1] + node).digest()
            height += 1
        self._peaks.append((height, node))
        return leaf_hash

    def root(self) -> str:
        """64 hex digits; without leaves, the sha256 of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").hexdigest()
        node = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            node = hashlib.sha256(b"\x01" + left + node).digest()
        return node.hex()


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8 in NFC, a newline at the end.

    Raises:
        ValueError: A float, an integer beyond 2^53 - 1, more than 64 lists and objects within
            one another, or anything that is not JSON.
    """
    text = json.dumps(_normalised(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


def _normalised(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, (dict, list)) and depth == DEEPEST:
        raise ValueError(f"more than {DEEPEST} lists and objects within one another")
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {_normalised(key): _normalised(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_normalised(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return value
    raise ValueError(f"{value!r:.40} cannot stand in canonical JSON")


def data_root(entries: Iterable[dict[str, Any]]) -> str:
    """The Merkle root over path, a zero byte and Merkle root of each file under data/."""
    tree = MerkleTree()
    for entry in sorted(entries, key=lambda each: str(each["path"])):
        if entry["path"].startswith("data/"):
            tree.add(entry["path"].encode() + b"\x00" + bytes.fromhex(entry["merkle_root"]))
    return tree.root()


def describe(path: str, stream: BinaryIO) -> dict[str, Any]:
    """The manifest's entry for a file: its path, bytes, rows (CSV only), sha256, Merkle root."""
    whole, tree = hashlib.sha256(), MerkleTree()
    size = records = quotes = 0
    for line in stream:
        whole.update(line)
        tree.add(line)
        size += len(line)
        quotes += line.count(b'"')
        # a line break between quotes does not end the record
        records += quotes % 2 == 0 and line.endswith(b"\n")
    return {
        "path": path,
        "bytes": size,
        "rows": max(records - 1, 0) if path.endswith(".csv") else None,
        "sha256": whole.hexdigest(),
        "merkle_root": tree.root(),
    }


def is_plain_path(path: str) -> bool:
    """Whether a path stays inside the bundle and means the same file on every system."""
    return all(SEGMENT.fullmatch(segment) for segment in path.split("/"))


def stands_beside(path: str) -> bool:
    """Whether a file belongs beside a bundle, not under its root."""
    return bool(BESIDE.fullmatch(path))


def row_index_path(path: str) -> str:
    """Where the row index of data/NAME.csv stands: rows/NAME.txt."""
    return "rows/" + path[len("data/") : -len(".csv")] + ".txt"


def row_index(stream: BinaryIO) -> Iterator[bytes]:
    """Per line of a data file, the first digits of its leaf hash: they tell which row differs."""
    for line in stream:
        yield hashlib.sha256(b"\x00" + line).hexdigest()[:PREFIX_DIGITS].encode() + b"\n"


def verify(path: str | Path, anchor: str | None = None) -> Result:
    """Check a bundle, or a folder of bundles as a chain whose newest root is the anchor."""
    folder = Path(path)
    several = folder.is_dir() and not os.path.lexists(folder / "manifest.json")
    try:
        return verify_releases(folder, anchor) if several else verify_bundle(folder, anchor)
    except OSError as error:
        result = Result(str(folder), anchor)
        result.fail("unreadable", str(error.filename), str(error.strerror))
        return result


def verify_bundle(path: str | Path, anchor: str | None = None) -> Result:
    """Check one bundle against the sha256 that its manifest must have."""
    result, manifest = _check_bundle(Path(path), anchor)
    if anchor and result.root and result.root != anchor:
        result.fail("anchor", "manifest.json", f"its sha256 is {result.root}, the anchor {anchor}")
    if manifest and manifest["previous_root"]:
        result.notes.append(f"the preceding release {manifest['previous_root']} is not present")
    return result


def _check_bundle(folder: Path, anchor: str | None) -> tuple[Result, dict[str, Any] | None]:
    result = Result(str(folder), anchor)
    if folder.is_symlink() or not folder.is_dir():
        result.fail("not-a-folder", str(folder), "there is no such folder, or it is a link")
        return result, None
    present = _walk(folder, result)
    if "manifest.json" not in present:
        result.fail("manifest-missing", "manifest.json", "the bundle has no manifest")
        return result, None
    raw = (folder / "manifest.json").read_bytes()
    result.root = hashlib.sha256(raw).hexdigest()
    manifest = _read_manifest(raw, result)
    if manifest is None:
        return result, None
    result.release_id, result.data_root = manifest["release_id"], manifest["data_root"]
    entries = {entry["path"]: entry for entry in manifest["files"]}
    for name in sorted(present - entries.keys() - {"manifest.json"}):
        if not stands_beside(name):
            result.fail("unlisted", name, "the manifest does not list this file")
        elif name != "signature.pdf":
            _check_certification(folder / name, name, manifest, result)
    damaged = {path for path in entries if not _check_file(folder, entries[path], present, result)}
    _name_rows(folder, damaged, entries.keys() & present, result)
    if data_root(manifest["files"]) != manifest["data_root"]:
        result.fail("data-root", "manifest.json", "data_root is not that of the listed files")
    return result, manifest


def _walk(folder: Path, result: Result, under: str = "") -> set[str]:
    """Relative paths of the regular files; links and devices are findings, never followed."""
    found: set[str] = set()
    for item in sorted(os.scandir(folder), key=lambda each: each.name):
        name = under + item.name
        mode = item.stat(follow_symlinks=False).st_mode
        if stat.S_ISDIR(mode):
            inside = _walk(Path(item.path), result, name + "/")
            if not inside and name != "certifications":
                result.fail("unlisted", name + "/", "the manifest lists no file in this folder")
            found |= inside
        elif stat.S_ISREG(mode):
            found.add(name)
        else:
            result.fail("odd-file", name, "neither a plain file nor a folder (a link, a device …)")
    return found


def _read_manifest(raw: bytes, result: Result) -> dict[str, Any] | None:
    def fail(code: str, message: str) -> None:
        result.fail(code, "manifest.json", message)

    try:
        manifest = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates)
        canonical = canonical_json(manifest)
    except (ValueError, RecursionError) as error:  # bad UTF-8 and bad JSON are ValueErrors
        fail("manifest-unreadable", str(error))
        return None
    if canonical != raw:
        fail("manifest-not-canonical", "the same content in canonical form has other bytes")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        fail("format", f"not of the format {FORMAT}")
        return None
    problems = [*_identity_problems(manifest), *_list_problems(manifest.get("files"))]
    problems += [("correction", problem) for problem in _correction_problems(manifest)]
    for key in ("data_root", "previous_root"):
        value = manifest.get(key, "")
        if not _is_hex(value) and not (key == "previous_root" and value is None):
            problems.append(("manifest-field", f"{key} is not 64 hex digits"))
    problems += [("signers", problem) for problem in _signer_problems(manifest.get("signers", []))]
    for code, message in problems:
        fail(code, message)
    return None if problems else manifest


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}")
    return dict(pairs)


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and bool(HEX.fullmatch(value))


def _identity_problems(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Release, period, kind and instants must fit each other."""
    texts = [manifest.get(key) for key in ("release_id", "period_id", "kind")]
    instants = [manifest.get(key) for key in ("cutoff_at", "as_known_at")]
    if not all(isinstance(text, str) for text in texts):
        yield "identity", "release_id, period_id or kind is missing"
        return
    release, period, kind = (str(text) for text in texts)
    suffix = {"original": "", "corrigendum": "-c[1-9][0-9]*", "rehearsal": "-[1-9][0-9]*"}.get(kind)
    prefix = "rehearsal-" if kind == "rehearsal" else ""
    if not PERIOD.fullmatch(period) or suffix is None:
        yield "identity", f"period {period!r} or kind {kind!r} is not well-formed"
    elif not re.fullmatch(prefix + re.escape(period) + suffix, release):
        yield "identity", f"{release!r} cannot be a release of kind {kind} of {period}"
    if type(manifest.get("corrects")) is not (str if kind == "corrigendum" else type(None)):
        yield "identity", "a corrigendum, and nothing else, names the release that it corrects"
    if kind == "rehearsal" and manifest.get("previous_root") is not None:
        yield "identity", "a rehearsal stands outside the chain and has no previous_root"
    if not all(isinstance(each, str) and INSTANT.fullmatch(each) for each in instants):
        yield "instants", "cutoff_at or as_known_at is not an instant in UTC with microseconds"
    elif kind != "rehearsal" and str(instants[1]) < str(instants[0]):
        yield "instants", "what was known is older than the cutoff"


def _correction_problems(manifest: dict[str, Any]) -> Iterator[str]:
    """A corrigendum, and nothing else, says why, by whom, under which root, and what changed."""
    said = manifest.get("correction")
    if manifest.get("kind") != "corrigendum":
        if said is not None:
            yield "only a corrigendum has a correction"
        return
    if not isinstance(said, dict) or set(said) != CORRECTION_KEYS:
        yield "correction is not reason, author and corrected_root"
    elif not all(
        isinstance(said[key], str) and said[key].strip(" ") for key in ("reason", "author")
    ):
        yield "a corrigendum needs a reason and an author"
    elif not _is_hex(said["corrected_root"]):
        yield "corrected_root is not 64 hex digits"
    files = manifest.get("files")
    if isinstance(files, list):
        listed = [entry.get("path") for entry in files if isinstance(entry, dict)]
        for path in REQUIRED_OF_A_CORRIGENDUM:
            if path not in listed:
                yield f"{path} is not listed"


def _list_problems(files: Any) -> Iterator[tuple[str, str]]:
    """The list of files: every entry whole, every path plain, sorted, once."""
    if not isinstance(files, list) or not all(isinstance(entry, dict) for entry in files):
        yield "file-list", "files is not a list of entries"
        return
    for entry in files:
        sizes = [entry.get("bytes"), 0 if entry.get("rows", "") is None else entry.get("rows")]
        whole = set(entry) == ENTRY_KEYS and isinstance(entry["path"], str)
        if not whole or not all(type(size) is int and size >= 0 for size in sizes):
            yield "file-list", f"the entry of {entry.get('path')!r} is not well-formed"
        elif not (_is_hex(entry["sha256"]) and _is_hex(entry["merkle_root"])):
            yield "file-list", f"a hash of {entry['path']!r} is not 64 hex digits"
    paths = [entry["path"] for entry in files if isinstance(entry.get("path"), str)]
    for path in paths:
        beside = path == "manifest.json" or stands_beside(path)
        if not is_plain_path(path) or beside:
            yield "path", f"{path!r} may not be listed"
    if paths != sorted(paths):
        yield "file-list", "the files are not in order of their paths"
    if len({path.lower() for path in paths}) < len(paths):
        yield "file-list", "two entries have the same path but for case"
    for path in sorted(set(REQUIRED) - set(paths)):
        yield "incomplete", f"{path} is not listed"


def _signer_problems(signers: Any) -> Iterator[str]:
    """Who may certify: distinct persons with distinct keys."""
    if not isinstance(signers, list) or not all(
        isinstance(each, dict)
        and set(each) == SIGNER_KEYS
        and all(isinstance(value, str) for value in each.values())
        for each in signers
    ):
        yield "signers is not a list of ids, names and public keys"
        return
    for each in signers:
        if not SIGNER.fullmatch(each["id"]):
            yield f"{each['id']!r} cannot be a signer's id"
        if not _is_hex(each["public_key"]) or not is_public_key(bytes.fromhex(each["public_key"])):
            yield f"the public key of {each['id']!r} is no Ed25519 key"
    for key in ("id", "public_key"):
        if len({each[key] for each in signers}) < len(signers):
            yield f"two signers have the same {key}"


def _check_certification(path: Path, name: str, manifest: dict[str, Any], result: Result) -> None:
    """One person's signature under this root; the file bears the signer's id."""
    try:
        problem = _certification_problem(path, manifest, result)
    except (ValueError, RecursionError) as error:
        problem = str(error)
    if problem:
        result.fail("certification", name, problem)


def _certification_problem(path: Path, manifest: dict[str, Any], result: Result) -> str | None:
    if path.stat().st_size > LARGEST_CERTIFICATION:
        return "too large for a certification"
    if manifest["kind"] == "rehearsal":
        return "a rehearsal cannot be certified"
    raw = path.read_bytes()
    found = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_duplicates)
    if not isinstance(found, dict) or set(found) != CERTIFICATION_KEYS:
        return "not the fields of a certification"
    if not all(isinstance(value, str) for value in found.values()) or canonical_json(found) != raw:
        return "not in canonical form"
    if found["format"] != CERTIFICATION:
        return f"not of the format {CERTIFICATION}"
    keys = {each["id"]: each["public_key"] for each in manifest.get("signers", [])}
    if found["signer_id"] not in keys or path.name != found["signer_id"] + ".json":
        return "the signer is not one of this release's, or the file bears another id"
    if (found["release_id"], found["root_sha256"]) != (manifest["release_id"], result.root):
        return f"certifies {found['release_id']} with the root {found['root_sha256']}"
    if not INSTANT.fullmatch(found["certified_at"]) or not SIGNATURE.fullmatch(found["signature"]):
        return "certified_at or signature is not well-formed"
    key, signature = bytes.fromhex(keys[found["signer_id"]]), bytes.fromhex(found["signature"])
    if not is_signed(key, certified_message(found), signature):
        return "the signature is not that of the signer's key"
    result.certified_by.append(found["signer_id"])
    return None


def certified_message(certification: dict[str, Any]) -> bytes:
    """The bytes that a certification's signature is over."""
    names = ("format", "release_id", "root_sha256", "signer_id", "certified_at")
    return "".join(certification[name] + "\n" for name in names).encode("utf-8")


# Ed25519 after RFC 8032, written out, since Python's standard library has none. Points are
# (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def is_public_key(key: bytes) -> bool:
    """Whether 32 bytes are the one encoding of a point that is not of small order."""
    point = _decoded(key)
    return point is not None and _times(8, point)[0] % _P != 0


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether 64 bytes are the key's Ed25519 signature (RFC 8032 §5.1.7, without cofactor)."""
    point = _decoded(key)
    if point is None or len(signature) != 64:
        return False
    first, second = signature[:32], int.from_bytes(signature[32:], "little")
    if second >= _ORDER:
        return False
    digest = hashlib.sha512(first + key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    minus = (_P - point[0], point[1], point[2], _P - point[3])
    return _encoded(_plus(_times(second, _BASE), _times(challenge, minus))) == first


def _decoded(encoding: bytes) -> _Point | None:
    """The point of 32 bytes; None where there is none or they are not its one encoding."""
    number = int.from_bytes(encoding, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoding) != 32 or y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT_OF_MINUS_1 % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return (x, y, 1, x * y % _P)


def _encoded(point: _Point) -> bytes:
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _plus(one: _Point, two: _Point) -> _Point:
    a = (one[1] - one[0]) * (two[1] - two[0])
    b = (one[1] + one[0]) * (two[1] + two[0])
    c = 2 * one[3] * two[3] * _D
    d = 2 * one[2] * two[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(factor: int, point: _Point) -> _Point:
    found: _Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            found = _plus(found, point)
        point, factor = _plus(point, point), factor >> 1
    return found


_BASE: _Point = _decoded(bytes.fromhex("58" + "66" * 31)) or (0, 1, 1, 0)


def _check_file(folder: Path, entry: dict[str, Any], present: set[str], result: Result) -> bool:
    path = entry["path"]
    if path not in present:
        result.fail("missing", path, "listed, and not there")
        return False
    with open(folder / path, "rb") as stream:
        found = describe(path, stream)
    wrong = [key for key in ("bytes", "sha256", "rows", "merkle_root") if found[key] != entry[key]]
    for key in wrong:
        result.fail(key.replace("_", "-"), path, f"{found[key]}, the manifest says {entry[key]}")
    return not wrong


def _name_rows(folder: Path, damaged: set[str], usable: set[str], result: Result) -> None:
    """Of a data file and its row index, the sound one tells where the other differs."""
    for path in sorted(usable):
        index = row_index_path(path)
        if not (path.startswith("data/") and path.endswith(".csv") and index in usable):
            continue
        if (path in damaged) == (index in damaged):
            continue
        with open(folder / path, "rb") as data, open(folder / index, "rb") as recorded:
            pairs = zip_longest(row_index(data), recorded)
            row = next((n for n, (one, two) in enumerate(pairs, 1) if one != two), None)
        if row:
            bad = path if path in damaged else index
            result.fail("row", bad, f"row {row} is the first that differs", row)


def verify_releases(path: str | Path, anchor: str | None = None) -> Result:
    """Check every bundle of a releases folder, and that they are one chain without a gap."""
    folder = Path(path)
    result = Result(str(folder), anchor)
    bundles: dict[str, dict[str, Any]] = {}
    certified_by: dict[str, list[str]] = {}
    for item in sorted(os.scandir(folder), key=lambda each: each.name):
        if item.name.startswith(".") or item.name == "rehearsal":
            result.notes.append(f"{item.name} is outside the chain and was not checked")
            continue
        one, manifest = _check_bundle(Path(item.path), None)
        result.findings += [
            Finding(each.code, f"{item.name}/{each.path}", each.message, each.row)
            for each in one.findings
        ]
        result.notes += [f"{item.name}: {note}" for note in one.notes]
        if manifest and one.root:
            bundles[one.root], certified_by[one.root] = manifest, one.certified_by
            if item.name != manifest["release_id"]:
                result.fail("folder-name", item.name, f"holds release {manifest['release_id']}")
    newest = _check_chain(bundles, result)
    if newest:
        result.root, result.release_id = newest, bundles[newest]["release_id"]
        result.data_root = bundles[newest]["data_root"]
        result.certified_by = certified_by[newest]
        if anchor and newest != anchor:
            result.fail("anchor", "", f"the newest root is {newest}, the anchor {anchor}")
    return result


def _check_chain(bundles: dict[str, dict[str, Any]], result: Result) -> str | None:
    """The newest root, where the bundles are one chain."""
    after: dict[str | None, list[str]] = {}
    for root, manifest in bundles.items():
        after.setdefault(manifest["previous_root"], []).append(root)
        if manifest["kind"] == "rehearsal":
            result.fail("chain-rehearsal", manifest["release_id"], "a rehearsal is no release")
    if not after.get(None):
        result.fail("chain-start", "", "no release is the first of the chain")
    for previous, roots in after.items():
        names = ", ".join(sorted(str(bundles[root]["release_id"]) for root in roots))
        if len(roots) > 1:
            result.fail("chain-fork", names, f"all follow {previous or 'nothing'}")
        if previous and previous not in bundles:
            result.fail("chain-gap", names, f"the preceding release {previous} is missing")
    newest, of_period = None, dict[str, list[str]]()
    while len(following := after.get(newest, [])) == 1:
        newest = following[0]
        manifest = bundles[newest]
        earlier = of_period.setdefault(manifest["period_id"], [])
        due = manifest["period_id"] + (f"-c{len(earlier)}" if earlier else "")
        before = (bundles[earlier[-1]]["release_id"], earlier[-1]) if earlier else (None, None)
        corrects = (manifest.get("corrects"), _corrected_root(manifest))
        is_in_order = (manifest["release_id"], *corrects) == (due, *before)
        if manifest["kind"] != "rehearsal" and not is_in_order:
            after_which = f", correcting {before[0]} with the root {before[1]}" if earlier else ""
            result.fail("chain-order", manifest["release_id"], f"{due} was due here{after_which}")
        earlier.append(newest)
    return newest


def _corrected_root(manifest: dict[str, Any]) -> Any:
    return (manifest.get("correction") or {}).get("corrected_root")


def read_anchor(text: str) -> str:
    """A root as people type it off a page: blanks and capitals do not matter.

    Raises:
        ValueError: It is not 64 hex digits.
    """
    digits = "".join(text.split()).lower()
    if not HEX.fullmatch(digits):
        raise ValueError("an anchor is 64 hex digits")
    return digits


def _anchor(text: str) -> str:
    try:
        return read_anchor(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Check a sealed release, or a folder of them.")
    parser.add_argument("bundle", nargs="?", default=str(Path(__file__).resolve().parent))
    parser.add_argument("--anchor", type=_anchor, help="the root, from a source you trust")
    parser.add_argument("--json", action="store_true", help="print a machine-readable result")
    options = parser.parse_args(arguments)
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    result = verify(options.bundle, options.anchor)
    if options.json:
        print(json.dumps(result.as_json(), ensure_ascii=False, sort_keys=True))
    else:
        words = {"verified": "đúng bản đã niêm phong", "failed": "KHÔNG khớp",
                 "unanchored": "chưa đối chiếu với mã gốc"}  # fmt: skip
        print(f"{result.status} ({words[result.status]}): {result.release_id or result.path}")
        print(f"root {result.root}\ndata root {result.data_root}")
        if result.certified_by:
            whole = "" if result.is_certified else f", of the {SIGNERS_NEEDED} that it takes"
            print(f"certified by {', '.join(result.certified_by)}{whole}")
        for finding in result.findings:
            print(f"FINDING {finding.code}: {finding.path}: {finding.message}")
        for note in result.notes:
            print(f"note: {note}")
        if result.status == "unanchored":
            print("next: run again with --anchor and the root from the signed page")
    return 0 if result.status == "verified" else 1


if __name__ == "__main__":
    sys.exit(main())
