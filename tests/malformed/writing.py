"""Cases as delivered files: workbooks and CSV, whole and with their parts at hand."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter

from tests.malformed.case import Bytes, Case, ErrorCell, FormulaCell, Merged
from tests.oracle.hostile.c12_files import CHON_AT, COLUMNS

OLD = (*COLUMNS[:CHON_AT], "chon", *COLUMNS[CHON_AT:])
_LOST = re.compile(rb'(<c r="[A-Z]+\d+"[^>]*?) t="str"(><f>[^<]*</f>)<v></v>')


def write_workbook(
    path: Path,
    sheets: Mapping[str, Sequence[Case]],
    *,
    columns: Sequence[str] = COLUMNS,
    header: Mapping[int, Sequence[str]] | None = None,
    first_row: int = 2,
    after: Callable[[xlsxwriter.Workbook], None] = lambda book: None,
) -> None:
    """One sheet per agency; `header` gives the names of a header by its row's index."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        formats = {
            kind: book.add_format({"num_format": form})
            for kind, form in {"day": "dd/mm/yyyy", "time": "hh:mm"}.items()
        }
        for agency, cases in sheets.items():
            sheet = book.add_worksheet(agency)
            for at, names in (header or {}).items():
                sheet.write_row(at, 0, names)
            for number, case in enumerate(cases, first_row):
                for at, name in enumerate(columns):
                    _write(sheet, number, at, case.cells.get(name), formats)
                for at, cell in enumerate(case.beyond, len(columns)):
                    _write(sheet, number, at, cell, formats)
        after(book)
    _forget_values(path)


def _write(sheet: Any, row: int, at: int, cell: Any, formats: Mapping[str, Any]) -> None:
    if isinstance(cell, ErrorCell):
        sheet.write_formula(row, at, "=NA()", None, cell.shown)
    elif isinstance(cell, FormulaCell):
        sheet.write_formula(row, at, cell.text, None, "" if cell.value is None else cell.value)
    elif isinstance(cell, Merged):
        sheet.merge_range(row, at, row, at + cell.more, cell.value)
    elif isinstance(cell, bool):
        sheet.write_boolean(row, at, cell)
    elif isinstance(cell, datetime | date):
        sheet.write_datetime(row, at, cell, formats["day"])
    elif isinstance(cell, time):
        sheet.write_datetime(row, at, cell, formats["time"])
    elif isinstance(cell, str):
        sheet.write_string(row, at, cell)
    elif cell is not None:
        sheet.write_number(row, at, cell)


def _forget_values(path: Path) -> None:
    """Leave formulas whose value was never computed as other writers leave them: without one."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheets = [name for name in parts if name.startswith("xl/worksheets/sheet")]
    changed = {name: _LOST.sub(rb"\1\2", parts[name]) for name in sheets}
    if any(changed[name] != parts[name] for name in sheets):
        rezip(path, parts | changed)


def rezip(path: Path, parts: Mapping[str, bytes]) -> None:
    """Write an archive of these members anew."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)


def parts_of(path: Path) -> dict[str, bytes]:
    """The members of an archive."""
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def delimited_lines(
    cases: Sequence[Case],
    *,
    columns: Sequence[str] = COLUMNS,
    delimiter: str = ",",
    end: str = "\n",
    encode: Callable[[str], bytes] = str.encode,
) -> list[bytes]:
    """Each case as one line of CSV, its line end included."""
    return [_line(case, columns, delimiter, end, encode) for case in cases]


def head_lines(
    header: Mapping[int, Sequence[str]], delimiter: str = ",", end: str = "\n"
) -> list[bytes]:
    """The two lines before the data."""
    return [(delimiter.join(header.get(at, [""] * len(COLUMNS))) + end).encode() for at in range(2)]


def _line(
    case: Case,
    columns: Sequence[str],
    delimiter: str,
    end: str,
    encode: Callable[[str], bytes],
) -> bytes:
    fields = [case.cells.get(name) for name in columns][: case.width] + list(case.beyond)
    raw = [field.raw for field in fields if isinstance(field, Bytes)]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerow(
        ["\uf8ff" if isinstance(f, Bytes) else "" if f is None else str(f) for f in fields]
    )
    line = text.getvalue()
    if not raw:
        return encode(line)
    before, _, after = line.partition("\uf8ff")
    return encode(before) + raw[0] + encode(after)
