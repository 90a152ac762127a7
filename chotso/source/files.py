"""A delivered file as typed rows: which column stands where is data, found out from the content."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from chotso.contracts import Column, Contract, FileSource
from chotso.source.arrow import landed_schema
from chotso.source.cells import UnreadableError, found, read_cell
from chotso.source.drop_folder import Delivery, refused
from chotso.source.sheets import Sheet, read_sheets


@dataclass(frozen=True)
class ParsedFile:
    """The typed rows of one delivery, and what it states in full.

    `scope` holds one row per full statement: the contract's scope columns and `content_sha256`,
    which is the same for the same rows in whatever name, format or order.
    """

    rows: pa.Table
    scope: pa.Table | None


def parse(item: Contract, delivery: Delivery) -> ParsedFile:
    """Read a delivery by its feed's contract.

    Raises:
        RefusedDeliveryError: Bytes or counts differ from the manifest, the file is unreadable, or
            its layout is not one that the contract knows.
    """
    assert isinstance(item.source, FileSource)
    delivery.check_bytes()
    by_header = item.source.reader == "first_sheet_by_header"
    sheets = read_sheets(delivery.local, delivery.parts.get("sheet"), only_first=by_header)
    places = (
        _by_header(item, delivery, sheets) if by_header else _by_position(item, delivery, sheets)
    )
    rows = list(_typed_rows(item, places))
    delivery.check_count(len(rows))
    return ParsedFile(_table(item, rows), _scope(item, delivery, sheets, rows))


@dataclass(frozen=True)
class _Placed:
    """A sheet's data rows with the index at which each named column stands."""

    sheet: Sheet
    data: list[list[Any]]
    index: dict[str, int]
    width: int | None


def _by_header(item: Contract, delivery: Delivery, sheets: list[Sheet]) -> list[_Placed]:
    assert isinstance(item.source, FileSource)
    sheet = sheets[0] if sheets else Sheet("", [])
    header = sheet.rows[0] if sheet.rows else []
    names = [str(cell or "").strip().lower() for cell in header]
    wanted = [spec.found_as or name for name, spec in item.columns.items()]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise refused(
            delivery.name,
            f"its header lacks {', '.join(missing)}; found: {', '.join(filter(None, names))}",
        )
    doubled = [name for name in wanted if names.count(name) > 1]
    if doubled:
        raise refused(delivery.name, f"its header has {', '.join(doubled)} more than once")
    data = [row for row in sheet.rows[item.source.header_rows :] if _any(row)]
    return [_Placed(sheet, data, {name: names.index(name) for name in wanted}, None)]


def _by_position(item: Contract, delivery: Delivery, sheets: list[Sheet]) -> list[_Placed]:
    assert isinstance(item.source, FileSource)
    layouts = {layout.name: _index(item.source, layout.inserted) for layout in item.source.layouts}
    chosen = [_recognise(item, sheet, layouts) for sheet in sheets]
    usual = Counter(name for name in chosen if name).most_common(1)
    placed = []
    for sheet, name in zip(sheets, chosen, strict=True):
        name = name or (usual[0][0] if usual else next(iter(layouts)))
        data = list(_data_rows(item, sheet, layouts[name]))
        if data and not usual:
            raise refused(
                delivery.name,
                f"sheet {sheet.name}: in none of the layouts {', '.join(layouts)} do "
                f"{', '.join(item.source.recognised_by)} stand where they should; its widest row "
                f"has {max(map(len, sheet.rows))} cells",
            )
        _refuse_wider(delivery, sheet, data, len(layouts[name]), name)
        exact = len(layouts[name]) if delivery.local.suffix.lower() == ".csv" else None
        placed.append(_Placed(sheet, data, layouts[name], exact))
    return placed


def _index(source: FileSource, inserted: dict[str, int]) -> dict[str, int]:
    names = list(source.sheet_columns)
    for name, at in inserted.items():
        names.insert(at, name)
    return {name: at for at, name in enumerate(names)}


def _recognise(item: Contract, sheet: Sheet, layouts: dict[str, dict[str, int]]) -> str | None:
    assert isinstance(item.source, FileSource)
    votes = {
        name: sum(_stands(item, row, index) for row in sheet.rows)
        for name, index in layouts.items()
    }
    best, second = (*sorted(votes.values(), reverse=True), 0)[:2]
    return max(votes, key=lambda name: votes[name]) if best > second else None


