"""Finds out which column is where on a sheet, by its content or by a correct header.

The headers of these sheets are not dependable. The layout is the one in which most rows have codes,
months and amounts in the right columns. If a header names the columns in an order that is no
layout's, the sheet is refused.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chotso.contracts import Column, Contract, FileSource
from chotso.source.cells import CellFault, UnreadableError, read_cell
from chotso.source.drop_folder import Delivery, refused
from chotso.source.sheets import Sheet, holds_something, is_csv
from chotso.source.texts import seen


@dataclass(frozen=True)
class Placed:
    """A sheet's data rows, and the index of each named column.

    `width` is the number of the layout's columns; None if a header names them. `fields` is the
    number of fields that each row must have, if empty ones at its end cannot be left out.
    """

    sheet: Sheet
    data: list[list[Any]]
    index: dict[str, int]
    width: int | None
    fields: int | None = None


def by_position(contract: Contract, delivery: Delivery, sheets: list[Sheet]) -> list[Placed]:
    """Find the layout of each sheet by its content, or else use the layout of the file.

    Raises:
        RefusedDeliveryError: No sheet with data shows a layout, a header names the columns in
            another order, or the rows have values beyond the layout's columns.
    """
    reader = _Reader(contract)
    chosen = [reader.recognise(delivery, sheet) for sheet in sheets]
    usual = Counter(name for name in chosen if name).most_common(1)
    placed = []
    for sheet, shown in zip(sheets, chosen, strict=True):
        name = shown or (usual[0][0] if usual else next(iter(reader.layouts)))
        data = list(reader.data_rows(sheet, reader.layouts[name]))
        if data and not usual:
            raise refused(delivery.name, reader.expected(sheet))
        index = reader.layouts[name]
        placed.append(_checked(delivery, sheet, data, index, name, reader.fields(sheet, index)))
    return placed


def rows_that_stand(contract: Contract, rows: list[list[Any]]) -> int:
    """The number of rows that have codes, months and amounts where some layout has them."""
    if not _layouts(contract):
        return len(rows)
    reader = _Reader(contract)
    return max(sum(reader.stands(row, at) for row in rows) for at in reader.layouts.values())


def accounts_of(contract: Contract, rows: list[list[Any]]) -> set[str]:
    """Codes of rows that are accounts in some layout, malformed codes included."""
    reader = _Reader(contract)
    return {
        code
        for row in rows
        for index in reader.layouts.values()
        if (code := reader.code(row, index))
    }


def _layouts(contract: Contract) -> dict[str, dict[str, int]]:
    assert isinstance(contract.source, FileSource)
    found = {}
    for layout in contract.source.layouts:
        names = list(contract.source.sheet_columns)
        for name, at in layout.inserted.items():
            names.insert(at, name)
        found[layout.name] = {name: at for at, name in enumerate(names)}
    return found


class _Reader:
    """Judges rows of one contract's sheets."""

    def __init__(self, contract: Contract) -> None:
        assert isinstance(contract.source, FileSource)
        self.layouts = _layouts(contract)
        self._contract = contract
        self._source = contract.source

    def recognise(self, delivery: Delivery, sheet: Sheet) -> str | None:
        """The layout of a sheet by its content, or else by its header; None if neither shows it."""
        headed = self._headed(delivery, sheet)
        standing = {
            name: [row for row in sheet.rows if self.stands(row, index)]
            for name, index in self.layouts.items()
        }
        best, second = (*sorted(map(len, standing.values()), reverse=True), 0)[:2]
        if best <= second:
            return headed
        chosen = max(standing, key=lambda name: len(standing[name]))
        self._refuse_two_codes(delivery, sheet, standing[chosen], self.layouts[chosen])
        return chosen

    def _refuse_two_codes(
        self, delivery: Delivery, sheet: Sheet, rows: list[list[Any]], index: dict[str, int]
    ) -> None:
        """Refuse a sheet with a second column of codes: an extra column shifts all others."""
        for name in self._source.recognised_by:
            column = self._contract.columns[name]
            at = index[column.found_as or name] + 1
            doubled = sum(
                column.shape is not None and _has_shape(cell(row, at), column) for row in rows
            )
            if doubled * 2 > len(rows):
                raise refused(
                    delivery.name,
                    f"sheet {sheet.name} is in none of the layouts {', '.join(self.layouts)}: "
                    f"column {at} and column {at + 1} both hold what {name} looks like",
                )

    def stands(self, row: list[Any], index: dict[str, int]) -> bool:
        """Whether the columns of a row that identify a layout are readable in this layout."""
        for name in self._source.recognised_by:
            column = self._contract.columns[name]
            try:
                value = read_cell(cell(row, index[column.found_as or name]), column)
            except UnreadableError:
                return False
            if column.required and value is None:
                return False
            if column.shape and not _has_shape(value, column):
                return False
        return True

    def data_rows(self, sheet: Sheet, index: dict[str, int]) -> Iterator[list[Any]]:
        """The rows from the first data row on, and earlier rows that are data and no header."""
        for number, row in enumerate(sheet.rows):
            in_header = number < self._source.header_rows
            if holds_something(row) and (not in_header or self._is_data(row, index)):
                yield row

    def code(self, row: list[Any], index: dict[str, int]) -> str | None:
        """The code of a data row; None for other rows."""
        if not holds_something(row) or not self._is_data(row, index):
            return None
        first = self._source.recognised_by[0]
        return seen(str(cell(row, index[self._contract.columns[first].found_as or first])))

    def _is_data(self, row: list[Any], index: dict[str, int]) -> bool:
        """Whether a row at a header's place is data: an account, possibly malformed.

        A header has names, or the columns' own numbers. An account has a code and amounts.
        """
        if self.stands(row, index):
            return True
        first = self._source.recognised_by[0]
        code = cell(row, index[self._contract.columns[first].found_as or first])
        places = [
            index[column.found_as or name]
            for name, column in self._contract.columns.items()
            if column.type == "bigint" and _is_number(cell(row, index[column.found_as or name]))
        ]
        counted = {float(str(row[at]).strip().replace(",", ".")) - at for at in places}
        return code is not None and len(places) > 2 and len(counted) > 1

    def _headed(self, delivery: Delivery, sheet: Sheet) -> str | None:
        """The layout whose columns a header names in their places; None without such a header."""
        for row in sheet.rows[: self._source.header_rows]:
            names = [_plain(cell) for cell in row]
            for layout, index in self.layouts.items():
                if names[: len(index)] == [_plain(name) for name in index]:
                    return layout
            self._refuse_other_order(delivery, sheet, names)
        return None

    def fields(self, sheet: Sheet, index: dict[str, int]) -> int:
        """The number of fields of a row: as many as the header has, including empty ones."""
        for row in sheet.rows[: self._source.header_rows]:
            names = [_plain(cell) for cell in row]
            if names[: len(index)] == [_plain(n) for n in index] and not any(names[len(index) :]):
                return len(row)
        return len(index)

    def _refuse_other_order(self, delivery: Delivery, sheet: Sheet, names: list[str]) -> None:
        """Refuse a header that names the columns in the order of no layout."""
        order = [_plain(name) for name in self._source.sheet_columns]
        places = [at for at, name in enumerate(names) if name in order]
        if len(places) * 2 < len(order):
            return
        inserted = {_plain(n) for layout in self._source.layouts for n in layout.inserted}
        headed = [
            (at, name)
            for at, name in enumerate(names[: places[-1] + 1])
            if at >= places[0] and name not in inserted
        ]
        if [name for _, name in headed] == order:
            return
        ended = (places[-1] + 1, "nothing")
        found = [*headed, *[ended] * (len(order) - len(headed))]
        expected = [*order, *["nothing"] * (len(headed) - len(order))]
        (at, name), other = next(
            pair for pair in zip(found, expected, strict=True) if pair[0][1] != pair[1]
        )
        raise refused(
            delivery.name,
            f"sheet {sheet.name}: its header names {len(headed)} columns, in the order of none of "
            f"the layouts {', '.join(self.layouts)}: found {name[:40] or 'an empty cell'} at "
            f"column {at + 1}, expected {other}",
        )

    def expected(self, sheet: Sheet) -> str:
        """What was found on a sheet without a known layout, and what was expected."""
        telling = [
            self._contract.columns[name].found_as or name for name in self._source.recognised_by
        ]
        places = [
            f"{layout}: " + ", ".join(f"{name} at column {index[name] + 1}" for name in telling)
            for layout, index in self.layouts.items()
        ]
        return (
            f"sheet {sheet.name}: in none of the layouts {', '.join(self.layouts)} do "
            f"{', '.join(self._source.recognised_by)} stand where they should; its widest row "
            f"has {max(map(len, sheet.rows))} cells; expected in layout {'; in '.join(places)}"
        )


