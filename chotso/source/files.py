"""A delivered file as typed rows, and the scopes that it states in full."""

import gc
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any

import pyarrow as pa

from chotso.characters import spelled_out
from chotso.contracts import Column, Contract, FileSource
from chotso.source.arrow import landed_schema
from chotso.source.cells import CellFault, UnreadableError, found, read_cell
from chotso.source.database_values import TEXT_LIMIT
from chotso.source.delimited import read_delimited
from chotso.source.drop_folder import Delivery, refused
from chotso.source.headers import by_header
from chotso.source.layouts import Placed, by_position, cell, rows_that_stand
from chotso.source.sheets import Sheet, holds_something, is_csv
from chotso.source.side_sheets import left_out, with_codes
from chotso.source.workbook import read_workbook

# An index entry must hold a whole key of up to four texts.
_KEY_LIMIT = 100
_ROWS_AT_ONCE = 2_000
_TEXT_OR_FAULT = (str, CellFault)


@dataclass(frozen=True)
class ParsedFile:
    """The typed rows of one delivery, and the scopes that it states in full.

    `scope` has one row per full statement: the contract's scope columns and `content_sha256`. This
    hash is equal for equal rows, in whatever file name, format or order. `notes` say what was not
    read, and what was read although it is hidden.
    """

    rows: pa.Table
    scope: pa.Table | None
    notes: list[str] = field(default_factory=list)


def parse(contract: Contract, delivery: Delivery) -> ParsedFile:
    """Read a delivery by its feed's contract.

    Raises:
        RefusedDeliveryError: Bytes or counts differ from the manifest, the file is unreadable, or
            its layout is not one that the contract knows.
    """
    assert isinstance(contract.source, FileSource)
    _check_name(contract.source, delivery)
    delivery.check_bytes()
    with _no_collection():
        sheets, notes = _sheets(contract, contract.source, delivery)
        has_header = contract.source.reader == "first_sheet_by_header"
        placed = (by_header if has_header else by_position)(contract, delivery, sheets)
        statement = _Statement(contract, delivery, sheets)
        rows = pa.Table.from_batches(_batches(contract, placed, statement), landed_schema(contract))
    delivery.check_count(rows.num_rows)
    return ParsedFile(rows, statement.scope(), notes + _of_its_month(delivery))


@contextmanager
def _no_collection() -> Iterator[None]:
    """No search for reference cycles meanwhile: a file's cells have none, and make it search on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _sheets(
    contract: Contract, source: FileSource, delivery: Delivery
) -> tuple[list[Sheet], list[str]]:
    """The sheets to read, and messages on the file."""
    path = delivery.local
    if is_csv(path):
        rows = read_delimited(path, lambda rows: rows_that_stand(contract, rows))
        return [Sheet(_sheet(delivery) or path.stem, rows)], []
    is_first = source.reader == "first_sheet_by_header"
    sheets, notes = read_workbook(path, only_first=is_first)
    if is_first:
        return sheets, notes
    sheets = with_codes(source, delivery, sheets)
    beside = left_out(contract, source, sheets)
    notes += [
        f"sheet {name} was left out: it is no agency's, and has no accounts of its own"
        for name in beside
    ]
    return [sheet for sheet in sheets if sheet.name not in beside], notes


def _check_name(source: FileSource, delivery: Delivery) -> None:
    """Refuse a name that only looks like the feed's, so that no delivery stays unread."""
    is_right = re.fullmatch(source.pattern, delivery.name) is not None
    if not is_right or (source.sheet_code and is_csv(delivery.local) and not _sheet(delivery)):
        raise refused(delivery.name, f"its name is not of the form {source.named_like}")
    _ = delivery.stated_at, delivery.month  # each raises an error if it is no instant or month


def _of_its_month(delivery: Delivery) -> list[str]:
    """A message if the file's month is later than the instant of its export."""
    stated_at, month = delivery.stated_at, delivery.month
    if stated_at is None or month is None or month <= stated_at.date():
        return []
    return [f"the month {month:%Y%m} had not begun at the instant of its name; it was read"]


def _sheet(delivery: Delivery) -> str | None:
    return delivery.parts.get("sheet")


def _batches(
    contract: Contract, places: Iterable[Placed], statement: "_Statement"
) -> Iterator[pa.RecordBatch]:
    """The typed rows in small batches: Python objects take ten times the memory."""
    schema = landed_schema(contract)
    numbered = enumerate(_typed_rows(contract, places), 1)
    while rows := list(islice(numbered, _ROWS_AT_ONCE)):
        for _, row in rows:
            statement.add(row)
        yield pa.RecordBatch.from_pylist([{"row_no": n, **row} for n, row in rows], schema=schema)


def _typed_rows(contract: Contract, places: Iterable[Placed]) -> Iterator[dict[str, Any]]:
    for placed in places:
        plan = _Plan(contract, placed)
        for row in placed.data:
            yield _typed_row(contract, plan, row)