def _stands(item: Contract, row: list[Any], index: dict[str, int]) -> bool:
    assert isinstance(item.source, FileSource)
    for name in item.source.recognised_by:
        spec = item.columns[name]
        try:
            value = read_cell(_cell(row, index[spec.found_as or name]), spec)
        except UnreadableError:
            return False
        if spec.required and value is None:
            return False
    return True


def _data_rows(item: Contract, sheet: Sheet, index: dict[str, int]) -> Iterator[list[Any]]:
    """Rows from the first data row on, and any earlier one that is data and no header."""
    assert isinstance(item.source, FileSource)
    for number, row in enumerate(sheet.rows):
        in_header = number < item.source.header_rows
        if _any(row) and (not in_header or _stands(item, row, index)):
            yield row


def _refuse_wider(
    delivery: Delivery, sheet: Sheet, data: list[list[Any]], width: int, layout: str
) -> None:
    if any(_any(row[width:]) for row in data):
        raise refused(
            delivery.name,
            f"sheet {sheet.name} has values beyond the {width} columns of layout {layout}",
        )


def _typed_rows(item: Contract, places: Iterable[_Placed]) -> Iterator[dict[str, Any]]:
    for placed in places:
        for row in placed.data:
            yield _typed_row(item, placed, row)


def _typed_row(item: Contract, placed: _Placed, row: list[Any]) -> dict[str, Any]:
    assert isinstance(item.source, FileSource)
    values: dict[str, Any] = {}
    bad: dict[str, str] = {}
    for name, spec in item.columns.items():
        if name == item.source.sheet_code:
            values[name] = placed.sheet.name
        elif spec.type == "jsonb":
            values[name] = _others(item, placed.index, row)
        else:
            cell = _cell(row, placed.index[spec.found_as or name])
            values[name], problem = _read(cell, spec)
            if problem:
                bad[name] = problem
    if placed.width is not None and len(row) != placed.width:
        bad["(row)"] = f"{len(row)} fields where the layout has {placed.width}"
    values["unreadable"] = json.dumps(bad, ensure_ascii=False) if bad else None
    return values


def _read(cell: Any, spec: Column) -> tuple[Any, str | None]:
    try:
        return read_cell(cell, spec), None
    except UnreadableError as error:
        return None, f"{error}: {found(cell)}"


def _others(item: Contract, index: dict[str, int], row: list[Any]) -> str:
    assert isinstance(item.source, FileSource)
    used = {spec.found_as or name for name, spec in item.columns.items()}
    kept = {
        name: _as_text(value)
        for name, at in index.items()
        if name not in used
        and name not in item.source.not_loaded
        and (value := _cell(row, at)) is not None
    }
    return json.dumps(kept, ensure_ascii=False)


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date | datetime) else str(value).replace("\0", "")


def _table(item: Contract, rows: list[dict[str, Any]]) -> pa.Table:
    schema = landed_schema(item)
    numbered = [{"row_no": number, **row} for number, row in enumerate(rows, 1)]
    return pa.Table.from_pylist(numbered, schema=schema)


def _scope(
    item: Contract, delivery: Delivery, sheets: list[Sheet], rows: list[dict[str, Any]]
) -> pa.Table | None:
    if item.history != "statement":
        return None
    assert isinstance(item.source, FileSource)
    code = item.source.sheet_code
    assert code is not None
    month = next(name for name in item.scope if name != code)
    by_sheet: dict[str, list[str]] = {sheet.name: [] for sheet in sheets}
    compared = [*item.key, *item.tracked]
    for row in rows:
        by_sheet[row[code]].append(
            json.dumps([row[n] for n in compared] + [row["unreadable"]], default=str)
        )
    return pa.table(
        {
            code: pa.array(list(by_sheet), pa.string()),
            month: pa.array([delivery.month] * len(by_sheet), pa.date32()),
            "content_sha256": pa.array([_digest(lines) for lines in by_sheet.values()]),
        }
    )


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(set(lines))).encode()).hexdigest()


def _cell(row: list[Any], at: int) -> Any:
    return row[at] if at < len(row) else None


def _any(row: list[Any]) -> bool:
    return any(cell is not None for cell in row)
