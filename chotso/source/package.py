"""A workbook's archive: whole, of a bearable size, its parts found by their relationships."""

import codecs
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import unquote
from xml.parsers import expat

_FILE_LIMIT = 64 << 20
_UNPACKED_LIMIT = 1 << 30
_PARTS_LIMIT = 10_000
_TAG_LIMIT = 1 << 20
_DEPTH_LIMIT = 100
_CHUNK = 1 << 18
_ENTRY = b"PK\x01\x02"
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
_ENCODINGS = {"utf-8", "ascii", "iso8859-1", "cp1252", "cp1258"}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
# The two dialects of a workbook, and the package's own words; anything else is a foreign element.
_NAMESPACES = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/package/2006/relationships",
    "",
}
_RELATED = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
ID = "relationship id"
"""The attribute that names a relationship, whichever dialect it is in."""


class PackageError(ValueError):
    """The archive or one of its parts cannot be read; says which and why."""


class Reader:
    """Takes what a part says, element by element; a foreign element's tag begins with `{`."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text, CDATA too."""


class _Relations(Reader):
    def __init__(self) -> None:
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag != "Relationship" or attributes.get("TargetMode", "").lower() == "external":
            return
        name = attributes.get("Id", "")
        if name in self.found:
            raise PackageError(f"the relationship {name} stands twice")
        kind = attributes.get("Type", "").rpartition("/")[2]
        self.found[name] = (kind, attributes.get("Target", ""))


class Package:
    """An open archive.

    Raises:
        PackageError: It is larger than it may be, damaged, or holds a part twice.
    """

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > _FILE_LIMIT:
            raise PackageError(f"it is larger than {_FILE_LIMIT >> 20} MiB")
        if _entries(path) > _PARTS_LIMIT:
            raise PackageError(f"it holds more than {_PARTS_LIMIT:,} parts")
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
        """Kind and part of each relationship of a part, by id; those of the package for ''."""
        folder, name = posixpath.split(part)
        found = _Relations()
        described = posixpath.join(folder, "_rels", f"{name}.rels")
        if _canonical(described) not in self._members:
            raise PackageError(f"it lacks the part {described}")
        self.read(described, found)
        return {
            key: (kind, posixpath.normpath(posixpath.join("/", folder, _slashed(target))))
            for key, (kind, target) in found.found.items()
        }

    def read(self, part: str, reader: Reader, counted: re.Pattern[str] | None = None) -> int:
        """Hand a part's content to a reader, and count what a pattern finds in its bare text.

        Raises:
            PackageError: The part is missing, in an unknown encoding, or no well-formed XML.
        """
        member = self._members.get(_canonical(part))
        if member is None:
            raise PackageError(f"it lacks the part {part.lstrip('/')}")
        name, count = part.lstrip("/"), 0
        parser = _parser(reader, name)
        try:
            for piece in _whole_tags(self._decoded(member, name), name):
                count += len(counted.findall(piece)) if counted else 0
                parser.Parse(piece, False)
            parser.Parse("", True)
        except expat.ExpatError as error:
            raise PackageError(f"{name} is no whole XML: {error}") from error
        return count

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


def _entries(path: Path) -> int:
    """How many parts an archive has at most, before its list is read into memory."""
    with path.open("rb") as handle:
        return sum(chunk.count(_ENTRY) for chunk in iter(lambda: handle.read(_CHUNK), b""))


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
    """The same text in pieces that never end inside a tag."""
    kept = ""
    for chunk in chunks:
        text = kept + chunk
        opened = text.rfind("<")
        cut = opened if opened >= 0 and ">" not in text[opened:] else len(text)
        kept = text[cut:]
        if len(kept) > _TAG_LIMIT:
            raise PackageError(f"{name} has a tag of more than {_TAG_LIMIT:,} characters")
        yield text[:cut]
    yield kept


def _parser(reader: Reader, name: str) -> expat.XMLParserType:
    depth = 0

    def start(full: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH_LIMIT:
            raise PackageError(f"{name} is nested more than {_DEPTH_LIMIT} deep")
        if any(" " in key for key in attributes):
            attributes = {_attribute(key): value for key, value in attributes.items()}
        reader.start(_tag(full), attributes)

    def end(full: str) -> None:
        nonlocal depth
        depth -= 1
        reader.end(_tag(full))

    def declared(*_: object) -> None:
        raise PackageError(f"{name} declares entities or a document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = declared
    parser.EntityDeclHandler = declared
    return parser


def _tag(full: str) -> str:
    space, _, local = full.rpartition(" ")
    return local if space in _NAMESPACES else f"{{{space}}}{local}"


def _attribute(full: str) -> str:
    space, _, local = full.rpartition(" ")
    return ID if local == "id" and space in _RELATED else full
