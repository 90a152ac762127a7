"""Reads PostgreSQL's binary COPY into Arrow: a block of rows at a time, and no value at a time.

In binary COPY a row is the number of its fields, and for each field its length and its bytes; null
has the length -1. The server sends each row as a message of its own, so the places of a block's
rows are known, and numpy walks through one field of all these rows at once.

A value that has no place in its column's type, and bytes that are not as described, raise
`pyarrow.ArrowInvalid`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.abc import Buffer
from psycopg.errors import error_from_result

from chotso.characters import unknown_pattern
from chotso.contracts import Column, ColumnType
from chotso.source.arrow import arrow_type
from chotso.source.database_values import TEXT_LIMIT

TRAVELS_AS_TEXT: tuple[ColumnType, ...] = ("numeric", "jsonb")
"""Types that the query has to cast to text, because their binary form is not read here."""
_TEXT = ("text", "varchar")
_WHOLE = ("int2", "int4", "int8")
# Eight bytes may be a bigint, an instant, a float or a numeric: only the type tells them apart.
_TYPES: dict[ColumnType, tuple[str, ...]] = {
    "text": _TEXT,
    "smallint": _WHOLE,
    "integer": _WHOLE,
    "bigint": _WHOLE,
    "numeric": _TEXT,
    "boolean": ("bool",),
    "date": ("date",),
    "timestamptz": ("timestamptz",),
    "jsonb": _TEXT,
}

_Numbers = npt.NDArray[np.int64]

_BLOCK_BYTES = 4 << 20
_UNKNOWN = unknown_pattern()
_MOST_BYTES = 1 << 30  # offsets of a text array have 32 bits
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_TRAILER = b"\xff\xff"
_PADDING = bytes(8)  # a null at the end of the last row has its place here

# PostgreSQL counts from 2000. Days that Python and ISO 8601 can write: infinity is not one of them.
_FIRST_DAY = date.min.toordinal() - date(2000, 1, 1).toordinal()
_LAST_DAY = date.max.toordinal() - date(2000, 1, 1).toordinal()
_DAYS_TO_2000 = date(2000, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
_DAY_US = 86_400_000_000


def refuse_other_types(description: Sequence[psycopg.Column], columns: dict[str, Column]) -> None:
    """Refuse a query whose result has other types than those read here.

    Args:
        description: What the server says of the result; a domain counts as its base type.
        columns: The columns of its rows, in order.

    Raises:
        pyarrow.ArrowInvalid: A column is of another type.
    """
    for found, column in zip(description, columns.values(), strict=True):
        known = psycopg.adapters.types.get(found.type_code)
        _require(known is not None and known.name in _TYPES[column.type])


def binary_batches(copy: psycopg.Copy, columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
    """Typed batches of the rows of a COPY that was started in binary format.

    Args:
        copy: The COPY.
        columns: The columns of its rows, in order.

    Raises:
        pyarrow.ArrowInvalid: See above; the rest of the COPY has been read, so that its
            transaction stays usable.
        psycopg.Error: The server or the connection failed.
    """
    blocks = _blocks(copy)
    try:
        for data, sizes in blocks:
            yield _batch(data, sizes, columns)
    finally:
        for _ in blocks:
            pass


def _blocks(copy: psycopg.Copy) -> Iterator[tuple[bytes, list[int]]]:
    """The rows of a COPY, some megabytes at a time, and the length of each.

    What has arrived is taken from libpq itself, because `Copy.read` costs three times as much.
    Where nothing has, `Copy.read` waits. No row is kept as an object: Python's garbage collector
    would look at all of them again and again.
    """
    take = copy.connection.pgconn.get_copy_data
    data, sizes = _after_header(copy)
    row: Buffer
    while True:
        size, row = take(1)
        if size <= 0:
            if size < 0:
                _finish(copy)
                break
            row = copy.read()
            if not row:
                break
            size = len(row)
        data += row
        sizes.append(size)
        if len(data) >= _BLOCK_BYTES and size != len(_TRAILER):  # no row is as short
            yield bytes(data + _PADDING), sizes
            data, sizes = bytearray(), []
    if sizes and sizes[-1] == len(_TRAILER) and data.endswith(_TRAILER):
        sizes.pop()
    if sizes:
        yield bytes(data + _PADDING), sizes


def _after_header(copy: psycopg.Copy) -> tuple[bytearray, list[int]]:
    """The first message without the header, which has no message of its own."""
    data = bytearray(copy.read())
    _require(data.startswith(_HEADER))
    del data[: len(_HEADER)]
    return data, [len(data)] if data else []


def _finish(copy: psycopg.Copy) -> None:
    """Take the result of a COPY whose rows have all been taken, so that the session is free."""
    connection = copy.connection
    results = list(iter(connection.pgconn.get_result, None))
    for result in results:
        if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise error_from_result(result, connection.info.encoding)


def _batch(data: bytes, sizes: list[int], columns: dict[str, Column]) -> pa.RecordBatch:
    _require(len(data) < _MOST_BYTES)
    lengths = np.array(sizes, np.int64)
    ends = np.cumsum(lengths)
    at = ends - lengths
    _require(bool((_numbers(data, at, 2) == len(columns)).all()))
    at += 2
    arrays = []
    for column in columns.values():
        found = _Field(data, at + 4, _numbers(data, at, 4))
        arrays.append(_READERS[column.type](found).cast(arrow_type(column.type)))
        at = found.end
    _require(bool((at == ends).all()))
    return pa.record_batch(arrays, names=list(columns))


class _Field:
    """One field of every row of a block.

    Attributes:
        data: The block.
        at: Where its values begin.
        end: Where they end.
        is_null: Which of them are null; None where none is.
    """

    def __init__(self, data: bytes, at: _Numbers, size: _Numbers) -> None:
        self.data = data
        self.at = at
        self.is_null = size < 0 if size.min() < 0 else None
        self.end = at + (size if self.is_null is None else np.maximum(size, 0))
        self._size = size

    def array(self, kind: pa.DataType, values: npt.NDArray[Any]) -> pa.Array:
        """Values as an array, null where the field is.

        `pyarrow.array` would do the same, and import pandas for it: half a second and 50 MiB.
        """
        valid = None if self.is_null is None else pa.py_buffer(_bits(~self.is_null))
        return pa.Array.from_buffers(kind, len(self.at), [valid, pa.py_buffer(values)])

    def numbers(self, *widths: int) -> _Numbers:
        """The values as numbers of one of these widths in bytes; 0 for null."""
        width = int(self._size.max())
        if width < 0:
            return np.zeros_like(self._size)
        _require(width in widths)
        if self.is_null is None:
            _require(bool((self._size == width).all()))
            return _numbers(self.data, self.at, width)
        _require(bool((self.is_null | (self._size == width)).all()))
        return np.where(self.is_null, 0, _numbers(self.data, self.at, width))


def _numbers(data: bytes, at: _Numbers, width: int) -> _Numbers:
    """Signed numbers of some bytes, the highest first, from places in the data."""
    _require(int(at.min()) >= 0 and int(at.max()) <= len(data) - width)
    everywhere = np.ndarray((len(data) - width + 1,), f">i{width}", data, strides=(1,))
    return everywhere[at].astype(np.int64)


def _texts(found: _Field) -> pa.Array:
    """Texts of valid UTF-8.

    Reads the block as one array that alternates value, gap, value; keeps every second element.
    Nothing is copied per value.
    """
    bounds = np.empty(2 * len(found.at), np.int32)
    bounds[0::2], bounds[1::2] = found.at, found.end
    _require(bool((bounds[1:] >= bounds[:-1]).all()) and int(bounds[-1]) <= len(found.data))
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(found.data)]
    pieces = pa.Array.from_buffers(pa.binary(), len(bounds) - 1, buffers)
    values = found.array(pa.int64(), np.arange(0, len(bounds), 2))
    texts = pieces.take(values).cast(pa.string())
    _require(not _is_overlong(texts) and not _has_unknown_characters(texts))
    return texts


def _is_overlong(texts: pa.Array) -> bool:
    bytes_at_most = pc.max(pc.binary_length(texts)).as_py() or 0
    return bytes_at_most > TEXT_LIMIT and pc.max(pc.utf8_length(texts)).as_py() > TEXT_LIMIT


def _has_unknown_characters(texts: pa.Array) -> bool:
    if pc.all(pc.string_is_ascii(texts)).as_py() is not False:
        return False
    return bool(pc.any(pc.match_substring_regex(texts, _UNKNOWN)).as_py())


def _whole_numbers(found: _Field) -> pa.Array:
    return found.array(pa.int64(), found.numbers(2, 4, 8))


def _booleans(found: _Field) -> pa.Array:
    return found.array(pa.bool_(), _bits(found.numbers(1) != 0))


def _dates(found: _Field) -> pa.Array:
    days = found.numbers(4)
    _require(bool(((days >= _FIRST_DAY) & (days <= _LAST_DAY)).all()))
    return found.array(pa.date32(), (days + _DAYS_TO_2000).astype(np.int32))


def _instants(found: _Field) -> pa.Array:
    us = found.numbers(8)
    _require(bool(((us >= _FIRST_DAY * _DAY_US) & (us < (_LAST_DAY + 1) * _DAY_US)).all()))
    return found.array(pa.timestamp("us", "UTC"), us + _DAYS_TO_2000 * _DAY_US)


def _bits(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.packbits(flags, bitorder="little")


_READERS: dict[ColumnType, Callable[[_Field], pa.Array]] = {
    "text": _texts,
    "smallint": _whole_numbers,
    "integer": _whole_numbers,
    "bigint": _whole_numbers,
    "numeric": _texts,
    "boolean": _booleans,
    "date": _dates,
    "timestamptz": _instants,
    "jsonb": _texts,
}


def _require(holds: bool) -> None:
    if not holds:
        raise pa.ArrowInvalid("not as binary COPY writes it, or a value without a place")
