"""§6, §9.2: one release, step by step."""

import os
import stat
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.verifiers.third.manifest import (
    ORDER,
    correction_is_sound,
    fields_are_sound,
    fits,
    identity_is_sound,
    instants_are_sound,
    is_instant,
    list_findings,
    signers_are_sound,
)
from tests.verifiers.third.text import (
    Text,
    UnreadableError,
    digest,
    first_row,
    lines_of,
    row_count,
    tree,
)

Found = set[tuple[str, str, int]]


class EndsError(Exception):
    """§6: no later step but the anchor."""


class Release:
    """One release, step by step."""

    def __init__(self, folder: bytes) -> None:
        self.folder = folder
        self.found: Found = set()
        self.files: set[str] = set()
        self.root: str | None = None
        self.manifest: dict[str, Any] | None = None
        self.certified_by: list[str] = []
        self.count = 0
        try:
            self.steps_1_to_5()
            self.step_6()
            self.step_7()
        except EndsError:
            pass

    def tell(self, code: str, path: str = "manifest.json", row: int = 0) -> None:
        self.found.add((code, path, row))

    def ends(self, code: str, path: str = "manifest.json") -> EndsError:
        self.tell(code, path)
        return EndsError()

    def read(self, path: str, most: int = -1) -> bytes | None:
        try:
            with open(self.folder + b"/" + path.encode(), "rb") as stream:
                return stream.read(most)
        except OSError:
            return None

    def steps_1_to_5(self) -> None:
        if not is_folder(self.folder):
            raise self.ends("not-a-folder", "")
        try:
            self.holds(self.folder, "", 1)
        except OverflowError:
            self.found = set()
            raise self.ends("bounds", "") from None
        said = self.read_manifest()
        wrong = list_findings(said.get("files"))
        sound: dict[str, Callable[[dict[str, Any]], bool]] = {
            "identity": identity_is_sound,
            "instants": instants_are_sound,
            "correction": correction_is_sound,
            "manifest-field": fields_are_sound,
            "signers": lambda each: signers_are_sound(each.get("signers", [])),
        }
        wrong |= {code for code, is_sound in sound.items() if not is_sound(said)}
        for code in wrong:
            self.tell(code)
        if wrong:
            raise EndsError
        self.manifest = said

    def read_manifest(self) -> dict[str, Any]:
        if "manifest.json" not in self.files:
            raise self.ends("manifest-missing")
        raw = self.read("manifest.json", 33_554_433)
        if raw is None:
            raise self.ends("unreadable")
        if len(raw) > 33_554_432:
            raise self.ends("bounds")
        self.root = digest(raw).hex()
        try:
            text = Text(raw)
        except UnreadableError:
            raise self.ends("manifest-unreadable") from None
        if not text.is_canonical:
            self.tell("manifest-not-canonical")
        if not isinstance(text.value, dict) or text.value.get("format") != "chotso-bundle/1":
            raise self.ends("format")
        return text.value

    def holds(self, folder: bytes, under: str, depth: int) -> bool:
        try:
            names = os.listdir(folder)
        except OSError:
            self.tell("unreadable", under)
            return True
        self.count += len(names)
        if self.count > 100_000 or (names and depth > 16):
            raise OverflowError
        # every entry is looked at, also after one that is a file
        return any([self.holds_entry(folder + b"/" + name, name, under, depth) for name in names])

    def holds_entry(self, place: bytes, name: bytes, under: str, depth: int) -> bool:
        path = under + shown(name)
        mode = os.lstat(place).st_mode
        if is_utf8(name) and stat.S_ISREG(mode):
            self.files.add(path)
            return True
        if is_utf8(name) and stat.S_ISDIR(mode):
            if self.holds(place, path + "/", depth + 1):
                return True
            if path != "certifications":
                self.tell("unlisted", path + "/")
            return False
        self.tell("odd-file", path)
        return False

    def step_6(self) -> None:
        assert self.manifest is not None
        entries = {each["path"]: each for each in self.manifest["files"]}
        for path in self.files - set(entries) - {"manifest.json", "signature.pdf"}:
            if not is_certification_name(path):
                self.tell("unlisted", path)
        given = dict(self.given(entries))
        bad = {path for path in given if file_findings(path, given[path], entries[path])}
        for path in bad:
            for code in file_findings(path, given[path], entries[path]):
                self.tell(code, path)
        self.name_rows(given, bad)
        leaves = [
            path.encode() + b"\0" + bytes.fromhex(entries[path]["merkle_root"])
            for path in sorted(entries) if path.startswith("data/")
        ]  # fmt: skip
        if tree(leaves).hex() != self.manifest["data_root"]:
            self.tell("data-root")
        if "configuration" in self.manifest:
            said = sorted((each["path"], each["sha256"]) for each in self.manifest["configuration"])
            kept = [(path, entries[path]["sha256"]) for path in sorted(entries)]
            if said != [each for each in kept if each[0].startswith("config/")]:
                self.tell("configuration")

    def given(self, entries: dict[str, dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
        for path in entries:
            raw = self.read(path) if path in self.files else None
            if raw is not None:
                yield path, raw
            else:
                self.tell("unreadable" if path in self.files else "missing", path)

    def name_rows(self, given: dict[str, bytes], bad: set[str]) -> None:
        for data in given:
            index = "rows/" + data[5:-4] + ".txt"
            if not (data.startswith("data/") and data.endswith(".csv") and index in given):
                continue
            if (data in bad) != (index in bad):
                row = first_row(given[data], given[index])
                if row is not None:
                    self.tell("row", data if data in bad else index, row)

    def step_7(self) -> None:
        for path in sorted(filter(is_certification_name, self.files)):
            raw = self.read(path, 65_537)
            if raw is None:
                self.tell("unreadable", path)
            elif self.is_certified(raw, path):
                self.certified_by.append(path[len("certifications/") : -len(".json")])
            else:
                self.tell("certification", path)

    def is_certified(self, raw: bytes, path: str) -> bool:
        assert self.manifest is not None
        try:
            text = Text(raw)
        except UnreadableError:
            return False
        said = text.value
        names = ["format", "release_id", "root_sha256", "signer_id", "certified_at"]
        if not isinstance(said, dict) or set(said) != {*names, "signature"}:
            return False
        if len(raw) > 65_536 or not text.is_canonical or self.manifest["kind"] == "rehearsal":
            return False
        if not all(isinstance(each, str) for each in said.values()):
            return False
        keys = {each["id"]: each["public_key"] for each in self.manifest.get("signers", [])}
        wanted = ("chotso-certification/1", self.manifest["release_id"], self.root)
        if (said["format"], said["release_id"], said["root_sha256"]) != wanted:
            return False
        is_formed = is_instant(said["certified_at"]) and fits("[0-9a-f]{128}", said["signature"])
        who = said["signer_id"]
        if not is_formed or who not in keys or path != f"certifications/{who}.json":
            return False
        signature = bytes.fromhex(said["signature"])
        if int.from_bytes(signature[32:], "little") >= ORDER:
            return False
        message = "".join(said[name] + "\n" for name in names).encode()
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[who])).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def file_findings(path: str, raw: bytes, entry: dict[str, Any]) -> set[str]:
    if len(raw) != entry["bytes"]:
        return {"bytes"}
    wrong = set() if digest(raw).hex() == entry["sha256"] else {"sha256"}
    wrong |= set() if tree(lines_of(raw)).hex() == entry["merkle_root"] else {"merkle-root"}
    wrong |= {"rows"} if path.endswith(".csv") and row_count(raw) != entry["rows"] else set()
    return wrong


def is_certification_name(path: str) -> bool:
    return fits("certifications/[A-Za-z0-9_][A-Za-z0-9_.-]*\\.json", path)


def is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def shown(name: bytes) -> str:
    if is_utf8(name):
        return name.decode("utf-8")
    return "".join(chr(each) if 0x20 <= each <= 0x7E else f"\\x{each:02x}" for each in name)


def is_folder(place: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(place).st_mode)
    except OSError:
        return False
