"""The cells of one worksheet, of which nothing is passed over.

The part is read element by element. What may stand among rows and cells is known; anything else
there, a row or cell that stands twice, and a cell that was not met in its place refuse the sheet.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chotso.source.cells import MERGED, CellFault
from chotso.source.package import PackageError, Reader
from chotso.source.sheets import EMPTY, Rows
from chotso.source.stored_cells import Store

CELLS = re.compile(r"<(?:[\w.-]+:)?c(?=[\s/>])")
"""The beginning of a cell in the bare text of a sheet's part."""

_AREA_LIMIT = 20_000_000
_FILLED_LIMIT = 2_000_000
_TEXT_LIMIT = 32_000_000
_ROWS_LIMIT = 200_000
_MERGED_LIMIT, _ARRAYS_LIMIT = 100_000, 1_000
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_KEPT = 50_000  # characters of a cell: more than any may have
_PLACE = re.compile(r"\s*\$?([A-Za-z]{1,3})\$?([1-9][0-9]{0,6})\s*")
_NUMBERED = re.compile(r"\s*([1-9][0-9]{0,6})\s*")
Area = tuple[int, int, int, int]


@dataclass
class Budget:
    """What a workbook's cells may take of memory, over all its sheets."""

    filled: int = _FILLED_LIMIT
    text: int = _TEXT_LIMIT
    rows: int = _ROWS_LIMIT

    def take(self, value: Any) -> None:
        """Count a filled cell.

        Raises:
            PackageError: There are more than a delivery may have.
        """
        self.filled -= 1
        if isinstance(value, str):
            self.text -= len(value)
        if self.filled < 0 or self.text < 0:
            raise PackageError(
                f"it holds more than {_FILLED_LIMIT:,} filled cells or {_TEXT_LIMIT:,} "
                "characters; deliver it in parts"
            )

    def take_row(self) -> None:
        """Count a row that holds something."""
        self.rows -= 1
        if self.rows < 0:
            raise PackageError(f"it holds more than {_ROWS_LIMIT:,} rows; deliver it in parts")


@dataclass
class _Cell:
    """A cell as far as it is read."""

    at: int
    kind: str
    style: str
    content: list[str] = field(default_factory=list)
    length: int = 0
    has_content: bool = False
    is_formula: bool = False
    fault: str = ""


