"""Check a sealed release: `python3 -I verify.py [BUNDLE] [--anchor HEX] [--json]`.

Needs Python 3.11 or newer and nothing else: no network, no database, no other file of the
project. Every rule is spelled out in SPEC.md; what each finding means stands in
docs/verification.md. Exit status: 0 verified, 1 failed or unanchored, 2 wrong usage.
"""

import sys

# Without -I, Python would take json.py and the like from the folder that is to be checked: so
# nothing but `sys`, which is part of the interpreter, is imported before this.
if __name__ == "__main__" and not sys.flags.isolated:
    sys.stderr.write(
        "Chưa kiểm tra gì: hãy chạy lại với -I (python3 -I verify.py …; Windows: py -I verify.py …)"
        ".\nNothing was checked: run it again with -I, for without it a file planted in the folder "
        "could take the place of this check.\n"
    )
    sys.exit(2)

import hashlib
import json
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache, partial
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
# Bounds, SPEC.md §12: whatever lies in a folder, the check ends.
LARGEST_MANIFEST = 1 << 25  # bytes
LARGEST_CERTIFICATION = 1 << 16  # bytes
LARGEST_STRING = 1 << 16  # bytes of UTF-8
LARGEST_INTEGER = 2**53 - 1  # what every language reads from JSON without loss
DEEPEST = 64  # lists and objects within one another
DEEPEST_PATH = 16  # segments
MOST_ENTRIES = 100_000  # below a release
MOST_RELEASES = 10_000  # entries of a releases folder
MOST_SIGNERS = 256
LONGEST_LINE = 1 << 20  # in which a row is looked for
LONGEST_SEGMENT, LONGEST_PATH = 100, 200
_BLOCK = 1 << 20

HEX = re.compile(r"[0-9a-f]{64}")
SIGNATURE = re.compile(r"[0-9a-f]{128}")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{6}Z")
PERIOD = re.compile(r"(?!rehearsal(-|$))(?!.*-c[0-9]+$)[a-z0-9][a-z0-9-]*")
SIGNER = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SEGMENT = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?")
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")  # what Windows opens instead
BESIDE = re.compile(r"signature\.pdf|certifications/[A-Za-z0-9_][A-Za-z0-9_.-]*\.json")
PREFIX_DIGITS = 16  # of a leaf hash, in a row index
_SMALL_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
# Blanks that printers and clipboards put between digits (SPEC.md §11).
_BLANKS = re.compile(
    r"[\x09-\x0d \x85\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff]"
)
# Controls, marks that turn the direction of writing, and characters that cannot be seen.
UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


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
    period_id: str | None = None
    cutoff_at: str | None = None
    superseded: dict[str, str] | None = None
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

    def add(self, leaf: bytes) -> None:
        """Add a leaf by its bytes."""
        self.add_hash(hashlib.sha256(b"\x00" + leaf).digest())

    def add_hash(self, node: bytes) -> None:
        """Add a leaf by its hash."""
        height = 0
        while self._peaks and self._peaks[-1][0] == height:
            node = hashlib.sha256(b"\x01" + self._peaks.pop()[1] + node).digest()
            height += 1
        self._peaks.append((height, node))

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
            one another, a text of more than 65,536 bytes or with characters that Unicode 14.0
            does not know, or anything that is not JSON.
    """
    normalised = _normalised(value)
    _is_normalised(normalised)
    return _spelled(normalised)


def _spelled(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


def _normalised(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {_normalised(key): _normalised(item) for key, item in value.items()}
    return [_normalised(item) for item in value] if isinstance(value, list) else value


def read_json(raw: bytes) -> tuple[Any, bool]:
    """What the bytes say, and whether they are its canonical form.

    Raises:
        ValueError: They are unreadable (SPEC.md §2).
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_int=_whole,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise ValueError(f"more than {DEEPEST} lists and objects within one another") from None
    is_normalised = _is_normalised(value)
    return value, is_normalised and _spelled(value) == raw


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for key, _ in pairs:
            if found.pop(key, pairs) is pairs:
                raise ValueError(f"duplicate key {key!r:.80}")
    return found


def _whole(digits: str) -> int:
    return int(digits) if len(digits) < 20 else _no_number(digits)


def _no_number(text: str) -> int:
    raise ValueError(f"{text!r:.40} is no whole number that every language reads")


