"""What a cell's number format says of its number: a day, a per cent, or just a number."""

import re
from enum import Enum

from chotso.source.package import Reader


class Shown(Enum):
    """How a number is shown."""

    NUMBER = "a number"
    DAY = "a day or a time"
    DURATION = "a duration"
    PER_CENT = "a per cent"


_DAYS = {*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)}
_DURATIONS = {46}
_PER_CENTS = {9, 10}
# What stands in quotes, after a backslash, or as a blank or filler is text; so are colours,
# currencies and conditions in brackets, but for the hours, minutes and seconds of a duration.
_TEXT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general', re.IGNORECASE)
_DAY = re.compile("[dmyhs]", re.IGNORECASE)
_DURATION = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)


def shown_by(code: str) -> Shown:
    """How a format code shows a number."""
    bare = _TEXT.sub("", code)
    if "%" in bare:
        return Shown.PER_CENT
    if _DURATION.search(bare):
        return Shown.DURATION
    return Shown.DAY if _DAY.search(bare) else Shown.NUMBER


class Styles(Reader):
    """The formats of a workbook's cells, in the order in which cells name them."""

    def __init__(self) -> None:
        self.formats: list[Shown] = []
        self._codes: dict[str, Shown] = {}
        self._is_in_cells = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take a format, or a cell style that names one."""
        if tag == "numFmt":
            self._codes[attributes.get("numFmtId", "")] = shown_by(attributes.get("formatCode", ""))
        elif tag == "cellXfs":
            self._is_in_cells = True
        elif tag == "xf" and self._is_in_cells:
            self.formats.append(self._shown(attributes.get("numFmtId", "0").strip()))

    def end(self, tag: str) -> None:
        """Leave the cells' styles."""
        if tag == "cellXfs":
            self._is_in_cells = False

    def _shown(self, number: str) -> Shown:
        if number in self._codes:
            return self._codes[number]
        known = int(number) if number.isascii() and number.isdigit() else 0
        if known in _PER_CENTS:
            return Shown.PER_CENT
        if known in _DURATIONS:
            return Shown.DURATION
        return Shown.DAY if known in _DAYS else Shown.NUMBER
