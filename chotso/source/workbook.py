"""The cells of a workbook: what a reader leaves out in silence is put back as what it is.

The reader gives an error cell (#REF!) and a formula without its value as if they were empty, and
would take a stray cell in the last corner of a sheet for a table of 17 billion cells. So the
archive is looked through first.
"""

import posixpath
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from python_calamine import CalamineWorkbook, SheetTypeEnum

from chotso.source.cells import MERGED, CellFault
from chotso.source.drop_folder import RefusedDeliveryError, refused

_UNPACKED_LIMIT = 1 << 30
_AREA_LIMIT = 50_000_000
_OLE = b"\xd0\xcf\x11\xe0"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_FAULTY = re.compile(rb"""\bt\s*=\s*["']e["']|<(?:\w+:)?f[\s/>]""")
_ROWS = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["'](\d+)["']""")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})(\d+)["']""")
_THREE_LETTERS = re.compile(rb"""\br\s*=\s*["'][A-Z]{3}\d""")
_WIDEST_OF_TWO_LETTERS = 26 * 27

Faults = dict[tuple[int, int], CellFault]


def read_workbook(path: Path, only_first: bool) -> list[tuple[str, list[list[Any]]]]:
    """Names and rows of the worksheets, hidden ones too; empty cells as None.

    Raises:
        RefusedDeliveryError: It is no readable workbook, holds two sheets of one name, or unpacks
            to more than a gibibyte or to a sheet of more than 50 million cells.
    """
    faults = _look_through(path)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheets = [s.name for s in workbook.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
        doubled = [name for name, times in Counter(map(str.strip, sheets)).items() if times > 1]
        if doubled and not only_first:
            raise refused(path.name, f"it has more than one sheet named {', '.join(doubled)}")
        return [
            (name.strip(), _rows(workbook, name, faults.get(name, {})))
            for name in (sheets[:1] if only_first else sheets)
        ]
    except RefusedDeliveryError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error
    except BaseException as error:  # a panic in the reader's Rust is no Exception
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable(path, error) from error


def _rows(workbook: CalamineWorkbook, name: str, faults: Faults) -> list[list[Any]]:
    sheet = workbook.get_sheet_by_name(name)
    rows: list[list[Any]] = [
        [None if cell == "" else cell for cell in row]
        for row in sheet.to_python(skip_empty_area=False)
    ]
    covered = {
        (row, at): MERGED
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or []
        for row in range(top, min(bottom + 1, len(rows)))
        for at in range(left, right + 1)
        if (row, at) != (top, left)
    }
    for (row, at), fault in (covered | faults).items():
        _put(rows, row, at, fault)
    return rows


def _put(rows: list[list[Any]], row: int, at: int, fault: CellFault) -> None:
    while len(rows) <= row:
        rows.append([])
    rows[row] += [None] * (at + 1 - len(rows[row]))
    if rows[row][at] is None:
        rows[row][at] = fault


def _look_through(path: Path) -> dict[str, Faults]:
    """Faulty cells by sheet, after the archive was found whole and of a bearable size."""
    with path.open("rb") as handle:
        if handle.read(4) == _OLE:
            raise refused(
                path.name,
                "it is not a readable workbook (it is protected by a password, or of a format "
                "older than .xlsx)",
            )
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > _UNPACKED_LIMIT:
                raise refused(path.name, "it unpacks to more than a gibibyte")
            names = Counter(member.filename.lower() for member in members)
            if twice := [name for name, times in names.items() if times > 1]:
                raise refused(path.name, f"its archive holds {twice[0]} twice")
            if (broken := archive.testzip()) is not None:
                raise refused(path.name, f"it is not a readable workbook ({broken} is damaged)")
            return {
                name: _faults(path, name, archive.read(member))
                for name, member in _sheet_members(archive).items()
            }
    except _ARCHIVE_ERRORS as error:
        raise _unreadable(path, error) from error


_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    ElementTree.ParseError,
    expat.ExpatError,
    NotImplementedError,  # a compression that is none of a workbook's
    RuntimeError,  # an encrypted member
    EOFError,
    OSError,
    ValueError,
    KeyError,
)


def _unreadable(path: Path, error: BaseException) -> Exception:
    return refused(path.name, f"it is not a readable workbook ({str(error)[:200]})")


def _sheet_members(archive: zipfile.ZipFile) -> dict[str, str]:
    """The archive's member of each sheet, by the sheet's name."""
    links = {
        link.get("Id"): link.get("Target", "")
        for link in _tree(archive, "xl/_rels/workbook.xml.rels")
    }
    members = {name.lower().replace("\\", "/"): name for name in archive.namelist()}
    found = {}
    for sheet in _tree(archive, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        target = posixpath.normpath(posixpath.join("/xl", links[sheet.get(_LINK)]))
        found[sheet.get("name", "")] = members[target.lstrip("/").lower()]
    return found


def _tree(archive: zipfile.ZipFile, member: str) -> ElementTree.Element:
    content = archive.read(member)
    _refuse_entities(content)
    return ElementTree.fromstring(content)


def _refuse_entities(content: bytes) -> None:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ValueError("it declares entities")


def _faults(path: Path, name: str, content: bytes) -> Faults:
    _refuse_entities(content)
    if _area(content) > _AREA_LIMIT:
        raise refused(path.name, f"sheet {name} spans more than {_AREA_LIMIT:,} cells")
    if not _FAULTY.search(content):
        return {}
    reader = _FaultReader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.Parse(content, True)
    return reader.faults


def _area(content: bytes) -> int:
    """Cells of the sheet's table, as the reader would make it; exact only where it matters."""
    last = max(map(int, _ROWS.findall(content)), default=0)
    if not _THREE_LETTERS.search(content) and last * _WIDEST_OF_TWO_LETTERS <= _AREA_LIMIT:
        return 0
    places = [(_column(letters), int(row)) for letters, row in _PLACE.findall(content)]
    return max((at + 1 for at, _ in places), default=0) * max((r for _, r in places), default=0)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


class _FaultReader:
    """Finds error cells and formulas without a value in a sheet's XML."""

    def __init__(self) -> None:
        self.faults: Faults = {}
        self._row = self._at = -1
        self._kind: str | None = None
        self._is_formula = self._in_value = False
        self._value = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
            self._at = -1
        elif tag == "c":
            self._begin_cell(attributes)
        elif tag == "f":
            self._is_formula = True
        elif tag == "v":
            self._in_value = True

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._at += 1
        if match := re.fullmatch(r"([A-Z]{1,3})(\d+)", attributes.get("r", "")):
            self._at, self._row = _column(match[1].encode()), int(match[2]) - 1
        self._kind = attributes.get("t")
        self._is_formula, self._value = False, ""

    def text(self, data: str) -> None:
        if self._in_value:
            self._value += data

    def end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "v":
            self._in_value = False
        elif tag == "c" and self._kind == "e":
            self._keep(CellFault("an Excel error", self._value.strip() or "error"))
        elif tag == "c" and self._is_formula and not self._value and self._kind != "str":
            self._keep(CellFault("a formula without its value"))

    def _keep(self, fault: CellFault) -> None:
        self.faults[self._row, self._at] = fault
