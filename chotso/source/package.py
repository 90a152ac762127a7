"""A workbook's zip archive: checks that it is complete and not too large, and finds its parts."""

import codecs
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import cast
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

_FILE_LIMIT = 64 << 20
_UNPACKED_LIMIT = 1 << 30
_PARTS_LIMIT = 10_000
_TAG_LIMIT = 1 << 20
_ELEMENTS_LIMIT = 300_000
_CHARACTERS_LIMIT = 16_000_000
_CHUNK = 1 << 18
_ENTRY = b"PK\x01\x02"
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_ENCODINGS = {"utf-8", "ascii", "iso8859-1", "cp1252", "cp1258"}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # UTF-32's mark begins like UTF-16's, so it is checked first
    codecs.BOM_UTF32_BE: "utf-32-be",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
# Namespaces of the two dialects of workbooks, and of packages; other elements are foreign.
_NAMESPACES = {
    "{http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "{http://purl.oclc.org/ooxml/spreadsheetml/main",
    "{http://schemas.openxmlformats.org/package/2006/relationships",
    "",
}
_RELATED = (
    "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id",
    "{http://purl.oclc.org/ooxml/officeDocument/relationships}id",
)


class PackageError(ValueError):
    """The archive or a part of it cannot be read; says which and why."""


@dataclass(frozen=True)
class Found:
    """A complete element of a part.

    Attributes:
        inside: What it stands in: the root's name, or that of the part of the root asked for; ''
            for the root itself, which comes first and is not whole yet.
        name: Its name without its dialect; a foreign element's begins with `{`.
        element: The element; it is emptied when the next one is asked for.
    """

    inside: str
    name: str
    element: Element


class Package:
    """An open archive, after `check_size` has passed.

    Raises:
        PackageError: It unpacks to more than it may, is damaged, or holds a part twice.
    """

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        members = [m for m in self._archive.infolist() if not m.filename.endswith(("/", "\\"))]
        if sum(member.file_size for member in members) > _UNPACKED_LIMIT:
            raise PackageError("it unpacks to more than a gibibyte")
        names = Counter(_canonical(member.filename) for member in members)
        if twice := [name for name, times in names.items() if times > 1]:
            raise PackageError(f"its archive holds {twice[0]} twice")
        if (broken := self._archive.testzip()) is not None:
            raise PackageError(f"{broken} is damaged")
        self._members = {_canonical(member.filename): member for member in members}

    def __enter__(self) -> "Package":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._archive.close()

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Kind and target of each relationship of a part, by id; '' names the package itself."""
        folder, name = posixpath.split(part)
        described = posixpath.join(folder, "_rels", f"{name}.rels")
        found: dict[str, tuple[str, str]] = {}
        for link in self.elements(described):
            if link.name != "Relationship" or not link.inside:
                continue
            told, key = link.element.get, link.element.get("Id", "")
            if key in found or len(found) >= _PARTS_LIMIT:
                raise PackageError(
                    f"the relationship {key[:40]} stands twice, or there are too many"
                )
            if told("TargetMode", "").lower() != "external":
                target = posixpath.join("/", folder, _slashed(told("Target", "")))
                found[key] = (told("Type", "").rpartition("/")[2], posixpath.normpath(target))
        return found

    def elements(
        self,
        part: str,
        inside: frozenset[str] = frozenset(),
        count: Callable[[str], None] | None = None,
    ) -> Iterator[Found]:
        """The elements of a part one after the other: the root's, and those within `inside`.

        Args:
            part: Its name.
            inside: Names of the root's elements whose own elements are wanted one by one.
            count: Is given the part's bare text, piece by piece.

        Raises:
            PackageError: The part is missing, in an unknown encoding, or no well-formed XML.
        """
        member = self._members.get(_canonical(part))
        name = part.lstrip("/")
        if member is None:
            raise PackageError(f"it lacks the part {name}")
        parser = XMLPullParser(("start",))
        root: Element | None = None
        waiting = _Waiting(name)
        try:
            for piece in _whole_tags(self._decoded(member, name), name):
                if count:
                    count(piece)
                parser.feed(piece)
                events = cast("Iterator[tuple[str, Element]]", parser.read_events())
                started = [element for _, element in events]
                if root is None and started:
                    root = started[0]
                    yield Found("", local(root.tag), root)
                if root is not None:
                    waiting.more(len(started), len(piece))
                    for found in _whole(root, inside):
                        waiting.begin()
                        yield found
            parser.close()
        except ParseError as error:
            raise PackageError(f"{name} is no whole XML: {error}") from error
        if root is not None:
            yield from _whole(root, inside, is_ended=True)

    def _decoded(self, member: zipfile.ZipInfo, name: str) -> Iterator[str]:
        with self._archive.open(member) as handle:
            chunk = handle.read(_CHUNK)
            encoding = _encoding(chunk, name)
            decoder = codecs.getincrementaldecoder(encoding)()
            try:
                yield decoder.decode(chunk).removeprefix("\ufeff")
                while chunk := handle.read(_CHUNK):
                    yield decoder.decode(chunk)
                yield decoder.decode(b"", True)
            except UnicodeDecodeError as error:
                raise PackageError(f"{name} holds bytes that are no text in {encoding}") from error


def check_size(path: Path) -> None:
    """Refuse an archive whose directory alone would fill the memory.

    Raises:
        PackageError: It is larger than it may be, or has too many parts.
    """
    if path.stat().st_size > _FILE_LIMIT:
        raise PackageError(f"it is larger than {_FILE_LIMIT >> 20} MiB")
    with path.open("rb") as handle:
        entries = sum(chunk.count(_ENTRY) for chunk in iter(lambda: handle.read(_CHUNK), b""))
    if entries > _PARTS_LIMIT:
        raise PackageError(f"it holds more than {_PARTS_LIMIT:,} parts")


def _slashed(name: str) -> str:
    return unquote(name).replace("\\", "/")


def _canonical(name: str) -> str:
    return posixpath.normpath("/" + _slashed(name).lower().lstrip("/"))


def _encoding(head: bytes, name: str) -> str:
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    declared = _DECLARED.match(head[:1000])
    if declared is None:
        return "utf-8"
    try:
        encoding = codecs.lookup(declared[1].decode()).name
    except LookupError:
        encoding = "?"
    if encoding not in _ENCODINGS:
        raise PackageError(f"{name} says that it is in the encoding {declared[1].decode()[:40]}")
    return encoding


def _whole_tags(chunks: Iterator[str], name: str) -> Iterator[str]:
    """The same text in pieces that never end within a tag."""
    kept = ""
    for chunk in chunks:
        text = kept + chunk
        opened = text.rfind("<")
        cut = opened if opened >= 0 and ">" not in text[opened:] else len(text)
        kept = text[cut:]
        if len(kept) > _TAG_LIMIT:
            raise PackageError(f"{name} has a tag of more than {_TAG_LIMIT:,} characters")
        if "<!DOCTYPE" in text:
            raise PackageError(f"{name} declares entities or a document type")
        yield text[:cut]
    yield kept


class _Waiting:
    """The size of an element that is not complete yet, and is therefore kept in memory."""

    def __init__(self, part: str) -> None:
        self._part = part
        self.begin()

    def begin(self) -> None:
        """Note that an element is complete."""
        self._elements = self._characters = 0

    def more(self, elements: int, characters: int) -> None:
        """Count another piece of the part.

        Raises:
            PackageError: The element is larger than one may be.
        """
        if self._elements > _ELEMENTS_LIMIT or self._characters > _CHARACTERS_LIMIT:
            raise PackageError(
                f"{self._part} has an element of more than {_ELEMENTS_LIMIT:,} others or "
                f"{_CHARACTERS_LIMIT:,} characters"
            )
        self._elements += elements
        self._characters += characters


def _whole(root: Element, inside: frozenset[str], is_ended: bool = False) -> Iterator[Found]:
    """The complete elements; each is removed from the tree, so that it does not grow."""
    children = list(root)
    last = len(children) if is_ended else len(children) - 1
    for at, child in enumerate(children):
        name = local(child.tag)
        if name in inside:
            whole = child[:] if at < last else child[:-1]
            for element in whole:
                yield Found(name, local(element.tag), element)
            del child[: len(whole)]
        if at < last:
            yield Found(local(root.tag), name, child)
    del root[: max(last, 0)]


@lru_cache(maxsize=10_000)
def local(tag: str) -> str:
    """An element's name without the dialect's namespace; a foreign one's with its namespace."""
    space, _, name = tag.rpartition("}")
    return name if space in _NAMESPACES else tag


def relation(element: Element) -> str:
    """The id of the relationship that an element refers to."""
    return next((element.get(name, "") for name in _RELATED if name in element.attrib), "")
