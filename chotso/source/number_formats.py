"""Number formats of a workbook: whether a number is a day, a percentage or a plain number."""

import re
import unicodedata
from enum import Enum

from chotso.source.package import Package, PackageError


class Shown(Enum):
    """How a number is displayed."""

    NUMBER = "a number"
    DAY = "a day or a time"
    DURATION = "a duration"
    PER_CENT = "a per cent"
    SCALED = "a number with digits or a unit beside it"


_DAYS = {*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)}
_DURATIONS = {46}
_PER_CENTS = {9, 10}
_FORMATS_LIMIT = 200_000
# Literal text: in quotes, after a backslash, blanks and fillers; and colours, currencies and
# conditions in brackets, but not hours, minutes and seconds of a duration.
_TEXT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general', re.IGNORECASE)
_DAY = re.compile("[dmyhs]", re.IGNORECASE)
_SECTION = re.compile(r'(?:"[^"]*"|\\.|[^;"\\])+')
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|_.|\*.|\[[^\]]*\]')
_THOUSANDS = {1: "nghìn nghin ngàn ngan k thousand", 2: "triệu trieu tr trđ m million",
              3: "tỷ tỉ ty tỷđ b bn billion", -1: "trăm tram chục ‰"}  # fmt: skip
_UNITS = {word: times for times, words in _THOUSANDS.items() for word in words.split()}
_WORD = re.compile(r"[^\W\d_]+|‰")
# Each comma after the last digit divides the displayed number by 1000.
_HIDDEN = re.compile(r"[0#?](,+)(?![0#?,])")
_DURATION = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)


def shown_by(code: str) -> Shown:
    """How a format code displays a number."""
    bare = _TEXT.sub("", code)
    if "%" in bare:
        return Shown.PER_CENT
    if _DURATION.search(bare):
        return Shown.DURATION
    if _DAY.search(bare):
        return Shown.DAY
    is_scaled = any(_is_scaled(section) for section in _SECTION.findall(code))
    return Shown.SCALED if is_scaled else Shown.NUMBER


def _is_scaled(section: str) -> bool:
    """Whether the displayed number differs from the stored one.

    `0" triệu"` shows 5 as 5 million. `0.0,," triệu"` shows 5 million as 5 million.
    """
    literals = ["".join(found) for found in _LITERAL.findall(section)]
    if any(char.isdigit() for literal in literals for char in literal):
        return True
    bare = _LITERAL.sub("", section)
    shown = _LITERAL.sub(lambda found: "".join(filter(None, found.groups())) or " ", section)
    text = unicodedata.normalize("NFC", shown).casefold().replace("general", " ")
    hidden = max((len(commas) for commas in _HIDDEN.findall(bare)), default=0)
    units = {_UNITS[word] for word in _WORD.findall(text) if word in _UNITS}
    return bool(units) and units != {hidden}


def cell_formats(package: Package, part: str) -> list[Shown]:
    """The formats of a workbook's cell styles, in style order."""
    codes: dict[str, Shown] = {}
    formats: list[Shown] = []
    for found in package.elements(part, frozenset({"numFmts", "cellXfs"})):
        told = found.element.get
        if (found.inside, found.name) == ("numFmts", "numFmt"):
            codes[told("numFmtId", "").strip()] = shown_by(told("formatCode", ""))
        elif (found.inside, found.name) == ("cellXfs", "xf"):
            number = told("numFmtId", "0").strip()
            formats.append(codes[number] if number in codes else _builtin(number))
        if len(codes) + len(formats) > _FORMATS_LIMIT:
            raise PackageError(f"it has more than {_FORMATS_LIMIT:,} formats")
    return formats


def _builtin(number: str) -> Shown:
    known = int(number) if number.isascii() and number.isdigit() else 0
    if known in _PER_CENTS:
        return Shown.PER_CENT
    if known in _DURATIONS:
        return Shown.DURATION
    return Shown.DAY if known in _DAYS else Shown.NUMBER
