"""Loads landed Parquet into one unlogged table per batch, by binary COPY."""

from collections.abc import Mapping
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg import sql

from chotso.contracts import Contract
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest.ledger import LandedBatch
from chotso.landing import LandedFile, Landing
from chotso.source.arrow import ROW_NUMBER, UNREADABLE
from chotso.warehouse.row_sql import listed

_ROWS_A_BLOCK = 16_384  # while one is made, the server works on the one before
# Types that are copied as text, because Arrow has no exact form of them.
_BECOMES = ("numeric", "jsonb")


def batch_table(batch_id: str) -> sql.Identifier:
    """The landing table of a batch's rows."""
    return sql.Identifier("landing", batch_id)


def scope_table(batch_id: str) -> sql.Identifier:
    """The landing table of the scopes that a batch states in full."""
    return sql.Identifier("landing", f"{batch_id}_scope")


def verdict_table(batch_id: str) -> sql.Identifier:
    """The landing table of (row_no, rule_id, rule_order, detail) for rows that broke a rule."""
    return sql.Identifier("landing", f"{batch_id}_verdict")


def load(
    conn: psycopg.Connection, landing: Landing, contract: Contract, batch: LandedBatch
) -> None:
    """Load a landed batch. Tables that a killed run left are dropped first. Commits.

    Raises:
        ChotsoError: A landed file is not what was landed, or did not arrive whole.
    """
    drop_tables(conn, batch.batch_id)
    data, scope = batch.landed.data, batch.landed.scope
    types: dict[str, str] = {ROW_NUMBER: "bigint"}
    types |= {name: column.type for name, column in contract.landed.items()} | {UNREADABLE: "text"}
    table = batch_table(batch.batch_id)
    _copy(conn, landing, contract.feed, data, table, types)
    _check_sums(conn, data, table)
    if scope is not None:
        scope_types: dict[str, str] = {n: contract.landed[n].type for n in contract.scope}
        if contract.kept_as == "statement":
            scope_types["content_sha256"] = "text"
        _copy(conn, landing, contract.feed, scope, scope_table(batch.batch_id), scope_types)
        _check_sums(conn, scope, scope_table(batch.batch_id))
    commit_landing(conn)
    failpoint(f"loaded.{contract.feed}")


def drop_tables(conn: psycopg.Connection, batch_id: str) -> None:
    """Remove a batch's landing tables, if there are any."""
    tables = (batch_table(batch_id), scope_table(batch_id), verdict_table(batch_id))
    conn.execute(sql.SQL("drop table if exists {}").format(sql.SQL(", ").join(tables)))


def commit_landing(conn: psycopg.Connection) -> None:
    """Commit changes of landing tables, without waiting for the disk.

    These tables are unlogged, so they are loaded again after a crash of the server in any case.
    """
    conn.execute("set local synchronous_commit = off")
    conn.commit()


def sweep(conn: psycopg.Connection, group: str) -> None:
    """Drop landing tables of this group's finished batches that a killed run left."""
    left = conn.execute(
        """
        select distinct batch.batch_id
        from pg_tables as landed
        inner join ops.batch as batch
            on batch.batch_id = regexp_replace(landed.tablename, '_(scope|verdict)$', '')
        where landed.schemaname = 'landing' and batch.feed_group = %s and batch.status <> 'running'
        """,
        [group],
    ).fetchall()
    for (batch_id,) in left:
        drop_tables(conn, batch_id)
    commit_landing(conn)


def _copy(
    conn: psycopg.Connection,
    landing: Landing,
    feed: str,
    landed: LandedFile,
    table: sql.Identifier,
    types: Mapping[str, str],
) -> None:
    with landing.open_checked(landed) as parquet:
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(_travels(t)))
            for n, t in types.items()
        ]
        conn.execute(
            sql.SQL("create unlogged table {} ({})").format(table, sql.SQL(", ").join(columns))
        )
        _stream(conn, feed, parquet, table, list(types))
    later = [
        sql.SQL("alter column {0} type {1} using {0}::{1}").format(sql.Identifier(n), sql.SQL(t))
        for n, t in types.items()
        if t in _BECOMES
    ]
    if later:
        conn.execute(sql.SQL("alter table {} {}").format(table, sql.SQL(", ").join(later)))
    conn.execute(sql.SQL("analyze {}").format(table))


def _travels(column_type: str) -> Any:
    return "text" if column_type in _BECOMES else column_type


def _stream(
    conn: psycopg.Connection,
    feed: str,
    parquet: pq.ParquetFile,
    table: sql.Identifier,
    names: list[str],
) -> None:
    encoder = ArrowToPostgresBinaryEncoder(parquet.schema_arrow.remove_metadata())
    columns = listed(names)
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(table, columns)
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encoder.write_header())
        for block in parquet.iter_batches(_ROWS_A_BLOCK, columns=names):
            copy.write(encoder.write_batch(_plain(block)))
            failpoint(f"loading.{feed}")
        copy.write(encoder.finish())


def _plain(block: pa.RecordBatch) -> pa.RecordBatch:
    return block.replace_schema_metadata(None)


def _check_sums(conn: psycopg.Connection, landed: LandedFile, table: sql.Identifier) -> None:
    sums = [sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(n)) for n in landed.sums]
    counted = sql.SQL(", ").join([sql.SQL("count(*)"), *sums])
    row = conn.execute(sql.SQL("select {} from {}").format(counted, table)).fetchone()
    assert row is not None
    if row[0] != landed.rows or [int(s) for s in row[1:]] != list(landed.sums.values()):
        raise ChotsoError(
            f"{landed.path} did not arrive whole: {row[0]} of {landed.rows} rows.",
            kept="nothing of it was published.",
            next_step="run the same command again; if it repeats, read the server's log.",
        )
