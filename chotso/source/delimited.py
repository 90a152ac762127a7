"""Reads the rows of a CSV file and finds out its encoding and delimiter."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from chotso.source.cells import CellFault
from chotso.source.disguise import what_it_is
from chotso.source.drop_folder import RefusedDeliveryError, refused
from chotso.source.encodings import STRAY_BYTES, decode
from chotso.source.sheets import EMPTY, Rows
from chotso.source.texts import is_blank

_DELIMITERS = ",;\t"
_BYTES_LIMIT = 32 << 20
_FILLED_LIMIT = 2_000_000
_ROWS_LIMIT = 200_000
_LINES_LIMIT = 1_048_576
_RECORD_LIMIT = 1_000_000
_DECLARED = re.compile(r'"?sep=([,;\t])"?(?:\r\n|\r|\n)')
# A field with a line break and this many delimiters has an unclosed quote and took in a line.
_SWALLOWED = 50
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# DOS ends a text with Ctrl-Z or fills the last block with zeros. More zeros than a block mean that
# the file was not written completely.
_END_OF_TEXT = re.compile(r"\x1a[\x1a\x00\s]*\Z|(?:(?<=[\r\n])|\A)\x00{1,512}\Z")


def read_delimited(path: Path, stand: Callable[[Rows], int]) -> Rows:
    """All records of a CSV file; blank fields are None.

    Args:
        path: The fetched file.
        stand: The number of rows that fit the layout; it decides which delimiter is right.

    Raises:
        RefusedDeliveryError: It is a workbook, too large, or its quotes do not balance.
    """
    if path.stat().st_size > _BYTES_LIMIT:
        raise refused(path.name, f"it is larger than {_BYTES_LIMIT >> 20} MiB")
    content = path.read_bytes()
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise refused(path.name, "it is not readable CSV (it is a workbook or another archive)")
    if content.strip(b"\0") and (kind := what_it_is(path)):
        raise refused(path.name, f"it is not readable CSV (it is really {kind})")
    text = _END_OF_TEXT.sub("", decode(content))
    del content
    if declared := _DECLARED.match(text):
        return _records(path, text[declared.end() :], declared[1])
    order = sorted(_DELIMITERS, key=text.count, reverse=True)
    for delimiter in order:
        try:
            rows = _records(path, text, delimiter)
        except RefusedDeliveryError:
            continue
        if stand(rows):
            return rows
    return _records(path, text, order[0])


def _records(path: Path, text: str, delimiter: str) -> Rows:
    lines = _Lines(path, text)
    try:
        return list(_bounded(path, lines, delimiter))
    except csv.Error as error:
        raise refused(path.name, f"it is not readable CSV ({error})") from error


class _Lines:
    """The lines of a text, with a limit on the lines of one record."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text
        self._taken = 0

    def __iter__(self) -> Iterator[str]:
        for number, match in enumerate(_LINE.finditer(self._text)):
            self._taken += len(match[0])
            if self._taken > _RECORD_LIMIT or number >= _LINES_LIMIT:
                raise refused(
                    self._path.name,
                    f"it is not readable CSV (more than {_LINES_LIMIT:,} lines, or unbalanced "
                    f"quotes: a record of more than {_RECORD_LIMIT:,} characters)",
                )
            yield match[0]

    def begin(self) -> None:
        """Note that a record has ended and the next one begins."""
        self._taken = 0


def _bounded(path: Path, lines: _Lines, delimiter: str) -> Iterator[list[Any]]:
    """The cells of each record, up to the number that may be kept in memory."""
    filled = rows = 0
    for record in csv.reader(lines, delimiter=delimiter, strict=True):
        lines.begin()
        if _has_swallowed(record, delimiter):
            raise refused(
                path.name,
                "it is not readable CSV (unbalanced quotes: one field holds a whole other line)",
            )
        cells = [_cell(field) for field in record]
        held = len(cells) - cells.count(None)
        filled, rows = filled + held, rows + bool(held)
        if filled > _FILLED_LIMIT or rows > _ROWS_LIMIT:
            raise refused(
                path.name,
                f"it holds more than {_FILLED_LIMIT:,} filled fields or {_ROWS_LIMIT:,} rows; "
                "deliver it in parts",
            )
        yield cells if held else EMPTY


def _has_swallowed(record: list[str], delimiter: str) -> bool:
    return any(
        field.count(delimiter) >= _SWALLOWED and ("\n" in field or "\r" in field)
        for field in record
    )


def _cell(field: str) -> Any:
    if is_blank(field):
        return None
    if STRAY_BYTES.search(field):
        return CellFault("bytes that are no text", STRAY_BYTES.sub("\ufffd", field))
    return field