class _Plan:
    """Where a sheet has the contract's columns; the same for all its rows."""

    def __init__(self, contract: Contract, placed: Placed) -> None:
        assert isinstance(contract.source, FileSource)
        source, index = contract.source, placed.index
        self.source, self.placed = source, placed
        self.names = {at: name for name, at in index.items()}
        self.columns = [
            (
                name,
                index[column.found_as or name],
                column,
                _KEY_LIMIT if name in contract.key else TEXT_LIMIT,
            )
            for name, column in contract.columns.items()
            if name != source.sheet_code and column.type != "jsonb"
        ]
        used = {column.found_as or name for name, column in contract.columns.items()}
        self.others = [
            (name, at)
            for name, at in index.items()
            if name not in used and name not in source.not_loaded
        ]
        self.given = {source.sheet_code: placed.sheet.name} if source.sheet_code else {}
        self.packed = [name for name, column in contract.columns.items() if column.type == "jsonb"]


def _typed_row(contract: Contract, plan: _Plan, row: list[Any]) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(contract.columns) | plan.given
    bad: dict[str, str] = {}
    length = len(row)
    for name, at, column, limit in plan.columns:
        values[name], problem = _read(row[at] if at < length else None, column, limit)
        if problem:
            bad[name] = problem
    for at, value in enumerate(row):
        if isinstance(value, _TEXT_OR_FAULT) and _is_no_text(value) and at in plan.names:
            bad.setdefault(plan.names[at], "bytes that are no text")
    placed, width = plan.placed, plan.placed.width
    if width and (
        (length > width and holds_something(row[width:]))
        or (placed.fields is not None and length != placed.fields)
    ):
        bad["(row)"] = f"{length} fields where the layout has {placed.fields or width}"
    # If columns have shifted, any cell may be a contact, which must not be loaded.
    is_placed = _stands(contract, plan.source, values, bad)
    if not is_placed:
        _hide_codes(contract, plan, values, bad)
    values |= dict.fromkeys(plan.packed, _others(plan, row) if is_placed else "{}")
    values["unreadable"] = json.dumps(bad, ensure_ascii=False) if bad else None
    return values


def _stands(
    contract: Contract, source: FileSource, values: dict[str, Any], bad: dict[str, str]
) -> bool:
    """Whether the row's columns are where its layout has them."""
    missing = [
        n for n in source.recognised_by if values[n] is None and contract.columns[n].required
    ]
    return not missing and "(row)" not in bad and not bad.keys() & set(source.recognised_by)


def _hide_codes(
    contract: Contract, plan: _Plan, values: dict[str, Any], bad: dict[str, str]
) -> None:
    """Hide values in code columns that cannot be a code: they may be a name or an address."""
    for name in plan.source.recognised_by:
        shape, value = contract.columns[name].shape, values[name]
        if shape and value is not None and not re.fullmatch(shape, value):
            values[name] = None
            bad.setdefault(name, f"no code: {found(value)}")


def _is_no_text(value: str | CellFault) -> bool:
    shown = str(value)
    return "\ufffd" in shown if isinstance(value, CellFault) else "\x00" in shown


def _read(value: Any, column: Column, limit: int) -> tuple[Any, str | None]:
    """A cell's value and what is wrong with it; a code that may have lost zeros has both."""
    try:
        read = read_cell(value, column)
    except UnreadableError as error:
        has_more = not isinstance(value, CellFault) or value.shown
        return None, f"{error}: {found(value)}" if has_more else str(error)
    if column.type == "text" and isinstance(read, str):
        read = unicodedata.normalize("NFC", spelled_out(read))
        if len(read) > limit:
            return None, f"more than {limit} characters: {found(value)}"
    if column.form == "code" and value is not None and not isinstance(value, str):
        return read, f"a number where a code is due, it may have lost zeros: {found(value)}"
    return read, None


def _others(plan: _Plan, row: list[Any]) -> str:
    kept = {
        name: _as_text(value) for name, at in plan.others if (value := cell(row, at)) is not None
    }
    return json.dumps(kept, ensure_ascii=False)


def _as_text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # jsonb cannot hold NUL; its symbol is stored instead.
    shown = value.isoformat() if isinstance(value, date | datetime) else str(value)
    return shown.replace("\0", "\u2400")


class _Statement:
    """What a delivery states in full, sheet by sheet; nothing if the feed has no statements."""

    def __init__(self, contract: Contract, delivery: Delivery, sheets: list[Sheet]) -> None:
        assert isinstance(contract.source, FileSource)
        self._contract, self._month = contract, delivery.month
        self._code = contract.source.sheet_code or ""
        self._is_full = contract.kept_as == "statement"
        self._by_sheet: dict[str, list[str]] = {sheet.name: [] for sheet in sheets}
        self._compared = [*contract.key, *contract.tracked]

    def add(self, row: dict[str, Any]) -> None:
        """Count a typed row of a sheet."""
        if self._is_full:
            told = [row[name] for name in self._compared]
            line = json.dumps([*told, row["unreadable"]], default=str)
            self._by_sheet[row[self._code]].append(line)

    def scope(self) -> pa.Table | None:
        """One row per sheet, with the hash of its rows."""
        if not self._is_full:
            return None
        month = next(name for name in self._contract.scope if name != self._code)
        digests = [_digest(lines) for lines in self._by_sheet.values()]
        return pa.table(
            {
                self._code: pa.array(list(self._by_sheet), pa.string()),
                month: pa.array([self._month] * len(digests), pa.date32()),
                "content_sha256": pa.array(digests),
            }
        )


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(set(lines))).encode()).hexdigest()
