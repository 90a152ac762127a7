"""Reads values of a database exactly, or not at all.

A database stores typed values. The tolerant reading of hand-made files is not used here: no
thousands separators, no day-first dates, no trimming of text. So reading in bulk and reading row by
row give the same result.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from chotso.characters import spelled_out
from chotso.contracts import Column
from chotso.source.cells import UnreadableError, read_cell

_WHOLE = re.compile(r"([+-]?[0-9]{1,30})(?:\.0+)?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00:00(?:\.0+)?)?")

TEXT_LIMIT = 500
"""Characters of a text: names and codes are shorter, and an index entry holds no more."""


def read_value(value: Any, column: Column) -> Any:
    """The value as the column's type; None for null.

    Raises:
        UnreadableError: There is no exact reading.
    """
    if value is None:
        return 0 if column.null_is_zero else None
    reader = _READERS.get(column.type)
    if reader is not None:
        return reader(value, column)
    if value == "":
        raise UnreadableError(f"empty text where {column.type} is due")
    return read_cell(value, column.model_copy(update={"form": None}))


def _text(value: Any, column: Column) -> str:
    if isinstance(value, date):  # a datetime is a date, too
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UnreadableError(f"a {type(value).__name__} where text is due")
    if "\x00" in value:
        raise UnreadableError("a NUL character")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise UnreadableError("half a character")
    if len(value) > TEXT_LIMIT:
        raise UnreadableError(f"more than {TEXT_LIMIT} characters")
    return spelled_out(value)


def _whole(value: Any, column: Column) -> Any:
    if isinstance(value, Decimal):
        value = format(value, "f")
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value)
        if match is None:
            raise UnreadableError("not a whole number")
        value = int(match[1])
    return read_cell(value, column)


def _day(value: Any, column: Column) -> date:
    if isinstance(value, datetime):
        if value.time() != time.min:
            raise UnreadableError("a day with a time of day")
        return value.date()
    if isinstance(value, date):
        return value
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        if match:
            return date.fromisoformat(match[1])
    except ValueError as error:
        raise UnreadableError("not a date") from error
    raise UnreadableError("not a date")


_READERS: dict[str, Callable[[Any, Column], Any]] = {
    "text": _text,
    "smallint": _whole,
    "integer": _whole,
    "bigint": _whole,
    "date": _day,
}
