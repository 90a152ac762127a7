"""Classifies the entries of the drop folder: deliveries, and files that are not read."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from chotso.contracts import FileSource

EntryKind = Literal[
    "delivery",
    "near_name",
    "bad_name",
    "no_file",
    "orphan_manifest",
    "in_progress",
    "other",
    "waits",
    "unreadable",
    "gone",
]
# A delivery was meant and cannot be read: an incident, reported when it is first seen.
INCIDENTS: tuple[EntryKind, ...] = ("bad_name", "no_file", "unreadable")

_MANIFEST = re.compile(r"(.+)\.(?:sha256|count)", re.DOTALL)
_UNFINISHED = re.compile(
    r".*\.(?:part|partial|tmp|filepart|crdownload|download|opdownload|!ut|aria2)",
    re.IGNORECASE | re.DOTALL,
)
_CHECKSUM = re.compile(
    r".*\.(?:sha256|count|md5|sha1|sha512|sfv|asc|sig)", re.IGNORECASE | re.DOTALL
)
# Files of editors, file managers and operating systems; nobody delivered them.
_OTHERS = re.compile(r"~\$.*|\..*|.*~|.*\.(?:bak|swp|lnk)|thumbs\.db|desktop\.ini|__macosx", re.I)
_NAME_BYTES = 200  # the archive appends to a name, and file systems allow 255 bytes


@dataclass(frozen=True)
class Entry:
    """One entry of the folder as it was listed; `what` is `file`, or says what else it is."""

    name: str
    what: str = "file"
    size: int | None = None
    changed: object = None


@dataclass(frozen=True)
class Seen:
    """An entry and its classification; `feed` is None if the name fits no feed."""

    name: str
    feed: str | None
    kind: EntryKind
    reason: str | None = None

    @property
    def is_to_be_read(self) -> bool:
        """Whether it is a delivery, or is to be refused because its name only looks like one."""
        return self.kind == "delivery" or (self.kind == "near_name" and self.feed is not None)

    @property
    def shown(self) -> str:
        """The name as it can be printed and kept."""
        return shown(self.name)


def shown(name: str) -> str:
    """A name with all that cannot be seen, or is no text, made visible."""
    return "".join(c if c.isprintable() else _escaped(c) for c in name)


def _escaped(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte that is no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def survey(entries: Iterable[Entry], sources: Mapping[str, FileSource]) -> list[Seen]:
    """Classify each entry by its name; files that belong to a delivery are left out."""
    listed = sorted(entries, key=lambda entry: entry.name)
    names = {entry.name for entry in listed}
    found = (_seen(entry, names, sources) for entry in listed)
    return [each for each in found if each is not None]


def _seen(entry: Entry, names: set[str], sources: Mapping[str, FileSource]) -> Seen | None:
    name = entry.name
    if _OTHERS.fullmatch(name):
        return Seen(name, None, "other")
    if manifest := _MANIFEST.fullmatch(name):
        if manifest[1] in names:
            return None
        return Seen(name, _feed(manifest[1], sources), "orphan_manifest", "its file has not come")
    if _UNFINISHED.fullmatch(name):
        return Seen(name, None, "in_progress", "its name says that its upload has not ended")
    if _CHECKSUM.fullmatch(name):
        reason = "beside a file only <name>.sha256 and <name>.count are read"
        return Seen(name, None, "near_name", reason)
    feed = _feed(name, sources)
    if entry.what != "file":
        if feed is None and entry.what == "a folder":
            return Seen(name, None, "other")
        return Seen(name, feed, "no_file", f"it is {entry.what}; only files are read, no links")
    if (unfit := _unfit(name)) is not None:
        return Seen(name, feed, "bad_name", unfit)
    if feed is not None and re.fullmatch(sources[feed].pattern, name):
        return Seen(name, feed, "delivery")
    form = f"not of the form {sources[feed].named_like}" if feed else "that of no delivery"
    return Seen(name, feed, "near_name", f"its name is {form}{_other_letters(name)}")


def _feed(name: str, sources: Mapping[str, FileSource]) -> str | None:
    return next((f for f, s in sources.items() if s.name_pattern.fullmatch(name)), None)


def _other_letters(name: str) -> str:
    """Letters of other alphabets in a name that look like Latin ones."""
    other = sorted({c for c in name if c.isalpha() and "LATIN" not in unicodedata.name(c, "")})
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in other)
    return f"; not Latin: {named}" if other else ""


def _unfit(name: str) -> str | None:
    """Why a file of this name cannot be archived; None if it can."""
    if any("\ud800" <= c <= "\udfff" for c in name):
        return "its name is not UTF-8"
    if not name.isprintable():
        return "its name holds characters that cannot be seen"
    if len(name.encode()) > _NAME_BYTES:
        return f"its name is longer than {_NAME_BYTES} bytes"
    return None