def _is_normalised(value: Any, depth: int = 0) -> bool:
    """Whether every text is in NFC.

    Raises:
        ValueError: What cannot stand in canonical JSON.
    """
    if isinstance(value, str):
        return _is_text_normalised(value)
    if isinstance(value, (dict, list)):
        if depth == DEEPEST:
            raise ValueError(f"more than {DEEPEST} lists and objects within one another")
        if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
            raise ValueError("a key that is no text cannot stand in canonical JSON")
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        return all([_is_normalised(each, depth + 1) for each in inside])
    if value is None or isinstance(value, bool):
        return True
    if not isinstance(value, int) or abs(value) > LARGEST_INTEGER:
        raise ValueError(f"{value!r:.40} cannot stand in canonical JSON")
    return True


def _is_text_normalised(text: str) -> bool:
    if len(text.encode("utf-8")) > LARGEST_STRING:  # an unpaired surrogate is a ValueError here
        raise ValueError(f"a text of more than {LARGEST_STRING} bytes")
    if text.isascii():
        return True
    if unknown := unassigned().search(text):
        raise ValueError(f"U+{ord(unknown[0]):04X} is no character of Unicode 14.0")
    return unicodedata.is_normalized("NFC", text)


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
    leaf = None  # of a line that is longer than a block
    for piece in iter(partial(stream.readline, _BLOCK), b""):
        whole.update(piece)
        size += len(piece)
        quotes += piece.count(b'"')
        ends = piece.endswith(b"\n")
        # a line break between quotes does not end the record
        records += ends and quotes % 2 == 0
        if ends and leaf is None:
            tree.add(piece)
            continue
        leaf = leaf or hashlib.sha256(b"\x00")
        leaf.update(piece)
        if ends:
            tree.add_hash(leaf.digest())
            leaf = None
    if leaf:
        tree.add_hash(leaf.digest())
    return {
        "path": path,
        "bytes": size,
        "rows": max(records - 1, 0) if path.endswith(".csv") else None,
        "sha256": whole.hexdigest(),
        "merkle_root": tree.root(),
    }


def is_plain_path(path: str) -> bool:
    """Whether a path stays inside the bundle and means the same file on every system."""
    segments = path.split("/")
    return (
        len(path) <= LONGEST_PATH
        and len(segments) <= DEEPEST_PATH
        and all(
            len(each) <= LONGEST_SEGMENT
            and SEGMENT.fullmatch(each)
            and not DEVICE.fullmatch(small(each))
            for each in segments
        )
    )


def small(text: str) -> str:
    """A–Z as a–z, and nothing else changed."""
    return text.translate(_SMALL_LETTERS)


def visible(text: object) -> str:
    """A text with all that cannot be seen, or moves what can, spelled out: a name is no command."""
    return UNSEEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", str(text))


@cache
def unassigned() -> re.Pattern[str]:
    """Matches a character that Unicode 14.0 does not know (SPEC.md §13).

    What newer versions make of it, and hence the normal form of a text with it, differs from
    one runtime to the next.
    """
    ends = [each.split("-") for each in ASSIGNED.split()]
    ranges = "".join(f"\\U{int(each[0], 16):08x}-\\U{int(each[-1], 16):08x}" for each in ends)
    return re.compile(f"[^{ranges}]")


def stands_beside(path: str) -> bool:
    """Whether a file belongs beside a bundle, not under its root."""
    return bool(BESIDE.fullmatch(path))


def row_index_path(path: str) -> str:
    """Where the row index of data/NAME.csv stands: rows/NAME.txt."""
    return "rows/" + path[len("data/") : -len(".csv")] + ".txt"


