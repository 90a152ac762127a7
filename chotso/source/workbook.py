"""The worksheets of an .xlsx workbook, each found by its relationship and read twice.

It is parsed element by element for its values, and scanned as plain text to count its cells. If the
two counts differ, the parser missed cells, and the file is refused.
"""

import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from chotso.source.disguise import is_text, what_it_is
from chotso.source.drop_folder import refused
from chotso.source.encodings import shown_as
from chotso.source.number_formats import cell_formats
from chotso.source.package import Package, PackageError, check_size, relation
from chotso.source.sheets import Rows, Sheet
from chotso.source.stored_cells import Store
from chotso.source.stored_texts import shared_texts
from chotso.source.texts import shown
from chotso.source.worksheet import PARTS, Budget, Worksheet, cells_in

_SHEETS_LIMIT = 1_000
_TRUE = {"1", "true", "on"}
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    NotImplementedError,  # a compression that workbooks do not use
    RuntimeError,  # an encrypted member
    EOFError,
    OSError,
    ValueError,
    KeyError,
)


@dataclass(frozen=True)
class _NamedSheet:
    """A sheet as the workbook names it."""

    name: str
    part: str
    is_hidden: bool


@dataclass(frozen=True)
class _WorkbookPart:
    """The workbook's own part: its sheets, how it counts days, whether formulas are recomputed."""

    sheets: list[tuple[str, str, bool]]
    is_1904: bool
    is_to_compute: bool


def read_workbook(path: Path, only_first: bool) -> tuple[list[Sheet], list[str]]:
    """The worksheets (empty cells are None), and messages on them.

    Args:
        path: The fetched file.
        only_first: Read the first visible sheet alone.

    Raises:
        RefusedDeliveryError: It is no readable workbook, holds two sheets of one name, or more
            than may be read into memory.
    """
    try:
        check_size(path)
        if kind := what_it_is(path):
            raise PackageError(f"it is really {kind}")
        with Package(path) as package:
            return _read(package, only_first)
    except zipfile.BadZipFile as error:
        what = "it is really text" if path.stat().st_size and is_text(path) else str(error)[:200]
        raise _unreadable(path, what) from error
    except _ARCHIVE_ERRORS as error:
        raise _unreadable(path, str(error)[:400]) from error


def _unreadable(path: Path, what: str) -> Exception:
    return refused(path.name, f"it is not a readable workbook ({what})")


def _read(package: Package, only_first: bool) -> tuple[list[Sheet], list[str]]:
    main = _only(package.relations(""), "officeDocument", "package")
    if main is None:
        raise PackageError("its package names no workbook")
    book = _book(package, main)
    links = package.relations(main)
    named, notes = _worksheets(book, links)
    store = _store(package, book, links)
    chosen = _first(named, notes) if only_first else named
    budget = Budget()
    sheets = [
        Sheet(named_sheet.name, _rows(package, named_sheet, store, budget), named_sheet.is_hidden)
        for named_sheet in chosen
    ]
    if not only_first:
        notes += [
            f"sheet {shown(named_sheet.name)} is hidden, and was read"
            for named_sheet in named
            if named_sheet.is_hidden
        ]
    _decode(sheets)
    return sheets, notes


def _book(package: Package, part: str) -> _WorkbookPart:
    sheets: list[tuple[str, str, bool]] = []
    is_1904 = is_to_compute = False
    for found in package.elements(part, frozenset({"sheets"})):
        told = found.element.get
        if not found.inside and found.name != "workbook":
            raise PackageError(f"its main part is no workbook but <{shown(found.name[:60])}>")
        if found.inside == "sheets":
            if found.name != "sheet" or len(sheets) >= _SHEETS_LIMIT:
                raise PackageError("its list of sheets holds something else, or is too long")
            is_hidden = told("state", "visible").strip() != "visible"
            sheets.append((told("name", ""), relation(found.element), is_hidden))
        elif found.name == "workbookPr":
            is_1904 = _is_true(told("date1904", "0"))
        elif found.name == "calcPr":
            is_to_compute = _is_true(told("fullCalcOnLoad", "0")) or not _is_true(
                told("calcCompleted", "1")
            )
    return _WorkbookPart(sheets, is_1904, is_to_compute)


def _is_true(said: str) -> bool:
    return said.strip().lower() in _TRUE


def _only(links: dict[str, tuple[str, str]], kind: str, of: str) -> str | None:
    """The target of the only relationship of a kind; None if there is none."""
    parts = {part for is_kind, part in links.values() if is_kind == kind}
    if len(parts) > 1:
        raise PackageError(f"its {of} names more than one part of the kind {kind}")
    return next(iter(parts), None)


def _worksheets(
    book: _WorkbookPart, links: dict[str, tuple[str, str]]
) -> tuple[list[_NamedSheet], list[str]]:
    named, notes = [], []
    for name, link, is_hidden in book.sheets:
        if link not in links:
            raise PackageError(f"sheet {shown(name[:40])} has no part")
        kind, part = links[link]
        if kind == "worksheet":
            named.append(_NamedSheet(name.strip(), part, is_hidden))
        elif kind != "chartsheet":
            notes.append(f"sheet {shown(name[:40])} is a {shown(kind[:40])}, and was not read")
    parts = Counter(named_sheet.part.lower() for named_sheet in named)
    if shared := [part for part, times in parts.items() if times > 1]:
        raise PackageError(f"two sheets have one part, {shared[0][1:]}")
    return named, notes


def _first(named: list[_NamedSheet], notes: list[str]) -> list[_NamedSheet]:
    """The first visible sheet; other sheets are reported."""
    visible = [named_sheet for named_sheet in named if not named_sheet.is_hidden]
    if named and not visible:
        raise PackageError("all its sheets are hidden")
    others = [
        f"{shown(named_sheet.name)}{' (hidden)' if named_sheet.is_hidden else ''}"
        for named_sheet in named
        if named_sheet not in visible[:1]
    ]
    if others:
        notes.append(
            f"sheet {shown(visible[0].name)} was read, these were not: {', '.join(others)}"
        )
    return visible[:1]


def _store(package: Package, book: _WorkbookPart, links: dict[str, tuple[str, str]]) -> Store:
    styles = _only(links, "styles", "workbook")
    texts = _only(links, "sharedStrings", "workbook")
    return Store(
        shared_texts(package, texts) if texts else [],
        cell_formats(package, styles) if styles else None,
        book.is_1904,
        book.is_to_compute,
    )


def _rows(package: Package, named_sheet: _NamedSheet, store: Store, budget: Budget) -> Rows:
    name = shown(named_sheet.name)
    sheet = Worksheet(name, store, budget)
    counted = 0

    def count(piece: str) -> None:
        nonlocal counted
        counted += cells_in(piece)

    for found in package.elements(named_sheet.part, PARTS, count):
        sheet.take(found)
    if counted != sheet.cells:
        raise PackageError(
            f"sheet {name}: its part names {counted} cells, {sheet.cells} of them where cells stand"
        )
    return sheet.rows()


def _decode(sheets: list[Sheet]) -> None:
    """Decode texts that were typed with fonts of older encodings."""
    rows = [row for sheet in sheets for row in sheet.rows if row]
    read = shown_as({cell for row in rows for cell in row if isinstance(cell, str)})
    for row in rows if read else ():
        row[:] = [read.get(cell, cell) if isinstance(cell, str) else cell for cell in row]
