"""Reads texts and cells as typed values, exactly or not at all.

A value that is ambiguous, or that would lose something, is not guessed. It is unreadable, and the
rules set its row aside with what was found.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from chotso.contracts import Column

_NUMBERS = (int, float)
_EXACT_FLOAT = 2**53
_LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_EXCEL_EPOCH = date(1899, 12, 30)
_DAYS_TO_1904 = 1462
_FIRST_YEAR_MONTH = 100_001
_EXCEL_SERIALS = range(30000, 80000)

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_WHOLE_ZERO_FRACTION = re.compile(r"([+-]?[0-9]{1,30})[.,]0{1,2}|([+-]?0)[.,]0+")
# A dot before three digits separates thousands: amounts are whole đồng, and the Vietnamese decimal
# sign is a comma. A single comma before three digits is ambiguous, so such a value is unreadable.
_GROUPED_WHOLE = (
    re.compile(r"([+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,0+)?"),
    re.compile(r"([+-]?[1-9][0-9]{0,2}(?:,[0-9]{3}){2,})(?:\.0+)?"),
    re.compile(r"([+-]?[1-9][0-9]{0,2},[0-9]{3})\.0+"),
    re.compile("([+-]?[1-9][0-9]{0,2}(?:[\u00a0\u202f][0-9]{3})+)(?:,0+)?"),
)
_MARKS = str.maketrans("", "", ".,\u00a0\u202f")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(?:[.,][0-9]{1,30})?")
_MAY_BE_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
# Two equal marks separate thousands. So does a mark that comes before the other kind of mark, and a
# no-break space. The patterns match the part before the fraction.
_GROUPED_DECIMAL = {
    re.compile(
        r"[+-]?[1-9][0-9]{0,2}(?:(?:\.[0-9]{3}){2,}(?:,[0-9]+)?|(?:\.[0-9]{3})+,[0-9]+)"
    ): ",",
    re.compile(
        r"[+-]?[1-9][0-9]{0,2}(?:(?:,[0-9]{3}){2,}(?:\.[0-9]+)?|(?:,[0-9]{3})+\.[0-9]+)"
    ): ".",
    re.compile("[+-]?[1-9][0-9]{0,2}(?:[\u00a0\u202f][0-9]{3})+(?:,[0-9]+)?"): ",",
    re.compile("[+-]?[1-9][0-9]{0,2}(?:[\u00a0\u202f][0-9]{3})+\\.[0-9]+"): ".",
}
_DECIMAL_DIGITS = 28
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00:00)?")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[/.-]([0-9]{4})")
_YEAR_MONTH = re.compile(r"([0-9]{4})-?([0-9]{2})")
# A telephone number: ten or more digits after 0 or +84, or nine if a number cell lost the zero.
_MAY_BE_TELEPHONE = re.compile(
    r"(?<!\d)(?<!\d[.,])(?:\(?0|\+\s?84)(?:[\s.()/-]{0,2}\d){8,11}(?!\d)"
    r"|(?<!\d)[35789]\d{8}(?:\.0)?(?![\d.,])"
)
SERIAL_TEXT = re.compile(r"[3-7][0-9]{4}")
"""A text that may be a day as Excel counts them."""


@dataclass(frozen=True)
class CellFault:
    """A cell that is not empty and cannot be read: an error, or a formula without a result."""

    what: str
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or self.what


MERGED = CellFault("inside a merged area")
"""A cell that a merged area covers: blank to see, and yet not stated to be empty."""


class Number1904(float):
    """A number of a workbook that counts days from 1904."""


class UnreadableError(ValueError):
    """The value cannot be read exactly as the contract's type."""


def found(value: Any) -> str:
    """The content of an unreadable cell; letters, and digits like a telephone number's, are masked.

    If columns have shifted, the cell may hold a person's name and number.
    """
    masked = _MAY_BE_TELEPHONE.sub(lambda m: re.sub(r"\d", "0", m[0]), str(value))
    return repr(re.sub(r"[^\W\d_]", "x", masked)[:40])


def read_cell(value: Any, column: Column) -> Any:
    """The cell's value as the column's type; None for an empty cell.

    Raises:
        UnreadableError: There is no exact reading.
    """
    if isinstance(value, CellFault):
        raise UnreadableError(value.what)
    if isinstance(value, str):
        value = value.strip() or None
    if value is None:
        return 0 if column.null_is_zero else None
    reader = _read_month if column.form == "month" else _READERS[column.type]
    return reader(value, column)


