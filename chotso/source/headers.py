"""A sheet whose columns are named by a header, which may stand below a title."""

from typing import Any

from chotso.contracts import Contract, FileSource
from chotso.source.cells import CellFault
from chotso.source.drop_folder import Delivery, refused
from chotso.source.layouts import Placed, header_name
from chotso.source.sheets import Sheet, holds_something
from chotso.source.texts import shown

_SHOWN = 300
_TITLE_ROWS = 10
# A row that names fewer columns may be a row with personal data, so it is not shown in a message.
_NAMED = 2


def by_header(contract: Contract, delivery: Delivery, sheets: list[Sheet]) -> list[Placed]:
    """Read the first sheet by the column names in its header row.

    Raises:
        RefusedDeliveryError: A column is missing or stands there twice.
    """
    assert isinstance(contract.source, FileSource)
    sheet = sheets[0] if sheets else Sheet("", [])
    wanted = [column.found_as or name for name, column in contract.columns.items()]
    at, names = _header(sheet, wanted)
    missing = [name for name in wanted if name not in names]
    if missing:
        found = [_shown(cell) for cell in sheet.rows[at]] if sheet.rows else []
        told = ", ".join(filter(None, found))[:_SHOWN] or "nothing"
        if len(wanted) - len(missing) < _NAMED and told != "nothing":
            told = f"no row of the first {_TITLE_ROWS} that names them"
        raise refused(delivery.name, f"its header lacks {', '.join(missing)}; found: {told}")
    doubled = [name for name in wanted if names.count(name) > 1]
    if doubled:
        raise refused(delivery.name, f"its header has {', '.join(doubled)} more than once")
    data = [row for row in sheet.rows[at + contract.source.header_rows :] if holds_something(row)]
    return [Placed(sheet, data, {name: names.index(name) for name in wanted}, None)]


def _header(sheet: Sheet, wanted: list[str]) -> tuple[int, list[str]]:
    """The row that names most columns, among the first rows of the sheet."""
    found = [[header_name(cell) for cell in row] for row in sheet.rows[:_TITLE_ROWS]] or [[]]
    named = [len(set(wanted) & set(names)) for names in found]
    at = max(range(len(found)), key=lambda row: (named[row], any(found[row]), -row))
    return at, found[at]


def _shown(value: Any) -> str:
    return "" if isinstance(value, CellFault) else shown(str(value or "").strip(" "))
