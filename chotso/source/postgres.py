"""A PostgreSQL source: one REPEATABLE READ transaction, read by COPY."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from chotso.characters import unknown_pattern
from chotso.contracts import Column, Contract, TableSource
from chotso.source.arrow import arrow_type
from chotso.source.database_values import TEXT_LIMIT
from chotso.source.drift import Drift, drift_of, postgres_column
from chotso.source.queries import SCHEMA
from chotso.source.snapshot import CLOCK, Snapshot, no_clock, typed_batch, unreachable

_UNKNOWN = unknown_pattern()
_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]
_BLOCK_BYTES = 4 << 20
_ROWS_ONE_BY_ONE = 5_000

# Each column's type as written, and the base type of it: a domain is what it stands for.
_COLUMNS = """
with recursive found as (
    select
        attnum,
        attname,
        format_type(atttypid, atttypmod) as shown,
        atttypid as base
    from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
    union all
    select found.attnum, found.attname, found.shown, domain.typbasetype
    from found
    inner join pg_type as domain on domain.oid = found.base and domain.typtype = 'd'
)

select found.attname, found.shown, format_type(found.base, null)
from found
inner join pg_type as base on base.oid = found.base and base.typtype <> 'd'
order by found.attnum
"""


@contextmanager
def postgres_snapshot(source_url: str) -> Iterator[Snapshot]:
    """See `chotso.source.database.open_snapshot`."""
    try:
        connection = psycopg.connect(
            source_url,
            application_name="chotso extract",
            options="-c timezone=UTC -c datestyle=ISO,YMD -c client_encoding=UTF8",
        )
    except psycopg.OperationalError as error:
        raise unreachable(source_url, error) from error
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            yield PostgresSnapshot(connection)
        except psycopg.Error as error:
            if connection.broken:  # and not another connection within the block
                raise unreachable(source_url, error) from error
            raise


class PostgresSnapshot:
    """A REPEATABLE READ, READ ONLY transaction, read by COPY."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.known_at = self._clock()

    def _clock(self) -> datetime:
        exists = self._connection.execute("select to_regclass('tst.dong_ho')").fetchone()
        statement = str(CLOCK.compile(dialect=_POSTGRES, compile_kwargs={"literal_binds": True}))
        query = statement if exists and exists[0] else "select now()"
        row = self._connection.execute(query.encode()).fetchone()
        if row is None or row[0] is None:
            raise no_clock()
        instant: datetime = row[0]
        return instant

    def drift(self, item: Contract) -> list[Drift]:
        """See `Snapshot`."""
        assert isinstance(item.source, TableSource)
        relation = f"{SCHEMA}.{item.source.relation}"
        found = self._connection.execute(_COLUMNS, [relation])
        columns = {name: postgres_column(shown, base) for name, shown, base in found}
        return drift_of(item, relation, columns)

    def has_relation(self, name: str) -> bool:
        """See `Snapshot`."""
        row = self._connection.execute("select to_regclass(%s)", [f"{SCHEMA}.{name}"]).fetchone()
        return row is not None and row[0] is not None

    def rows(self, query: Select[Any], columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        """See `Snapshot`.

        The rows are parsed in bulk as the contract's types. A value without such a reading ends
        that attempt; the rest of the attempt's batches are then read again one by one.
        """
        statement = query.compile(dialect=_POSTGRES, compile_kwargs={"literal_binds": True})
        text = str(statement).encode()
        copy = b"copy (" + text + b") to stdout (format csv)"
        done = 0
        try:
            for batch in self._parsed(copy, columns):
                _check_texts(batch)
                yield _with_unreadable(batch)
                done += batch.num_rows
        except pa.ArrowInvalid:
            yield from self._one_by_one(text, columns, skip=done)

    def _parsed(self, copy: bytes, columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        types = {name: arrow_type(c.type) for name, c in columns.items()}
        with self._connection.cursor() as cursor, cursor.copy(copy) as stream:
            source = _CopyBytes(stream)
            try:
                yield from _csv_batches(source, types)
            finally:
                source.drain()

    def _one_by_one(
        self, query: bytes, columns: dict[str, Column], skip: int
    ) -> Iterator[pa.RecordBatch]:
        """Rows as the server's text of their values; a row of any length fits."""
        copy = b"copy (" + query + b") to stdout"
        with self._connection.cursor() as cursor, cursor.copy(copy) as stream:
            stream.set_types(["text"] * len(columns))
            rows = islice(stream.rows(), skip, None)
            while part := list(islice(rows, _ROWS_ONE_BY_ONE)):
                yield typed_batch(iter(part), columns, zone=None)


def _check_texts(batch: pa.RecordBatch) -> None:
    """Leave a batch with an overlong text, or an unknown character, to reading one by one."""
    for values in batch.columns:
        if pa.types.is_string(values.type):
            longest = pc.max(pc.utf8_length(values)).as_py()
            if longest is not None and longest > TEXT_LIMIT:
                raise pa.ArrowInvalid("an overlong text")
            if pc.any(pc.match_substring_regex(values, _UNKNOWN)).as_py():
                raise pa.ArrowInvalid("a character that Unicode 14.0 does not know")


def _with_unreadable(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.append_column("unreadable", pa.nulls(batch.num_rows, pa.string()))


def _csv_batches(source: "_CopyBytes", types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    try:
        reader = pacsv.open_csv(
            source,
            read_options=pacsv.ReadOptions(column_names=list(types), block_size=_BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=types,
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise
    yield from reader


class _CopyBytes(io.RawIOBase):
    """The bytes of a COPY as a file that pyarrow can read."""

    def __init__(self, stream: psycopg.Copy) -> None:
        self._stream = stream
        self._left = bytearray()
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._ended and (size < 0 or len(self._left) < size):
            block = self._stream.read()
            if not block:
                self._ended = True
            self._left += block
        taken = bytes(self._left if size < 0 else self._left[:size])
        del self._left[: len(taken)]
        return taken

    def drain(self) -> None:
        """Read what is left, so that the transaction and its snapshot live on."""
        while not self._ended and self._stream.read():
            pass
        self._ended = True
