"""A PostgreSQL source: one REPEATABLE READ transaction, read by COPY."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.abc import Buffer
from sqlalchemy import Select, Text, cast
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect

from chotso import waits
from chotso.contracts import Column, Contract, HelperTable, TableSource, helper_table
from chotso.errors import ChotsoError
from chotso.source.binary_copy import TRAVELS_AS_TEXT, binary_batches, refuse_other_types
from chotso.source.drift import Drift, drift_of, postgres_column
from chotso.source.faults import translated, unreachable
from chotso.source.queries import CLOCK_RELATION, SCHEMA, relation_of
from chotso.source.snapshot import (
    CLOCK,
    Snapshot,
    age_unknown,
    no_clock,
    refuse_drifted,
    typed_batch,
)

_POSTGRES = psycopg_dialect.dialect()  # type: ignore[no-untyped-call]
_ROWS_ONE_BY_ONE = 5_000
_KNOWS_DEAD_CLIENTS = 140000  # a source may be older than our warehouse's server

# Each column's type as written, and its base type, which differs for a domain.
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
# The server's now(), and whether a subscription copies its tables from another server.
_CLOCK_OF_A_PRIMARY = """
select
    pg_catalog.now(),
    exists (
        select from pg_catalog.pg_subscription_rel as copied
        inner join pg_catalog.pg_class as relation on relation.oid = copied.srrelid
        inner join pg_catalog.pg_namespace as schema on schema.oid = relation.relnamespace
        where schema.nspname = %s
    )
