"""The value of a workbook's cell from its stored content, or a fault that says what is wrong.

No content is dropped. Content that is not valid for the cell's kind is a fault of that cell.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from chotso.source.cells import SERIAL_TEXT, CellFault, Number1904
from chotso.source.number_formats import Shown
from chotso.source.stored_texts import shown_text

_LONGEST = 40_000
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_INDEX = re.compile(r"\s*([0-9]{1,9})\s*")
_BOOLEANS = {"1": True, "true": True, "0": False, "false": False}
_EPOCH = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_LAST_SERIAL = 2_958_465  # the last day of the year 9999
_LEAP_DAY = 60  # Excel counts a 29 February 1900, which did not exist; earlier days are off by one
_NO_VALUE = CellFault("a formula without its value")


@dataclass(frozen=True)
class Store:
    """What cells refer to, and settings of their workbook.

    Attributes:
        strings: The workbook's texts, in their order.
        formats: How the cell styles display numbers; None if the workbook has no styles.
        is_1904: Whether days are counted from 1904.
        is_to_compute: Whether formulas are to be computed when the workbook is opened, so that a
            stored zero may be the writer's filling.
    """

    strings: list[Any]
    formats: list[Shown] | None
    is_1904: bool
    is_to_compute: bool

    def value(self, kind: str, style: str, content: str | None, is_formula: bool) -> Any:
        """The value of a cell; None if it holds nothing visible.

        Args:
            kind: The cell's kind, as the workbook writes it.
            style: The number of its style.
            content: Its stored content; None where there is none.
            is_formula: Whether it is computed.
        """
        if is_formula and kind != "e" and not (content or "").strip():
            return _NO_VALUE
        if content is None:
            return CellFault("an Excel error", "error") if kind == "e" else None
        if len(content) > _LONGEST:
            return CellFault(f"a text of more than {_LONGEST:,} characters")
        value = self._read(kind, style, content)
        if is_formula and self.is_to_compute and isinstance(value, float) and value == 0:
            return _NO_VALUE
        return value

    def _read(self, kind: str, style: str, content: str) -> Any:
        if kind == "n":
            bare = content.strip()
            return self._number(bare, style) if bare else None
        if kind == "s":
            return self._shared(content)
        if kind in ("str", "inlineStr"):
            return self._dated(shown_text(content))
        return _rare(kind, content.strip())

    def _shared(self, content: str) -> Any:
        found = _INDEX.fullmatch(content)
        if found is None or int(found[1]) >= len(self.strings):
            return CellFault("a text that the workbook lacks")
        return self._dated(self.strings[int(found[1])])

    def _dated(self, text: Any) -> Any:
        if self.is_1904 and isinstance(text, str) and SERIAL_TEXT.fullmatch(text.strip()):
            return CellFault("text that may count days, of a workbook that does so from 1904", text)
        return text

    def _number(self, bare: str, style: str) -> Any:
        if not _NUMBER.fullmatch(bare):
            return CellFault("a number that is none", bare)
        number = float(bare)
        shown = self._shown(style)
        if shown is Shown.NUMBER:
            return Number1904(number) if self.is_1904 else number
        if shown is None:
            return CellFault("a number in a format that the workbook lacks", bare)
        if shown is Shown.PER_CENT and number:
            return CellFault("a cell in per cent, which shows 100 times", f"{number:.12g}")
        if shown is Shown.SCALED and number:
            return CellFault("a cell that shows digits or a unit of its format", f"{number:.15g}")
        if shown is Shown.DAY:
            return _day(number, _EPOCH_1904 if self.is_1904 else _EPOCH)
        if shown is Shown.DURATION and abs(number) < _LAST_SERIAL:
            return timedelta(days=number)
        return Number1904(number) if self.is_1904 else number

    def _shown(self, style: str) -> Shown | None:
        if self.formats is None or (style == "0" and not self.formats):
            return Shown.NUMBER
        at = int(style) if style.isascii() and style.isdigit() else len(self.formats)
        return self.formats[at] if at < len(self.formats) else None


def _rare(kind: str, bare: str) -> Any:
    if kind == "e":
        return CellFault("an Excel error", bare or "error")
    if not bare:
        return None
    if kind == "b":
        return _BOOLEANS.get(bare.lower(), CellFault("no truth value", bare))
    if kind == "d":
        return _iso_day(bare)
    return CellFault(f"a cell of the unknown kind {kind[:20]}", bare)


def _day(number: float, epoch: datetime) -> Any:
    if not 0 <= number < _LAST_SERIAL - (epoch - _EPOCH).days:
        return CellFault("a day out of range", repr(number))
    if number < 1:
        return (datetime.min + _since(number)).time()
    if epoch == _EPOCH and number < _LEAP_DAY:
        number += 1
    return _whole_day(epoch + _since(number))


def _since(days: float) -> timedelta:
    """A number of days as a duration, rounded to the millisecond, as stored numbers are exact."""
    return timedelta(milliseconds=round(days * 86_400_000))


def _whole_day(instant: datetime) -> date | datetime:
    return instant.date() if instant.time() == time.min else instant


def _iso_day(text: str) -> Any:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return CellFault("no day", text)
    if instant.tzinfo is not None:
        return CellFault("a day with an offset from UTC", text)
    return _whole_day(instant)