def row_index(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Per line of a data file, the first digits of its leaf hash: they tell which row differs."""
    for line in stream:
        yield hashlib.sha256(b"\x00" + line).hexdigest()[:PREFIX_DIGITS].encode() + b"\n"


def verify(path: str | Path, anchor: str | None = None) -> Result:
    """Check a bundle, or a folder of bundles as a chain whose newest root is the anchor."""
    folder = Path(path)  # which takes "/" and "/." away from the end
    own = (folder / name for name in ("manifest.json", "SPEC.md"))
    several = _is_folder(folder) and not any(os.path.lexists(each) for each in own)
    return verify_releases(folder, anchor) if several else verify_bundle(folder, anchor)


def verify_bundle(path: str | Path, anchor: str | None = None) -> Result:
    """Check one bundle against the sha256 that its manifest must have."""
    result, manifest = _check_bundle(Path(path), anchor)
    if anchor and result.root and result.root != anchor:
        result.fail("anchor", "manifest.json", f"its sha256 is {result.root}, the anchor {anchor}")
    if manifest and manifest["previous_root"]:
        result.notes.append(f"the preceding release {manifest['previous_root']} is not present")
    return result


def _check_bundle(folder: Path, anchor: str | None) -> tuple[Result, dict[str, Any] | None]:
    result = Result(os.path.abspath(folder), anchor)
    if not _is_folder(folder):
        result.fail("not-a-folder", "", "there is no such folder, or it is a link")
        return result, None
    try:
        present = _Walk(result).below(folder)
    except _BoundsError as error:
        result.findings = [Finding("bounds", "", str(error))]
        return result, None
    manifest = _manifest_of(folder, present, result)
    if manifest is None:
        return result, None
    result.release_id, result.data_root = manifest["release_id"], manifest["data_root"]
    result.period_id, result.cutoff_at = manifest["period_id"], manifest["cutoff_at"]
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
    if not _is_configuration_listed(manifest):
        result.fail("configuration", "manifest.json", "not the hashes of the files in config/")
    return result, manifest


class _BoundsError(Exception):
    """More lies there than a release may hold."""


class _Walk:
    """Finds what lies below a folder: plain files; all else is a finding, and never followed."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._files: set[str] = set()
        self._count = 0

    def below(self, folder: Path) -> set[str]:
        """Relative paths of the plain files.

        Raises:
            _BoundsError: There are too many entries, or too many folders within one another.
        """
        self._holds_a_file(str(folder), "", 1)
        return self._files

    def _holds_a_file(self, folder: str, under: str, depth: int) -> bool:
        holds = False
        try:
            with os.scandir(folder) as items:
                for item in items:
                    self._count += 1
                    if self._count > MOST_ENTRIES or depth > DEEPEST_PATH:
                        raise _BoundsError(
                            f"more than {MOST_ENTRIES} entries, or {DEEPEST_PATH} within another"
                        )
                    holds |= self._is_or_holds_a_file(item, under + shown_name(item.name), depth)
        except OSError as error:
            self._result.fail("unreadable", under, str(error.strerror))
            return True
        return holds

    def _is_or_holds_a_file(self, item: "os.DirEntry[str]", name: str, depth: int) -> bool:
        kind = _kind(os.lstat(item.path)) if is_utf8(item.name) else None
        if kind == "file":
            self._files.add(name)
        elif kind == "folder":
            holds = self._holds_a_file(item.path, name + "/", depth + 1)
            if not holds and name != "certifications":
                self._result.fail("unlisted", name + "/", "no file is listed in this folder")
            return holds
        else:
            self._result.fail("odd-file", name, "neither a plain file nor a folder (a link …)")
        return kind == "file"


def is_utf8(name: str) -> bool:
    """Whether a name in a folder is text; the system gives other bytes as surrogates."""
    return not any("\ud800" <= each <= "\udfff" for each in name)


def shown_name(name: str) -> str:
    r"""A name in a folder; of one that is not UTF-8, bytes that are no printable ASCII as \xhh."""
    if is_utf8(name):
        return name
    return "".join(chr(b) if 32 <= b < 127 else f"\\x{b:02x}" for b in os.fsencode(name))


def _kind(status: os.stat_result) -> str | None:
    if getattr(status, "st_reparse_tag", 0) == 0xA0000003:  # a junction: Windows' other link
        return None
    if stat.S_ISDIR(status.st_mode):
        return "folder"
    return "file" if stat.S_ISREG(status.st_mode) else None


def _is_folder(path: Path) -> bool:
    try:
        return _kind(os.lstat(path)) == "folder"
    except (OSError, ValueError):
        return False


def _open(path: Path) -> BinaryIO:
    """A plain file, opened for reading, even if it was exchanged since it was found.

    Raises:
        OSError: It cannot be opened, or is no plain file any more.
    """
    flags = ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK")
    descriptor = os.open(path, os.O_RDONLY | sum(getattr(os, each, 0) for each in flags))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "no plain file any more")
    return os.fdopen(descriptor, "rb")