def _checked(
    delivery: Delivery,
    sheet: Sheet,
    data: list[list[Any]],
    index: dict[str, int],
    layout: str,
    fields: int,
) -> Placed:
    """The rows in a layout; refuse them if most have values beyond its columns."""
    width = len(index)
    wider = sum(holds_something(row[width:]) for row in data)
    if wider * 2 > len(data):
        raise refused(
            delivery.name,
            f"sheet {sheet.name} has values beyond the {width} columns of layout {layout}; "
            f"its widest row has {max(map(len, data))} cells",
        )
    if not is_csv(delivery.local):
        return Placed(sheet, data, index, width)
    torn = [row for row in data if len(row) != fields and any(_is_broken(cell) for cell in row)]
    if torn:
        raise refused(
            delivery.name,
            f"it is not readable CSV (unbalanced quotes: a line of {len(torn[0])} fields has a "
            f"line break inside one, layout {layout} has {fields})",
        )
    return Placed(sheet, data, index, width, fields)


def _has_shape(value: Any, column: Column) -> bool:
    return isinstance(value, str) and re.fullmatch(column.shape or "", value.strip()) is not None


def _is_broken(found: Any) -> bool:
    return isinstance(found, str) and ("\n" in found or "\r" in found)


def _is_number(found: Any) -> bool:
    if isinstance(found, str):
        text = found.strip()
        return text.isascii() and text.lstrip("+-").replace(",", "", 1).isdigit()
    return isinstance(found, int | float) and not isinstance(found, bool)


def header_name(value: Any) -> str:
    """A header's name without invisible characters and without a mandatory column's asterisk."""
    return "" if isinstance(value, CellFault) else seen(str(value or "")).strip("*:()").casefold()


def _plain(name: Any) -> str:
    return header_name(name).strip("_")


def cell(row: list[Any], at: int) -> Any:
    """The cell of a row at an index; None beyond its end."""
    return row[at] if at < len(row) else None
