"""The cells of one worksheet; nothing in it is ignored.

The part is read element by element. The sheet is refused if it has unknown elements among rows and
cells, a repeated row or cell, or a cell in a wrong place.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from string import ascii_uppercase
from typing import Any
from xml.etree.ElementTree import Element

from chotso.source.cells import MERGED, CellFault
from chotso.source.package import Found, PackageError, local
from chotso.source.sheets import EMPTY, Rows
from chotso.source.stored_cells import Store
from chotso.source.stored_texts import is_stray, text_in
from chotso.source.texts import shown

_CELL = re.compile(r"<c(?=[\s/>])")
_CELL_OR_PREFIXED = re.compile(r"<(?:[\w.-]+:)?c(?=[\s/>])")
PARTS = frozenset({"sheetData", "mergeCells"})
"""What of a sheet's part is read row by row."""

_AREA_LIMIT = 20_000_000
_FILLED_LIMIT = 2_000_000
_TEXT_LIMIT = 32_000_000
_ROWS_LIMIT = 200_000
_MERGED_LIMIT, _ARRAYS_LIMIT = 100_000, 1_000
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_PLACE = re.compile(r"\s*\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})\s*")
_NUMBERED = re.compile(r"\s*([1-9][0-9]{0,6})\s*")
Area = tuple[int, int, int, int]


def cells_in(piece: str) -> int:
    """How many cells begin in the bare text of a sheet's part."""
    # the prefix of a namespace ends with a colon, which makes the search slow
    begins = _CELL_OR_PREFIXED if ":c" in piece else _CELL
    return len(begins.findall(piece))


@dataclass
class Budget:
    """The memory that the cells of all sheets of a workbook may use."""

    filled: int = _FILLED_LIMIT
    text: int = _TEXT_LIMIT
    rows: int = _ROWS_LIMIT

    def take(self, values: Collection[Any]) -> None:
        """Count a row that holds something, and its filled cells.

        Raises:
            PackageError: There are more than a delivery may have.
        """
        self.filled -= len(values)
        self.text -= sum(len(value) for value in values if isinstance(value, str))
        self.rows -= 1
        if self.filled < 0 or self.text < 0:
            raise PackageError(
                f"it holds more than {_FILLED_LIMIT:,} filled cells or {_TEXT_LIMIT:,} "
                "characters; deliver it in parts"
            )
        if self.rows < 0:
            raise PackageError(f"it holds more than {_ROWS_LIMIT:,} rows; deliver it in parts")