def _manifest_of(folder: Path, present: set[str], result: Result) -> dict[str, Any] | None:
    name = "manifest.json"
    if name not in present:
        result.fail("manifest-missing", name, "the bundle has no manifest")
        return None
    try:
        with _open(folder / name) as stream:
            raw = stream.read(LARGEST_MANIFEST + 1)
    except OSError as error:
        result.fail("unreadable", name, str(error.strerror))
        return None
    if len(raw) > LARGEST_MANIFEST:
        result.fail("bounds", name, f"more than {LARGEST_MANIFEST} bytes")
        return None
    result.root = hashlib.sha256(raw).hexdigest()
    return _read_manifest(raw, result)


def _read_manifest(raw: bytes, result: Result) -> dict[str, Any] | None:
    def fail(code: str, message: str) -> None:
        result.fail(code, "manifest.json", message)

    try:
        manifest, is_canonical = read_json(raw)
    except ValueError as error:  # bad UTF-8 and bad JSON are ValueErrors
        fail("manifest-unreadable", f"{error!s:.200}")
        return None
    if not is_canonical:
        fail("manifest-not-canonical", "the same content in canonical form has other bytes")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        fail("format", f"not of the format {FORMAT}")
        return None
    problems = [*_identity_problems(manifest), *_instant_problems(manifest)]
    problems += [*_list_problems(manifest.get("files")), *_field_problems(manifest)]
    problems += [("correction", problem) for problem in _correction_problems(manifest)]
    problems += [("signers", problem) for problem in _signer_problems(manifest.get("signers", []))]
    for code, message in problems:
        fail(code, message)
    return None if problems else manifest


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and bool(HEX.fullmatch(value))


