"""Reads any other database for which SQLAlchemy has a driver, row by row."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import DateTime, Select, column, create_engine, event, inspect, select
from sqlalchemy.engine import Connection as EngineConnection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from chotso.contracts import Column, Contract, HelperTable, TableSource, helper_table
from chotso.errors import ChotsoError
from chotso.source.drift import Drift, FoundColumn, database_column, drift_of, sqlite_column
from chotso.source.faults import translated, unreachable
from chotso.source.queries import CLOCK_RELATION, SCHEMA, relation_of
from chotso.source.snapshot import CLOCK, Snapshot, no_clock, refuse_drifted, typed_batch
from chotso.urls import shown

_ROWS_A_BATCH = 50_000


@contextmanager
def database_snapshot(source_url: str) -> Iterator[Snapshot]:
    """See `chotso.source.database.open_snapshot`."""
    try:
        engine = create_engine(source_url)
    except (SQLAlchemyError, ImportError) as error:
        raise _no_driver(source_url, error) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    try:
        connection = engine.connect()
    except Exception as error:
        raise unreachable(source_url, error) from error
    try:
        with connection, connection.begin():
            yield DatabaseSnapshot(connection, source_url)
    finally:
        engine.dispose()


def _no_driver(source_url: str, error: Exception) -> ChotsoError:
    return ChotsoError(
        f"There is no way to {shown(source_url)}: {type(error).__name__}.",
        kept="nothing was read; what was published before stands.",
        next_step="install the database's Python driver beside chotso, or mend CHOTSO_SOURCE_URL.",
    )


def _prepare_sqlite(engine: Engine) -> None:
    """Give SQLite the schema `tst`, and a transaction that begins with the first read."""

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

    Instants without an offset are taken as UTC, as SQLite stores them.
    """

    def __init__(self, connection: EngineConnection, source_url: str) -> None:
        self._connection = connection
        self._source_url = source_url
        self.known_at = self.server_clock = self._clock()

    def _clock(self) -> datetime:
        if not self.has_relation(CLOCK_RELATION):
            return datetime.now(UTC)
        refuse_drifted(self.helper_drift(CLOCK_RELATION), CLOCK_RELATION)
        query = select(column("bay_gio", DateTime())).select_from(CLOCK.get_final_froms()[0])
        with self._asking(f"{SCHEMA}.{CLOCK_RELATION}"):
            instant = self._connection.execute(query).scalar()
        if instant is None:
            raise no_clock()
        return _in_utc(instant)

    def _asking(self, relation: str) -> AbstractContextManager[None]:
        return translated(self._source_url, relation)

    def drift(self, contract: Contract) -> list[Drift]:
        """See `Snapshot`."""
        assert isinstance(contract.source, TableSource)
        return self._drift(contract, contract.source.relation)

    def helper_drift(self, relation: str) -> list[Drift]:
        """See `Snapshot`."""
        return self._drift(helper_table(relation), relation)

    def _drift(self, contract: Contract | HelperTable, relation: str) -> list[Drift]:
        with self._asking(f"{SCHEMA}.{relation}"):
            columns = self._columns(relation) if self.has_relation(relation) else {}
        return drift_of(contract, f"{SCHEMA}.{relation}", columns)

    def _columns(self, relation: str) -> dict[str, FoundColumn]:
        dialect = self._connection.dialect
        if dialect.name == "sqlite":
            # SQLAlchemy's inspector gives only affinities; the declared type says more
            pragma = f"pragma {SCHEMA}.table_info({relation})"
            declared = self._connection.exec_driver_sql(pragma)
            return {row[1]: sqlite_column(row[2] or "") for row in declared}
        found = inspect(self._connection).get_columns(relation, schema=SCHEMA)
        return {each["name"]: database_column(each["type"], dialect) for each in found}

    def has_relation(self, name: str) -> bool:
        """See `Snapshot`."""
        with self._asking(f"{SCHEMA}.{name}"):
            inspector = inspect(self._connection)
            return inspector.has_table(name, schema=SCHEMA) or name in inspector.get_view_names(
                SCHEMA
            )

    def rows(self, query: Select[Any], columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        """See `Snapshot`."""
        with self._asking(relation_of(query)):
            result = self._connection.execution_options(stream_results=True).execute(query)
            for part in result.partitions(_ROWS_A_BATCH):
                yield typed_batch((tuple(row) for row in part), columns, zone=UTC)


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