class Worksheet(Reader):
    """Collects the filled cells of a sheet; afterwards `rows()` gives them."""

    def __init__(self, name: str, store: Store, budget: Budget) -> None:
        self.cells = 0
        self._name, self._store, self._budget = name, store, budget
        self._path: list[str] = []
        self._has_data = False
        self._filled: dict[int, list[Any]] = {}
        self._widest = self._last = 0
        self._seen_rows = bytearray(_LAST_ROW + 1)
        self._seen: set[int] = set()
        self._row = 0
        self._at = -1
        self._cell: _Cell | None = None
        self._takes = False
        self._ignores = 0  # how deep the element is whose content says nothing; 0 for none
        self._merged: list[Area] = []
        self._arrays: list[Area] = []
        self._starts: dict[str, Callable[[dict[str, str]], None]] = {
            "sheetData": self._begin_data,
            "row": self._begin_row,
            "c": self._begin_cell,
            "f": self._begin_formula,
            "v": self._begin_content,
            "is": self._begin_content,
            "t": self._begin_text,
            "mergeCell": self._begin_merged,
        }

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an element in its place, or say that it is out of place."""
        parent = self._path[-1] if self._path else ""
        self._path.append(tag)
        if self._ignores:
            return
        if not parent and tag != "worksheet":
            raise PackageError(f"sheet {self._name}: its part is no worksheet but <{tag[:60]}>")
        if (parent, tag) in _PLACED:
            self._starts[tag](attributes)
        elif (parent, tag) in _BESIDE:
            self._ignores = len(self._path)
        elif tag in ("sheetData", "row", "c") or parent in ("sheetData", "row"):
            raise self._wrong(f"<{tag[:60]}> stands inside <{parent[:60]}>, where none may")
        elif self._cell is not None and (parent, tag) != ("is", "r"):
            self._cell.fault = self._cell.fault or f"an unknown element <{tag[:60]}> in the cell"

    def end(self, tag: str) -> None:
        """Leave an element; a cell is then whole."""
        if len(self._path) == self._ignores:
            self._ignores = 0
        self._path.pop()
        self._takes = False
        if tag == "c" and self._cell is not None:
            self._end_cell(self._cell)
            self._cell = None

    def text(self, data: str) -> None:
        """Take a cell's content; text where none may stand is a fault."""
        cell = self._cell
        if self._ignores:
            return
        if self._takes and cell is not None:
            if cell.length < _KEPT:
                cell.content.append(data[:_KEPT])
            cell.length += len(data)
        elif data.strip():
            where = self._path[-1]
            if cell is not None and where in ("c", "is", "r"):
                cell.fault = cell.fault or "text beside the cell's value"
            elif where in ("sheetData", "row"):
                raise self._wrong(f"text stands in <{where}>, where none may")

    def rows(self) -> Rows:
        """All rows from the first line on, each as long as it is filled."""
        self._cover()
        return [self._filled.get(number, EMPTY) for number in range(self._last)]

    def _wrong(self, what: str) -> PackageError:
        return PackageError(f"sheet {self._name}: {what}")

    def _begin_data(self, attributes: dict[str, str]) -> None:
        if self._has_data:
            raise self._wrong("it has two <sheetData>")
        self._has_data = True

    def _begin_row(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r")
        found = _NUMBERED.fullmatch(said) if said is not None else None
        if said is not None and found is None:
            raise self._wrong(f"a row has the number {said[:20]!r}")
        number = int(found[1]) if found else self._row + 1
        if number > _LAST_ROW:
            raise self._wrong(f"it has a row {number}")
        if self._seen_rows[number]:
            raise self._wrong(f"two rows have the number {number}")
        self._seen_rows[number] = 1
        self._row, self._at = number, -1
        self._seen.clear()

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r")
        self._at = self._at + 1 if said is None else self._place(said)
        if self._at >= _LAST_COLUMN:
            raise self._wrong(f"row {self._row} has more than {_LAST_COLUMN} cells")
        if self._at in self._seen:
            raise self._wrong(f"two cells of row {self._row} stand in column {self._at + 1}")
        self._seen.add(self._at)
        self.cells += 1
        self._cell = _Cell(self._at, attributes.get("t", "n"), attributes.get("s", "0"))
        if self._arrays:
            self._cell.is_formula = _is_inside(self._arrays, self._row - 1, self._at)

    def _place(self, said: str) -> int:
        found = _PLACE.fullmatch(said)
        if found is None:
            raise self._wrong(f"a cell has the place {said[:20]!r}")
        if int(found[2]) != self._row:
            raise self._wrong(f"the cell {said[:20]} stands in row {self._row}")
        return _column(found[1])

    def _begin_formula(self, attributes: dict[str, str]) -> None:
        assert self._cell is not None
        self._cell.is_formula = True
        if attributes.get("t") in ("array", "dataTable") and "ref" in attributes:
            top, left, bottom, right = self._area(attributes["ref"])
            if (top, left) != (bottom, right):
                self._arrays.append((top, left, bottom, right))

    def _begin_content(self, attributes: dict[str, str]) -> None:
        cell = self._cell
        assert cell is not None
        is_inline = self._path[-1] == "is"
        if cell.has_content or is_inline != (cell.kind == "inlineStr"):
            cell.fault = cell.fault or "a value that is not stored as its kind is"
        cell.has_content = True
        self._takes = not is_inline

    def _begin_text(self, attributes: dict[str, str]) -> None:
        self._takes = self._cell is not None

    def _end_cell(self, cell: _Cell) -> None:
        content = "".join(cell.content) if cell.has_content else None
        value = (
            CellFault(cell.fault, content or "")
            if cell.fault
            else self._store.value(cell.kind, cell.style, content, cell.is_formula)
        )
        if value is None:
            return
        self._budget.take(value)
        row = self._filled.get(self._row - 1)
        if row is None:
            self._budget.take_row()
            row = self._filled[self._row - 1] = []
        self._widest, self._last = max(self._widest, cell.at + 1), max(self._last, self._row)
        self._check_area(self._widest * self._last)
        if cell.at >= len(row):
            row += [None] * (cell.at + 1 - len(row))
        row[cell.at] = value

    def _check_area(self, area: int) -> None:
        if area > _AREA_LIMIT:
            raise self._wrong(f"it spans more than {_AREA_LIMIT:,} cells")

    def _begin_merged(self, attributes: dict[str, str]) -> None:
        self._merged.append(self._area(attributes.get("ref", "")))

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
        """Cells that a merged area covers are blank to see, and yet not stated to be empty."""
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


# What may stand where and is read; and what may stand inside a cell and says nothing of its value.
_PLACED = {
    ("worksheet", "sheetData"), ("sheetData", "row"), ("row", "c"), ("c", "f"), ("c", "v"),
    ("c", "is"), ("is", "t"), ("r", "t"), ("mergeCells", "mergeCell"),
}  # fmt: skip
_BESIDE = {
    ("is", "rPh"), ("is", "phoneticPr"), ("r", "rPr"), ("c", "extLst"), ("row", "extLst"),
}  # fmt: skip


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def _is_inside(areas: list[Area], row: int, at: int) -> bool:
    return any(top <= row <= bottom and left <= at <= right for top, left, bottom, right in areas)