class Worksheet:
    """Collects the filled cells of a sheet; `rows()` returns them at the end."""

    def __init__(self, name: str, store: Store, budget: Budget) -> None:
        self.cells = 0
        self._name, self._store, self._budget = name, store, budget
        self._has_data = False
        self._filled: dict[int, list[Any]] = {}
        self._widest = self._last = 0
        self._seen = bytearray(_LAST_ROW + 1)
        self._number = 0
        self._merged: list[Area] = []
        self._arrays: list[Area] = []

    def take(self, found: Found) -> None:
        """Take an element of the sheet's part.

        Raises:
            PackageError: It is out of its place, stands twice, or is more than may be kept.
        """
        place = (found.inside, found.name)
        if place == ("sheetData", "row"):
            self._take_row(found.element)
        elif not found.inside and found.name != "worksheet":
            raise self._wrong(f"its part is no worksheet but <{shown(found.name[:60])}>")
        elif found.inside == "sheetData" or found.name in ("row", "c"):
            raise self._wrong(f"<{shown(found.name[:60])}> stands in <{found.inside}>")
        elif place == ("worksheet", "sheetData"):
            if self._has_data:
                raise self._wrong("it has two <sheetData>")
            self._has_data = True
            self._check_stray(found.element.text, "sheetData")
        elif place == ("mergeCells", "mergeCell"):
            self._merged.append(self._area(found.element.get("ref", "")))

    def rows(self) -> Rows:
        """All rows from the first line on, each up to its last filled cell."""
        self._cover()
        return [self._filled.get(number, EMPTY) for number in range(self._last)]

    def _wrong(self, what: str) -> PackageError:
        return PackageError(f"sheet {self._name}: {what}")

    def _check_stray(self, text: str | None, where: str) -> None:
        if is_stray(text):
            raise self._wrong(f"text stands in <{where}>, where none may")

    def _take_row(self, row: Element) -> None:
        number = self._number = self._row_number(row.get("r"))
        self._check_stray(row.text, "row")
        self._check_stray(row.tail, "sheetData")
        end, at, cells = str(number), -1, dict[int, Any]()
        for cell in row:
            name = local(cell.tag)
            if cell.tail:
                self._check_stray(cell.tail, "row")
            if name == "extLst":
                continue
            if name != "c":
                raise self._wrong(f"<{shown(name[:60])}> stands in <row>")
            place = cell.get("r")
            at = at + 1 if place is None else self._column_of(place, end)
            if at in cells or at >= _LAST_COLUMN:
                raise self._wrong(f"two cells of row {number} stand in column {at + 1}")
            cells[at] = self._value(cell, at)
        self.cells += len(cells)
        filled = {at: value for at, value in cells.items() if value is not None}
        if filled:
            self._keep(filled)

    def _row_number(self, said: str | None) -> int:
        found = _NUMBERED.fullmatch(said) if said is not None else None
        if said is not None and found is None:
            raise self._wrong(f"a row has the number {said[:20]!r}")
        number = int(found[1]) if found else self._number + 1
        if number > _LAST_ROW:
            raise self._wrong(f"a row has the number {number}, where {_LAST_ROW} is the last")
        if self._seen[number]:
            raise self._wrong(f"two rows have the number {number}")
        self._seen[number] = 1
        return number

    def _column_of(self, place: str, end: str) -> int:
        if place.endswith(end) and (at := _COLUMNS.get(place[: -len(end)])) is not None:
            return at
        found = _PLACE.fullmatch(place)
        if found is None:
            raise self._wrong(f"a cell has the place {place[:20]!r}")
        if found[2] != end:
            raise self._wrong(f"the cell {place[:20]} stands in row {end}")
        return _column(found[1])

    def _value(self, cell: Element, at: int) -> Any:
        """The value of a cell, or a fault; all its content is read."""
        kind = cell.get("t", "n").strip()
        if len(cell) == 1 and not cell.text and not self._arrays and kind != "inlineStr":
            only = cell[0]  # nearly every cell has nothing but its value
            if not only.tail and not len(only) and local(only.tag) == "v":
                return self._store.value(kind, cell.get("s", "0"), only.text or "", False)
        return self._any_value(cell, kind, at)

    def _any_value(self, cell: Element, kind: str, at: int) -> Any:
        fault, content = is_stray(cell.text), None
        is_formula = bool(self._arrays) and _is_inside(self._arrays, self._number - 1, at)
        for child in cell:
            name = local(child.tag)
            if child.tail:
                fault = fault or is_stray(child.tail)
            if name == "f":
                is_formula = True
                self._note_array(child)
            elif name in ("v", "is"):
                wrong = ""
                if (
                    content is not None
                    or (name == "is") != (kind == "inlineStr")
                    or (name == "v" and len(child))
                ):
                    wrong = "a value that is not stored as its kind is"
                content = child.text or ""
                if name == "is":
                    content, wrong = text_in(child)[0], wrong or text_in(child)[1]
                fault = fault or wrong
            elif name != "extLst":
                fault = fault or f"an unknown element <{name[:60]}> in the cell"
        if fault:
            return CellFault(fault, content or "")
        return self._store.value(kind, cell.get("s", "0"), content, is_formula)

    def _note_array(self, formula: Element) -> None:
        if formula.get("t") in ("array", "dataTable") and "ref" in formula.attrib:
            top, left, bottom, right = self._area(formula.get("ref", ""))
            if (top, left) != (bottom, right):
                self._arrays.append((top, left, bottom, right))

    def _keep(self, filled: dict[int, Any]) -> None:
        """Keep the filled cells of the row, by their columns."""
        self._budget.take(filled.values())
        width = max(filled) + 1
        self._widest = max(self._widest, width)
        self._last = max(self._last, self._number)
        self._check_area(self._widest * self._last)
        row = self._filled[self._number - 1] = [None] * width
        for at, value in filled.items():
            row[at] = value

    def _check_area(self, area: int) -> None:
        if area > _AREA_LIMIT:
            raise self._wrong(f"it spans more than {_AREA_LIMIT:,} cells")

    def _area(self, ref: str) -> Area:
        """First row, first column, last row and last column of an area."""
        first, _, last = ref.partition(":")
        ends = _PLACE.fullmatch(first), _PLACE.fullmatch(last or first)
        if ends[0] is None or ends[1] is None:
            raise self._wrong(f"the area {ref[:40]!r} cannot be read")
        if len(self._merged) > _MERGED_LIMIT or len(self._arrays) > _ARRAYS_LIMIT:
            raise self._wrong("it has too many merged cells or formulas of several cells")
        (left, top), (right, bottom) = ((_column(end[1]), int(end[2]) - 1) for end in ends if end)
        return top, left, bottom, right

    def _cover(self) -> None:
        """Mark cells under a merged area: they look empty, but were not stated to be empty."""
        covered = 0
        for top, left, bottom, right in self._merged:
            right = min(right, self._widest - 1)
            for number in range(top, min(bottom + 1, self._last)):
                covered += max(1, right + 1 - left)
                self._check_area(covered)
                row = self._filled.get(number)
                if row is None:
                    continue
                row += [None] * (right + 1 - len(row))
                for at in range(left, right + 1):
                    if row[at] is None and (number, at) != (top, left):
                        row[at] = MERGED


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


_COLUMNS = {
    letters: _column(letters)
    for length in (1, 2, 3)
    for letters in map("".join, product(ascii_uppercase, repeat=length))
    if length < 3 or letters <= "XFD"
}


def _is_inside(areas: list[Area], row: int, at: int) -> bool:
    return any(top <= row <= bottom and left <= at <= right for top, left, bottom, right in areas)
