"""Any other source that SQLAlchemy has a driver for, read row by row through its DB-API."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import DateTime, Select, column, create_engine, event, inspect, select
from sqlalchemy.engine import Connection as EngineConnection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from chotso.contracts import Column, Contract, TableSource
from chotso.source.drift import Drift, FoundColumn, database_column, drift_of, sqlite_column
from chotso.source.queries import SCHEMA
from chotso.source.snapshot import CLOCK, Snapshot, no_clock, typed_batch, unreachable

_ROWS_A_BATCH = 50_000


@contextmanager
def database_snapshot(source_url: str) -> Iterator[Snapshot]:
    """See `chotso.source.database.open_snapshot`."""
    engine = create_engine(source_url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    try:
        connection = engine.connect()
    except Exception as error:
        raise unreachable(source_url, error) from error
    try:
        with connection, connection.begin():
            yield DatabaseSnapshot(connection)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise unreachable(source_url, error) from error
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


class DatabaseSnapshot:
    """A transaction of any database, read through its DB-API driver.

    Instants without an offset are taken as UTC, in which SQLite's are kept.
    """

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection
        self.known_at = self.server_clock = self._clock()

    def _clock(self) -> datetime:
        if not inspect(self._connection).has_table("dong_ho", schema=SCHEMA):
            return datetime.now(UTC)
        query = select(column("bay_gio", DateTime())).select_from(CLOCK.get_final_froms()[0])
        instant = self._connection.execute(query).scalar()
        if instant is None:
            raise no_clock()
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


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
