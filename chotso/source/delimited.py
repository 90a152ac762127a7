"""The rows of a CSV file, in whichever encoding and with whichever delimiter it came."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chotso.source.cells import CellFault
from chotso.source.drop_folder import RefusedDeliveryError, refused
from chotso.source.encodings import STRAY_BYTES, decode

_DELIMITERS = ",;\t"
_BYTES_LIMIT = 256 << 20
_DECLARED = re.compile(r'"?sep=([,;\t])"?(?:\r\n|\r|\n)')
# A field that holds a line break and this many delimiters has swallowed a line.
_SWALLOWED = 50

Rows = list[list[Any]]


def read_delimited(path: Path, stand: Callable[[Rows], int]) -> Rows:
    """All records of a CSV file, blank fields as None.

    Args:
        path: The fetched file.
        stand: How many rows are data where they should be; tells the delimiters apart.

    Raises:
        RefusedDeliveryError: It is a workbook, too large, or its quotes do not balance.
    """
    if path.stat().st_size > _BYTES_LIMIT:
        raise refused(path.name, f"it is larger than {_BYTES_LIMIT >> 20} MiB")
    content = path.read_bytes()
    if content.startswith(b"PK\x03\x04"):
        raise refused(path.name, "it is not readable CSV (it is a workbook or another archive)")
    text = decode(content)
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
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        records = list(reader)
    except csv.Error as error:
        raise refused(path.name, f"it is not readable CSV ({error})") from error
    if any(_has_swallowed(record, delimiter) for record in records):
        raise refused(
            path.name,
            "it is not readable CSV (unbalanced quotes: one field holds a whole other line)",
        )
    return [[_cell(field) for field in record] for record in records]


def _has_swallowed(record: list[str], delimiter: str) -> bool:
    return any(
        field.count(delimiter) >= _SWALLOWED and ("\n" in field or "\r" in field)
        for field in record
    )


def _cell(field: str) -> Any:
    if not field.strip():
        return None
    if STRAY_BYTES.search(field):
        return CellFault("bytes that are no text", STRAY_BYTES.sub("\ufffd", field))
    return field