def _read_text(value: Any, column: Column) -> str:
    if isinstance(value, str):
        if "\x00" in value:
            raise UnreadableError("a NUL character")
        return value
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise UnreadableError(f"a {_kind(value)} where text is due")
    return str(_exact(value))


def _kind(value: Any) -> str:
    return "truth value" if isinstance(value, bool) else type(value).__name__


def _read_whole(value: Any, column: Column) -> int:
    if isinstance(value, bool):
        raise UnreadableError("a truth value")
    if isinstance(value, _NUMBERS):
        number = _exact(value)
    elif isinstance(value, str):
        number = _whole_from_text(value)
    else:
        raise UnreadableError(f"a {type(value).__name__}")
    limit = _LIMITS[column.type]
    if not -limit <= number < limit:
        raise UnreadableError(f"outside {column.type}")
    return number


def _exact(value: int | float) -> int:
    """The whole number in a number cell, if the stored number can mean no other."""
    if isinstance(value, float) and (not value.is_integer() or abs(value) >= _EXACT_FLOAT):
        raise UnreadableError("not an exact whole number")
    return int(value)


def _whole_from_text(text: str) -> int:
    if _WHOLE.fullmatch(text):
        return int(text)
    for pattern in _GROUPED_WHOLE:
        if match := pattern.fullmatch(text):
            return int(match[1].translate(_MARKS))
    if match := _WHOLE_ZERO_FRACTION.fullmatch(text):
        return int(match[1] or match[2])
    raise UnreadableError("not a whole number")


def _read_numeric(value: Any, column: Column) -> str:
    if isinstance(value, bool):
        raise UnreadableError("a truth value")
    if isinstance(value, _NUMBERS):
        text = repr(value)
    elif not isinstance(value, str):
        raise UnreadableError(f"a {_kind(value)}")
    elif _MAY_BE_GROUPED.fullmatch(value) and column.form != "ungrouped":
        raise UnreadableError("thousands or a fraction, it could be either")
    else:
        text = _decimal_from_text(value)
    number = Decimal(text)
    if not number.is_finite():
        raise UnreadableError("not finite")
    exponent = number.as_tuple().exponent
    if len(number.as_tuple().digits) > _DECIMAL_DIGITS or abs(int(exponent)) > _DECIMAL_DIGITS:
        raise UnreadableError(f"more than {_DECIMAL_DIGITS} digits")
    # Give 1 and 1.0 the same text, so that a workbook and a CSV file have the same content.
    return format(number.normalize() + 0, "f")


def _decimal_from_text(text: str) -> str:
    if _DECIMAL.fullmatch(text):
        return text.replace(",", ".")
    for pattern, mark in _GROUPED_DECIMAL.items():
        if pattern.fullmatch(text):
            whole, _, fraction = text.partition(mark)
            return f"{whole.translate(_MARKS)}.{fraction or 0}"
    raise UnreadableError("not a number")


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
        if value.time() != time.min:
            raise UnreadableError("a day with a time of day")
        return value.date()
    if isinstance(value, date):
        return value
    if (day := _day_of_serial(value)) is not None:
        return day
    if isinstance(value, str):
        try:
            if match := _DAY_FIRST.fullmatch(value):
                return date(int(match[3]), int(match[2]), int(match[1]))
            if match := _YEAR_FIRST.fullmatch(value):
                return date.fromisoformat(match[1])
        except ValueError as error:
            raise UnreadableError("not a date") from error
    raise UnreadableError("not a date")


def _day_of_serial(value: Any) -> date | None:
    """The day that Excel means by a number, from 1982 to 2119."""
    if isinstance(value, str) and SERIAL_TEXT.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    number = value + _DAYS_TO_1904 if isinstance(value, Number1904) else value
    if isinstance(number, float) and not number.is_integer():  # not for infinity and NaN either
        return None
    # `in range` is fast only for an int; for a float it tries every number.
    days = int(number)
    return _EXCEL_EPOCH + timedelta(days=days) if days in _EXCEL_SERIALS else None


def _read_month(value: Any, column: Column) -> date:
    if isinstance(value, Number1904) and value < _FIRST_YEAR_MONTH:
        return _read_date(value, column).replace(day=1)
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
    if isinstance(value, datetime):
        value = value.date()
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