"""


@contextmanager
def postgres_snapshot(source_url: str) -> Iterator[Snapshot]:
    """See `chotso.source.database.open_snapshot`."""
    try:
        connection = _session(source_url)
    except psycopg.OperationalError as error:
        raise unreachable(source_url, error) from error
    watching = waits.watched(
        partial(_session, source_url),
        pid=connection.info.backend_pid,
        query=waits.ANYWHERE,
        where="at the source",
    )
    with connection, watching as watch:
        connection.autocommit = True
        with translated(source_url, "the server's clock"):
            if connection.info.server_version >= _KNOWS_DEAD_CLIENTS:
                connection.execute(f"set {waits.LIVING_CLIENT}".encode())
            server = _server(
                connection
            )  # asked before the snapshot begins, so that the snapshot has all that was replayed
        connection.autocommit = False
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield PostgresSnapshot(connection, source_url, server, watch.busy)


@dataclass(frozen=True)
class _Server:
    """What a server says about itself: its clock, and how far a standby has replayed."""

    clock: datetime
    is_standby: bool
    replayed_to: datetime | None


def _server(connection: psycopg.Connection) -> _Server:
    row = connection.execute(
        "select pg_catalog.clock_timestamp(), pg_catalog.pg_is_in_recovery(), "
        "pg_catalog.pg_last_xact_replay_timestamp()"
    ).fetchone()
    assert row is not None
    return _Server(*row)


def _session(source_url: str) -> psycopg.Connection:
    return psycopg.connect(
        source_url,
        application_name="chotso extract",
        # row_security off: a policy that hides rows raises an error
        options="-c timezone=UTC -c datestyle=ISO,YMD -c client_encoding=UTF8 "
        f"-c standard_conforming_strings=on -c row_security=off {waits.LOCK_LIMIT}",
        connect_timeout=30,
        keepalives_idle=60,
        keepalives_interval=10,
        keepalives_count=6,
    )


class PostgresSnapshot:
    """A REPEATABLE READ, READ ONLY transaction, read by COPY.

    Without the table `dong_ho`, a primary's `known_at` is its now(). A standby's is the commit time
    of the last transaction that it replayed before the snapshot. If the primary is idle, this time
    does not move, and a standby cannot tell whether it has replayed everything.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        source_url: str,
        server: _Server,
        busy: Callable[[], ChotsoError],
    ) -> None:
        self._connection = connection
        self._source_url = source_url
        self._busy = busy
        if self.has_relation(CLOCK_RELATION):
            self.known_at = self.server_clock = self._clock()
        else:
            self.known_at, self.server_clock = self._age_of_data(server), server.clock

    def _clock(self) -> datetime:
        refuse_drifted(self.helper_drift(CLOCK_RELATION), CLOCK_RELATION)
        with self._asking(f"{SCHEMA}.{CLOCK_RELATION}"):
            row = self._connection.execute(self._text(CLOCK)).fetchone()
        if row is None or row[0] is None:
            raise no_clock()
        instant: datetime = row[0]
        return instant

    def _age_of_data(self, server: _Server) -> datetime:
        if server.is_standby:
            if server.replayed_to is None:
                raise age_unknown("the standby has replayed no transaction since it was started")
            return server.replayed_to
        with self._asking("the server's clock"):
            row = self._connection.execute(_CLOCK_OF_A_PRIMARY, [SCHEMA]).fetchone()
        assert row is not None
        if row[1]:
            raise age_unknown("its tables are copied by a subscription, however far behind")
        instant: datetime = row[0]
        return instant

    def drift(self, contract: Contract) -> list[Drift]:
        """See `Snapshot`."""
        assert isinstance(contract.source, TableSource)
        return self._drift(contract, contract.source.relation)

    def helper_drift(self, relation: str) -> list[Drift]:
        """See `Snapshot`."""
        return self._drift(helper_table(relation), relation)

    def _drift(self, contract: Contract | HelperTable, name: str) -> list[Drift]:
        relation = f"{SCHEMA}.{name}"
        with self._asking(relation):
            found = self._connection.execute(_COLUMNS, [relation]).fetchall()
        columns = {name: postgres_column(shown, base) for name, shown, base in found}
        return drift_of(contract, relation, columns)

    def has_relation(self, name: str) -> bool:
        """See `Snapshot`."""
        with self._asking(f"{SCHEMA}.{name}"):
            row = self._connection.execute(
                "select pg_catalog.to_regclass(%s)", [f"{SCHEMA}.{name}"]
            ).fetchone()
        return row is not None and row[0] is not None

    def rows(self, query: Select[Any], columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        """See `Snapshot`.

        The rows are parsed in bulk as the contract's types. A value without such a reading ends
        that attempt; the rest of the attempt's batches are then read again one by one.
        """
        text = self._text(query)
        done = 0
        with self._asking(relation_of(query)):
            try:
                for batch in self._parsed(query, columns):
                    yield _with_unreadable(batch)
                    done += batch.num_rows
            except pa.ArrowInvalid:
                yield from self._one_by_one(text, columns, skip=done)

    def _text(self, query: Select[Any]) -> bytes:
        """The query with its values filled in, quoted by libpq for this session.

        COPY takes no parameters, and SQLAlchemy's own quoting would double each `%`.
        """
        compiled = query.compile(dialect=_POSTGRES, compile_kwargs={"render_postcompile": True})
        with psycopg.ClientCursor(self._connection) as cursor:
            return cursor.mogrify(str(compiled).encode(), compiled.params).encode()

    @contextmanager
    def _asking(self, relation: str) -> Iterator[None]:
        """Run one query in a savepoint, so that an error leaves the snapshot usable."""
        with translated(self._source_url, relation), self._connection.transaction():
            try:
                yield
            except psycopg.errors.LockNotAvailable as error:
                raise self._busy() from error

    def _parsed(self, query: Select[Any], columns: dict[str, Column]) -> Iterator[pa.RecordBatch]:
        travels = [
            cast(found, Text) if column.type in TRAVELS_AS_TEXT else found
            for found, column in zip(query.selected_columns, columns.values(), strict=True)
        ]
        query = query.with_only_columns(*travels)
        copy = b"copy (" + self._text(query) + b") to stdout (format binary)"
        with self._connection.cursor() as cursor:
            refuse_other_types(
                cursor.execute(self._text(query.limit(0))).description or [], columns
            )
            with cursor.copy(copy) as stream:
                yield from binary_batches(stream, columns)

    def _one_by_one(
        self, query: bytes, columns: dict[str, Column], skip: int
    ) -> Iterator[pa.RecordBatch]:
        """Rows as texts of their values, one by one; a row may have any length."""
        copy = b"copy (" + query + b") to stdout"
        with self._connection.cursor() as cursor, cursor.copy(copy) as stream:
            cursor.adapters.register_loader("text", _AnyText)
            stream.set_types(["text"] * len(columns))
            rows = islice(stream.rows(), skip, None)
            while part := list(islice(rows, _ROWS_ONE_BY_ONE)):
                yield typed_batch(iter(part), columns, zone=None)


class _AnyText(psycopg.adapt.Loader):
    """Text as the server sent it; bytes that are not UTF-8 are kept and can be recognised."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode("utf-8", "surrogateescape")


def _with_unreadable(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.append_column("unreadable", pa.nulls(batch.num_rows, pa.string()))
