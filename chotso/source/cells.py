"""Text and cells to typed values, exactly or not at all.

A value that could mean two things, or lose something, is not guessed: it is unreadable, and the
row's rules set it aside with what was found.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chotso.contracts import Column

_EXACT_FLOAT = 2**53
_LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_EXCEL_EPOCH = date(1899, 12, 30)
_EXCEL_SERIALS = range(30000, 80000)

_WHOLE = re.compile(r"[+-]?\d+")
_WHOLE_ZERO_FRACTION = re.compile(r"([+-]?\d+)[.,]0{1,2}")
_THOUSAND_DOTS = re.compile(r"([+-]?\d{1,3}(?:\.\d{3})+)(?:,0+)?")
_THOUSAND_COMMAS = re.compile(r"([+-]?\d{1,3}(?:,\d{3})+)(?:\.0+)?")
_DECIMAL = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_GROUPED_DECIMAL = re.compile(r"[+-]?\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|[+-]?\d{1,3}(?:\.\d{3})+,\d+")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[/.-](\d{4})")
_YEAR_MONTH = re.compile(r"(\d{4})-?(\d{2})")


class UnreadableError(ValueError):
    """The value has no exact reading as the contract's type."""


def found(value: Any) -> str:
    """What stood in an unreadable cell, letters masked: a shifted row may hold a name."""
    return repr(re.sub(r"[^\W\d_]", "x", str(value))[:40])


def read_cell(value: Any, column: Column) -> Any:
    """The value of one cell as the column's type; None for an empty one.

    Raises:
        UnreadableError: There is no exact reading.
    """
    if isinstance(value, str):
        value = value.strip().replace("\u00a0", "")
        if value == "":
            value = None
    if value is None:
        return 0 if column.null_is_zero else None
    reader = _read_month if column.form == "month" else _READERS[column.type]
    return reader(value, column)


def _read_text(value: Any, column: Column) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if "\x00" in (text := str(value)):
        raise UnreadableError("a NUL character")
    return text


def _read_whole(value: Any, column: Column) -> int:
    if isinstance(value, bool):
        raise UnreadableError("a truth value")
    if isinstance(value, int):
        number = value
    elif isinstance(value, float):
        if not value.is_integer() or abs(value) > _EXACT_FLOAT:
            raise UnreadableError("not an exact whole number")
        number = int(value)
    elif isinstance(value, str):
        number = _whole_from_text(value)
    else:
        raise UnreadableError(f"a {type(value).__name__}")
    limit = _LIMITS[column.type]
    if not -limit <= number < limit:
        raise UnreadableError(f"outside {column.type}")
    return number


def _whole_from_text(text: str) -> int:
    if _WHOLE.fullmatch(text):
        return int(text)
    for pattern, mark in ((_THOUSAND_DOTS, "."), (_THOUSAND_COMMAS, ",")):
        if match := pattern.fullmatch(text):
            return int(match[1].replace(mark, ""))
    if match := _WHOLE_ZERO_FRACTION.fullmatch(text):
        return int(match[1])
    raise UnreadableError("not a whole number")


def _read_numeric(value: Any, column: Column) -> str:
    if isinstance(value, bool):
        raise UnreadableError("a truth value")
    if isinstance(value, int | float):
        text = repr(value)
    elif isinstance(value, str) and _GROUPED_DECIMAL.fullmatch(value):
        text = value.replace(".", "").replace(",", ".")
    elif isinstance(value, str) and _DECIMAL.fullmatch(value):
        text = value.replace(",", ".")
    else:
        raise UnreadableError("not a number")
    number = Decimal(text)
    if not number.is_finite():
        raise UnreadableError("not finite")
    # One form for one value: 1 and 1.0 are the same content in a workbook and in CSV.
    return format(number.normalize() + 0, "f")


def _read_boolean(value: Any, column: Column) -> bool:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    known = {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise UnreadableError("not true or false")


def _read_date(value: Any, column: Column) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and value == int(value) and int(value) in _EXCEL_SERIALS:
        return _EXCEL_EPOCH + timedelta(days=int(value))
    if isinstance(value, str):
        try:
            if match := _DAY_FIRST.fullmatch(value):
                return date(int(match[3]), int(match[2]), int(match[1]))
            return date.fromisoformat(value[:10]) if _is_midnight(value[10:]) else _no_date()
        except ValueError as error:
            raise UnreadableError("not a date") from error
    raise UnreadableError("not a date")


def _is_midnight(rest: str) -> bool:
    return rest in ("", " 00:00:00", "T00:00:00")


def _no_date() -> date:
    raise UnreadableError("not a date")


def _read_month(value: Any, column: Column) -> date:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and value not in _EXCEL_SERIALS:
        value = str(value)
    try:
        if isinstance(value, str):
            if match := _MONTH_YEAR.fullmatch(value):
                return date(int(match[2]), int(match[1]), 1)
            if match := _YEAR_MONTH.fullmatch(value):
                return date(int(match[1]), int(match[2]), 1)
    except ValueError as error:
        raise UnreadableError("not a month") from error
    return _read_date(value, column).replace(day=1)


def _read_instant(value: Any, column: Column) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            raise UnreadableError("not an instant") from error
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise UnreadableError("not an instant")


_READERS: dict[str, Callable[[Any, Column], Any]] = {
    "text": _read_text,
    "smallint": _read_whole,
    "integer": _read_whole,
    "bigint": _read_whole,
    "numeric": _read_numeric,
    "boolean": _read_boolean,
    "date": _read_date,
    "timestamptz": _read_instant,
}