def _identity_problems(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Release, period and kind must fit each other."""
    texts = [manifest.get(key) for key in ("release_id", "period_id", "kind")]
    if not all(isinstance(text, str) for text in texts):
        yield "identity", "release_id, period_id or kind is missing"
        return
    release, period, kind = (str(text) for text in texts)
    suffix = {"original": "", "corrigendum": "-c[1-9][0-9]*", "rehearsal": "-[1-9][0-9]*"}.get(kind)
    prefix = "rehearsal-" if kind == "rehearsal" else ""
    if len(release) > LONGEST_SEGMENT or not PERIOD.fullmatch(period) or suffix is None:
        yield "identity", f"period {period!r:.120} or kind {kind!r:.120} is not well-formed"
    elif not re.fullmatch(prefix + re.escape(period) + suffix, release):
        yield "identity", f"{release!r:.120} cannot be a release of kind {kind} of {period}"
    if type(manifest.get("corrects")) is not (str if kind == "corrigendum" else type(None)):
        yield "identity", "a corrigendum, and nothing else, names the release that it corrects"
    if kind == "rehearsal" and manifest.get("previous_root") is not None:
        yield "identity", "a rehearsal stands outside the chain and has no previous_root"


def _instant_problems(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The days and times that the manifest names must exist, and be in order."""
    instants = [manifest.get(key) for key in ("cutoff_at", "as_known_at")]
    if not all(is_instant(each) for each in instants):
        yield "instants", "cutoff_at or as_known_at is not an instant in UTC with microseconds"
    elif manifest.get("kind") != "rehearsal" and str(instants[1]) < str(instants[0]):
        yield "instants", "what was known is older than the cutoff"
    if "business_date" in manifest and not _is_date(manifest["business_date"]):
        yield "instants", "business_date is no date"


def is_instant(value: Any) -> bool:
    """Whether a value is an instant that there was or will be, as the manifest writes it."""
    return isinstance(value, str) and bool(INSTANT.fullmatch(value)) and _exists(value[:-1])


def _is_date(value: Any) -> bool:
    return isinstance(value, str) and bool(DATE.fullmatch(value)) and _exists(value)


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _field_problems(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Hashes in their form; what may be absent, in its form where it stands."""
    for key in ("data_root", "previous_root"):
        value = manifest.get(key, "")
        if not _is_hex(value) and not (key == "previous_root" and value is None):
            yield "manifest-field", f"{key} is not 64 hex digits"
    forms: dict[str, Callable[[Any], bool]] = {
        "inputs": lambda value: isinstance(value, list),
        "final_extract": lambda value: isinstance(value, list),
        "configuration": partial(_are_hashed, name="path"),
        "rules": partial(_are_hashed, name="path"),
        "code": lambda value: _are_hashed([value], name="version"),
        "lock_sha256": _is_hex,
    }
    for key, is_formed in forms.items():
        if key in manifest and not is_formed(manifest[key]):
            yield "manifest-field", f"{key} is not of its form"


def _are_hashed(values: Any, name: str) -> bool:
    return isinstance(values, list) and all(
        isinstance(each, dict) and isinstance(each.get(name), str) and _is_hex(each.get("sha256"))
        for each in values
    )


def _is_configuration_listed(manifest: dict[str, Any]) -> bool:
    """Whether `configuration` names the very files in config/ that are listed."""
    if "configuration" not in manifest:
        return True
    said, listed = (
        sorted((each["path"], each["sha256"]) for each in entries)
        for entries in (manifest["configuration"], manifest["files"])
    )
    return said == [each for each in listed if each[0].startswith("config/")]


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
    if isinstance(files, list) and _are_objects(files):
        listed = [entry.get("path") for entry in files]
        for path in REQUIRED_OF_A_CORRIGENDUM:
            if path not in listed:
                yield f"{path} is not listed"


def _are_objects(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, dict) for each in values)


def _list_problems(files: Any) -> Iterator[tuple[str, str]]:
    """The list of files: every entry whole, every path plain, sorted, once."""
    if not _are_objects(files):
        yield "file-list", "files is not a list of entries"
        return
    for entry in files:
        if not _is_entry(entry):
            yield "file-list", f"the entry of {entry.get('path')!r:.120} is not well-formed"
    paths = [entry["path"] for entry in files if isinstance(entry.get("path"), str)]
    for path in paths:
        if not is_plain_path(path) or _is_reserved(path):
            yield "path", f"{path!r:.120} may not be listed"
    if paths != sorted(paths):
        yield "file-list", "the files are not in order of their paths"
    if len({small(path) for path in paths}) < len(paths):
        yield "file-list", "two entries have the same path but for case"
    if not _are_folders_spelled_one_way(filter(is_plain_path, paths)):
        yield "file-list", "a folder is spelled in two ways"
    for path in sorted(set(REQUIRED) - set(paths)):
        yield "incomplete", f"{path} is not listed"


def _is_entry(entry: dict[str, Any]) -> bool:
    if set(entry) != ENTRY_KEYS or not isinstance(entry["path"], str):
        return False
    rows = [entry["rows"]] if entry["path"].endswith(".csv") else []
    is_counted = all(type(each) is int and each >= 0 for each in [entry["bytes"], *rows])
    is_hashed = _is_hex(entry["sha256"]) and _is_hex(entry["merkle_root"])
    return is_counted and is_hashed and (bool(rows) or entry["rows"] is None)


def _is_reserved(path: str) -> bool:
    """What stands beside the listed files, however it is spelled."""
    first = small(path).split("/")[0]
    return first == "certifications" or small(path) in ("manifest.json", "signature.pdf")


def _are_folders_spelled_one_way(paths: Iterable[str]) -> bool:
    spelled: dict[str, str] = {}
    for path in paths:
        place = len(path)
        while (place := path.rfind("/", 0, place)) != -1:
            folder = path[:place]
            if spelled.setdefault(small(folder), folder) != folder:
                return False
    return True


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
    if len(signers) > MOST_SIGNERS:
        yield f"more than {MOST_SIGNERS} signers"
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
        with _open(path) as stream:
            raw = stream.read(LARGEST_CERTIFICATION + 1)
        problem = _certification_problem(raw, path.name, manifest, result)
    except OSError as error:
        result.fail("unreadable", name, str(error.strerror))
        return
    except ValueError as error:
        problem = f"{error!s:.200}"
    if problem:
        result.fail("certification", name, problem)


def _certification_problem(
    raw: bytes, name: str, manifest: dict[str, Any], result: Result
) -> str | None:
    if len(raw) > LARGEST_CERTIFICATION:
        return "too large for a certification"
    if manifest["kind"] == "rehearsal":
        return "a rehearsal cannot be certified"
    found, is_canonical = read_json(raw)
    if not isinstance(found, dict) or set(found) != CERTIFICATION_KEYS:
        return "not the fields of a certification"
    if not all(isinstance(value, str) for value in found.values()) or not is_canonical:
        return "not in canonical form"
    if found["format"] != CERTIFICATION:
        return f"not of the format {CERTIFICATION}"
    keys = {each["id"]: each["public_key"] for each in manifest.get("signers", [])}
    if found["signer_id"] not in keys or name != found["signer_id"] + ".json":
        return "the signer is not one of this release's, or the file bears another id"
    if (found["release_id"], found["root_sha256"]) != (manifest["release_id"], result.root):
        return f"certifies {found['release_id']} with the root {found['root_sha256']}"
    if not is_instant(found["certified_at"]) or not SIGNATURE.fullmatch(found["signature"]):
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
    try:
        with _open(folder / path) as stream:
            size = os.fstat(stream.fileno()).st_size
            # one of another size is not read: it may be endless
            found = describe(path, stream) if size == entry["bytes"] else {"bytes": size}
    except OSError as error:
        present.discard(path)
        result.fail("unreadable", path, str(error.strerror))
        return False
    keys = ("sha256", "rows", "merkle_root") if found["bytes"] == entry["bytes"] else ("bytes",)
    wrong = [key for key in keys if found[key] != entry[key]]
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
        bad = path if path in damaged else index
        try:
            with _open(folder / path) as data, _open(folder / index) as recorded:
                pairs = zip_longest(_index_of(data), _pieces(recorded, PREFIX_DIGITS + 1))
                row = next((n for n, (one, two) in enumerate(pairs, 1) if one != two), None)
        except OSError as error:
            result.fail("unreadable", bad, str(error.strerror))
            continue
        if row:
            result.fail("row", bad, f"row {row} is the first that differs", row)


def _index_of(data: BinaryIO) -> Iterator[bytes]:
    """As `row_index`, with nothing in place of a line that is longer than any row."""
    for line in _pieces(data, LONGEST_LINE):
        yield next(row_index([line])) if len(line) <= LONGEST_LINE else b""


def _pieces(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """Lines, and of a longer one a piece that is too long."""
    return iter(partial(stream.readline, longest + 1), b"")


def verify_releases(path: str | Path, anchor: str | None = None) -> Result:
    """Check every bundle of a releases folder, and that they are one chain without a gap."""
    folder = Path(path)
    result = Result(os.path.abspath(folder), anchor, superseded={})
    checked: dict[str, tuple[Result, dict[str, Any]]] = {}
    try:
        names = _names_in(folder)
    except OSError as error:
        result.fail("unreadable", "", str(error.strerror))
        return result
    except _BoundsError as error:
        result.fail("bounds", "", str(error))
        return result
    for name in names:
        if name.startswith(".") or name == "rehearsal":
            result.notes.append(f"{shown_name(name)} is outside the chain and was not checked")
            continue
        one, manifest = _check_release(folder, name, result)
        if manifest and one.root:
            checked[one.root] = (one, manifest)
            if name != one.release_id:
                result.fail("folder-name", name, f"holds release {one.release_id}")
    newest = _check_chain({root: manifest for root, (_, manifest) in checked.items()}, result)
    if newest:
        last = checked[newest][0]
        result.root, result.release_id, result.data_root = newest, last.release_id, last.data_root
        result.period_id, result.cutoff_at = last.period_id, last.cutoff_at
        result.certified_by = last.certified_by
        if anchor and newest != anchor:
            known = checked.get(anchor)
            whose = f" (of {known[0].release_id})" if known else ""
            result.fail(
                "anchor", "", f"the newest root is {newest} (of {last.release_id}), "
                f"the anchor {anchor}{whose}"
            )  # fmt: skip
    return result


def _names_in(folder: Path) -> list[str]:
    names = []
    with os.scandir(folder) as items:
        for item in items:
            names.append(item.name)
            if len(names) > MOST_RELEASES:
                raise _BoundsError(f"more than {MOST_RELEASES} entries")
    return sorted(names)


def _check_release(folder: Path, name: str, result: Result) -> tuple[Result, dict[str, Any] | None]:
    """One release of a chain, its findings and notes under its folder's name."""
    if is_utf8(name):
        one, manifest = _check_bundle(folder / name, None)
    else:
        one, manifest = Result(name, None), None
        one.fail("not-a-folder", "", "its name is not UTF-8")
    result.findings += [
        Finding(each.code, f"{shown_name(name)}/{each.path}", each.message, each.row)
        for each in one.findings
    ]
    return one, manifest


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
    superseded = result.superseded = {}
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
        if earlier:
            superseded[bundles[earlier[-1]]["release_id"]] = manifest["release_id"]
        earlier.append(newest)
    return newest


def _corrected_root(manifest: dict[str, Any]) -> Any:
    return (manifest.get("correction") or {}).get("corrected_root")


def read_anchor(text: str) -> str:
    """A root as people type or paste it off a page: blanks of any kind and capitals do not matter.

    Raises:
        ValueError: It is not 64 hex digits.
    """
    digits = small(_BLANKS.sub("", text))
    if not HEX.fullmatch(digits):
        raise ValueError("an anchor is 64 hex digits")
    return digits


USAGE = """usage: python3 -I verify.py [BUNDLE] [--anchor HEX] [--json]
BUNDLE is a release's folder, or the folder of all releases (default: where this file lies);
HEX is the root from a source you trust: 64 hex digits, in blanks and capitals as you like.
"""


@dataclass
class _Options:
    bundle: str | None = None
    anchor: str | None = None
    json: bool = False


def _options(words: list[str]) -> _Options:
    """The command line, SPEC.md §11.

    Raises:
        ValueError: Wrong usage.
    """
    options, left = _Options(), list(words)
    while left:
        word = left.pop(0)
        if word == "--json":
            options.json = True
        elif word == "--anchor" or word.startswith("--anchor="):
            value = word.partition("=")[2] if "=" in word else (left.pop(0) if left else "")
            if options.anchor is not None:
                raise ValueError("--anchor stands twice")
            options.anchor = read_anchor(value)
        elif word.startswith("-") or not word or options.bundle is not None:
            raise ValueError(f"not understood: {word!r:.80}")
        else:
            options.bundle = word
    return options


_WORDS = {
    "verified": "đúng bản đã niêm phong",
    "failed": "KHÔNG khớp",
    "unanchored": "chưa đối chiếu với mã gốc, CHƯA chứng minh được gì",
}


def told(result: Result) -> Iterator[str]:
    """The lines for people; what foreign text stands in them is made visible."""
    yield f"{result.status} ({_WORDS[result.status]}): {visible(result.release_id or '–')}"
    yield f"thư mục (folder) {visible(result.path)}"
    if result.period_id:
        yield f"kỳ (period) {result.period_id}"
        yield f"chốt lúc (cutoff) {result.cutoff_at}: giờ UTC, giờ Việt Nam là +7 (UTC)"
    yield f"mã gốc (root) {result.root}"
    yield f"mã gốc số liệu (data root) {result.data_root}"
    if result.certified_by:
        whole = "" if result.is_certified else f", of the {SIGNERS_NEEDED} that it takes"
        yield f"certified by {', '.join(result.certified_by)}{whole}"
    for finding in result.findings:
        where = f"{visible(finding.path)}: " if finding.path else ""
        yield f"FINDING {finding.code}: {where}{visible(finding.message)}"
    for release, by in (result.superseded or {}).items():
        yield f"đã được thay thế (superseded): {visible(release)} → {visible(by)}"
    for note in result.notes:
        yield f"note: {visible(note)}"
    if result.status == "verified" and result.superseded is None:
        yield "note: a later release may correct this one; the folder of all releases tells"
    if result.status == "unanchored":
        yield "tiếp theo (next): chạy lại với --anchor và mã gốc trên trang đã ký"
        yield "  (run again with --anchor and the root from the signed page)"


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    try:
        options = _options(sys.argv[1:] if arguments is None else arguments)
    except ValueError as error:
        sys.stderr.write(f"{visible(error)}\n{USAGE}")
        return 2
    result = verify(options.bundle or Path(__file__).resolve().parent, options.anchor)
    if options.json:
        print(json.dumps(result.as_json(), sort_keys=True))
    else:
        print("\n".join(told(result)))
    return 0 if result.status == "verified" else 1


# The characters that Unicode 14.0 knows, private ones too: SPEC.md §13, to the letter.
ASSIGNED = """
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
"""

if __name__ == "__main__":
    sys.exit(main())
