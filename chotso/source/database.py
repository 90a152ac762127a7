"""The collection system through one consistent snapshot, as Arrow batches.

PostgreSQL is read by COPY; any other database that SQLAlchemy knows through its DB-API driver,
row by row. The second path is proven against SQLite; SQL Server and Oracle are untried.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any, Protocol

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from sqlalchemy import (
    DateTime,
    Select,
    column,
    create_engine,
    event,
    inspect,
    select,
    table,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection as EngineConnection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from chotso.contracts import Column, Contract, TableSource
from chotso.errors import ChotsoError
from chotso.settings import without_password
from chotso.source.arrow import arrow_type
from chotso.source.cells import UnreadableError, found
from chotso.source.database_values import TEXT_LIMIT, read_value
from chotso.source.drift import (
    Drift,
    FoundColumn,
    database_column,
    drift_of,
    postgres_column,
    sqlite_column,
)
from chotso.source.queries import SCHEMA

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]
_BLOCK_BYTES = 4 << 20
_ROWS_A_BATCH = 50_000
_ROWS_ONE_BY_ONE = 5_000
_CLOCK: Select[Any] = (
    select(column("bay_gio")).select_from(table("dong_ho", schema=SCHEMA)).where(column("id") == 1)
)

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


class Snapshot(Protocol):
    """One consistent view of the collection system."""

    known_at: datetime

    def drift(self, item: Contract) -> list[Drift]:
        """Columns of the feed's relation that are missing, retyped or added by its contract."""

    def has_relation(self, name: str) -> bool:
        """Whether the schema `tst` has a table or view of that name."""

    def rows(self, query: Select[Any], columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        """Typed batches of the query; a last column `unreadable` says what had no reading."""


@contextmanager
def open_snapshot(source_url: str) -> Iterator[Snapshot]:
    """Open one read-only snapshot; its `known_at` is the source's clock, else the server's now().

    Raises:
        ChotsoError: The source does not answer.
    """
    opened = _postgres if source_url.startswith("postgresql://") else _any_database
    with opened(source_url) as snapshot:
        yield snapshot


@contextmanager
def _postgres(source_url: str) -> Iterator[Snapshot]:
    try:
        connection = psycopg.connect(
            source_url,
            application_name="chotso extract",
            options="-c timezone=UTC -c datestyle=ISO,YMD -c client_encoding=UTF8",
        )
    except psycopg.OperationalError as error:
        raise _unreachable(source_url, error) from error
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        try:
            yield PostgresSnapshot(connection)
        except psycopg.Error as error:
            if connection.broken:  # and not another connection within the block
                raise _unreachable(source_url, error) from error
            raise


@contextmanager
def _any_database(source_url: str) -> Iterator[Snapshot]:
    engine = create_engine(source_url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    try:
        connection = engine.connect()
    except Exception as error:
        raise _unreachable(source_url, error) from error
    try:
        with connection, connection.begin():
            yield DatabaseSnapshot(connection)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unreachable(source_url, error) from error
        raise
    finally:
        engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    """Give SQLite the schema it lacks, and a transaction that begins with the first read."""

    @event.listens_for(engine, "connect")
    def attach(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        connection.execute(f"attach database ? as {SCHEMA}", [engine.url.database])

    @event.listens_for(engine, "begin")
    def begin(connection: EngineConnection) -> None:
        connection.exec_driver_sql("begin")


def _unreachable(source_url: str, error: Exception) -> ChotsoError:
    return ChotsoError(
        f"The collection system {without_password(source_url)} does not answer, or no more: "
        f"{str(error).strip().splitlines()[0]}",
        kept="everything published before stands.",
        next_step="check CHOTSO_SOURCE_URL and the source, then run the same command again.",
    )


class PostgresSnapshot:
    """A REPEATABLE READ, READ ONLY transaction, read by COPY."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self.known_at = self._clock()

    def _clock(self) -> datetime:
        exists = self._connection.execute("select to_regclass('tst.dong_ho')").fetchone()
        statement = str(_CLOCK.compile(dialect=_POSTGRES, compile_kwargs={"literal_binds": True}))
        query = statement if exists and exists[0] else "select now()"
        row = self._connection.execute(query.encode()).fetchone()
        if row is None or row[0] is None:
            raise _no_clock()
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


class DatabaseSnapshot:
    """A transaction of any database, read through its DB-API driver.

    Instants without an offset are taken as UTC, in which SQLite's are kept.
    """

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection
        self.known_at = self._clock()

    def _clock(self) -> datetime:
        if not inspect(self._connection).has_table("dong_ho", schema=SCHEMA):
            return datetime.now(UTC)
        query = select(column("bay_gio", DateTime())).select_from(_CLOCK.froms[0])
        instant = self._connection.execute(query).scalar()
        if instant is None:
            raise _no_clock()
        return _in_utc(instant)

    def drift(self, item: Contract) -> list[Drift]:
        """See `Snapshot`."""
        assert isinstance(item.source, TableSource)
        relation = item.source.relation
        columns = self._columns(relation) if self.has_relation(relation) else {}
        return drift_of(item, f"{SCHEMA}.{relation}", columns)

    def _columns(self, relation: str) -> dict[str, FoundColumn]:
        dialect = self._connection.dialect
        if dialect.name == "sqlite":
            # the inspector tells affinities; what was declared says more
            pragma = f"pragma {SCHEMA}.table_info({relation})"
            declared = self._connection.exec_driver_sql(pragma)
            return {row[1]: sqlite_column(row[2] or "") for row in declared}
        found = inspect(self._connection).get_columns(relation, schema=SCHEMA)
        return {each["name"]: database_column(each["type"], dialect) for each in found}

    def has_relation(self, name: str) -> bool:
        """See `Snapshot`."""
        inspector = inspect(self._connection)
        return inspector.has_table(name, schema=SCHEMA) or name in inspector.get_view_names(SCHEMA)

    def rows(self, query: Select[Any], columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        """See `Snapshot`."""
        result = self._connection.execution_options(stream_results=True).execute(query)
        for part in result.partitions(_ROWS_A_BATCH):
            yield typed_batch((tuple(row) for row in part), columns, zone=UTC)


def typed_batch(
    rows: Iterator[tuple[Any, ...]], columns: dict[str, Column], zone: tzinfo | None
) -> pa.RecordBatch:
    """Rows of raw values as a typed batch with a last column `unreadable` (JSON or null).

    Args:
        rows: Values in the order of the columns.
        columns: What the values should be.
        zone: The zone of instants without an offset; None where there are none.
    """
    values: dict[str, list[Any]] = {name: [] for name in columns}
    unreadable: list[str | None] = []
    for row in rows:
        bad: dict[str, str] = {}
        for (name, spec), value in zip(columns.items(), row, strict=True):
            try:
                values[name].append(read_value(_aware(value, spec, zone), spec))
            except UnreadableError as error:
                values[name].append(None)
                bad[name] = str(error) if spec.personal else f"{error}: {found(value)}"
        unreadable.append(json.dumps(bad, ensure_ascii=False) if bad else None)
    arrays = [pa.array(values[n], arrow_type(c.type)) for n, c in columns.items()]
    return pa.record_batch(
        [*arrays, pa.array(unreadable, pa.string())], names=[*columns, "unreadable"]
    )


def _aware(value: Any, spec: Column, zone: tzinfo | None) -> Any:
    """A value, an instant without its offset in the given zone."""
    if zone is None or spec.type != "timestamptz":
        return value
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=zone)
    return value


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _check_texts(batch: pa.RecordBatch) -> None:
    """Leave a batch with an overlong text to the reading of values one by one."""
    for values in batch.columns:
        if pa.types.is_string(values.type):
            longest = pc.max(pc.utf8_length(values)).as_py()
            if longest is not None and longest > TEXT_LIMIT:
                raise pa.ArrowInvalid("an overlong text")


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


def _no_clock() -> ChotsoError:
    return ChotsoError(
        "The source's clock table dong_ho has no row with id 1.",
        kept="everything published before stands.",
        next_step="have the source's owner set its clock, then run the same command again.",
    )
