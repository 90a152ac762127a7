"""Lands a relation of the collection system: its rows, its scopes and the source's count."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Literal

import numpy as np
import psycopg
import pyarrow as pa

from chotso.contracts import Column, Contract, TableSource
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import ledger, schema_drift
from chotso.ingest.landing_run import LandingRun
from chotso.ingest.pseudonym_key import check_key
from chotso.landed import Closes, Landed, ReadFacts
from chotso.landing import LandedFile
from chotso.settings import Settings
from chotso.source.arrow import ROW_NUMBER, UNREADABLE, arrow_type, landed_schema, latest
from chotso.source.pseudonym import pseudonymiser
from chotso.source.queries import (
    CONTROL_COLUMNS,
    CONTROL_RELATION,
    ReadRequest,
    control_query,
    rows_query,
    scope_query,
)
from chotso.source.snapshot import refuse_drifted


def land_table(run: LandingRun, contract: Contract, source: TableSource) -> None:
    """Land the rows that were asked for; block the batch if a column differs from the contract."""
    request = _request(run, contract, source)
    check_key(run.settings, run.conn, contract, run.snapshot.known_at, request)
    batch_id = run.start(contract, request.mode)
    drifts = run.snapshot.drift(contract)
    drift = schema_drift.record(run.conn, contract.feed, batch_id, run.snapshot.known_at, drifts)
    if drift.blocking:
        _block(run, batch_id, drift.blocking)
        return
    run.landings.notes += drift.notes
    folder = run.folder(contract, batch_id)
    data, newest = _write_rows(run, contract, source, request, f"{folder}/data.parquet")
    scope = None
    if (query := scope_query(contract, request)) is not None:
        scope = _write_scope(run, contract, query, f"{folder}/scope.parquet")
    control = _write_control(run, contract, f"{folder}/control.parquet")
    facts = _facts_of_read(
        source,
        request,
        has_scope=scope is not None,
        control="missing" if contract.control and not control else None,
        added_columns=drift.added_columns,
    )
    position = None if run.read.keys else _position(run, contract, source, newest)
    run.done(contract, batch_id, Landed(data, scope, control, facts), position=position)


def _request(run: LandingRun, contract: Contract, source: TableSource) -> ReadRequest:
    if run.read.keys:
        return ReadRequest("replay", keys_again=run.read.keys[contract.feed])
    if source.read == "whole":
        return ReadRequest("whole")
    position = ledger.position(run.conn, contract.feed)
    if run.read.months:
        return ReadRequest("window", since=position, months=run.read.months)
    behind = _behind(run, contract, position)
    since = behind - timedelta(minutes=source.overlap_minutes) if behind else None
    keys_again = _keys_in_quarantine(run.conn, contract)
    start = date(run.read.business_date.year, 1, 1)
    request = ReadRequest("year" if run.read.full else "changes", since, start, keys_again)
    return request.of(source)


def _behind(run: LandingRun, contract: Contract, position: datetime | None) -> datetime | None:
    """The position to read from.

    The lines of a document must be read as far back as the documents themselves.
    """
    if position is None or contract.control is None or contract.control.of is None:
        return position
    placing = ledger.position(run.conn, contract.control.of)
    return min(position, placing) if placing else position


def _write_rows(
    run: LandingRun, contract: Contract, source: TableSource, request: ReadRequest, path: str
) -> tuple[LandedFile, datetime | None]:
    read = {n: c for n, c in contract.columns.items() if c.personal != "drop"}
    lands = _lander(contract, read, run.settings)
    schema = landed_schema(contract)
    newest: datetime | None = None
    with run.landing.parquet(path, schema, contract.money_columns) as draft:
        for batch in run.snapshot.rows(rows_query(contract, request), read):
            draft.write(lands(batch, draft.rows))
            if source.changed_at:
                seen = latest(batch.column(source.changed_at))
                newest = max(filter(None, (newest, seen)), default=None)
            run.progress(f"{contract.feed}: {draft.rows:,} rows read")
            failpoint(f"landing.{contract.feed}")
    return draft.result(), newest


def _write_scope(run: LandingRun, contract: Contract, query: Any, path: str) -> LandedFile:
    columns = {name: Column(type="text", description=name) for name in contract.scope}
    schema = pa.schema([(name, pa.string()) for name in contract.scope])
    with run.landing.parquet(path, schema, []) as draft:
        for batch in run.snapshot.rows(query, columns):
            draft.write(batch.select(contract.scope))
    return draft.result()


def _write_control(run: LandingRun, contract: Contract, path: str) -> LandedFile | None:
    """The source's count of the feed, from the snapshot of its rows; None if there is none."""
    if contract.control is None or not run.snapshot.has_relation(CONTROL_RELATION):
        return None
    refuse_drifted(run.snapshot.helper_drift(CONTROL_RELATION), CONTROL_RELATION)
    batches = run.snapshot.rows(control_query(contract), CONTROL_COLUMNS)
    fields = [(name, arrow_type(column.type)) for name, column in CONTROL_COLUMNS.items()]
    schema = pa.schema(fields)
    with run.landing.parquet(path, schema, []) as draft:
        for batch in batches:
            draft.write(batch.select(schema.names))
    return draft.result()


def _position(
    run: LandingRun, contract: Contract, source: TableSource, newest: datetime | None
) -> str | None:
    """The newest change that was read, at most the snapshot's clock, and never going back."""
    if source.read == "whole":
        return None
    before = ledger.position(run.conn, contract.feed)
    seen = min(newest, run.snapshot.known_at) if newest else None
    reached = max(filter(None, (before, seen)), default=None)
    return reached.isoformat() if reached else None


def _block(run: LandingRun, batch_id: str, reason: str) -> None:
    ledger.stop(run.conn, batch_id, "blocked", reason)
    error = ChotsoError(
        f"{batch_id} is blocked: {reason}.",
        kept="nothing of it was read; what was published before stands.",
        next_step="have the source's columns restored, or change the contract's lines if the "
        "change is meant, then run the same command again.",
    )
    run.landings.stopped.append(str(error))


def _facts_of_read(
    source: TableSource,
    request: ReadRequest,
    *,
    has_scope: bool,
    control: Literal["missing"] | None,
    added_columns: dict[str, str | None] | None,
) -> ReadFacts:
    closes = _closes(source, request, has_scope)
    has_position = request.mode != "changes" and source.changed_at is not None
    return ReadFacts(
        closes=closes,
        year_start=request.year_start if closes == "period" else None,
        months=request.months or None,
        held_before=request.since if has_position else None,
        control=control,
        added_columns=added_columns,
    )


def _closes(source: TableSource, request: ReadRequest, has_scope: bool) -> Closes:
    if request.reads_everything:
        return "everything"
    if has_scope:
        return "scope"
    if request.mode == "window":
        return "window"
    return "period" if request.mode == "year" and source.period else "nothing"


def _lander(
    contract: Contract, read: dict[str, Column], settings: Settings
) -> Callable[[pa.RecordBatch, int], pa.RecordBatch]:
    """A function from a batch as read to a batch as landed.

    It numbers the rows and replaces or removes clear personal data.
    """
    personal = [name for name, column in read.items() if column.personal == "pseudonym"]
    replace = pseudonymiser(settings.pseudonym_key()) if personal else None
    schema = landed_schema(contract)

    def lands(batch: pa.RecordBatch, before: int) -> pa.RecordBatch:
        columns = {name: batch.column(name) for name in batch.schema.names}
        for name in personal:
            assert replace is not None
            columns |= replace(columns.pop(name))
        counted = pa.py_buffer(np.arange(before + 1, before + 1 + batch.num_rows))
        numbers = pa.Array.from_buffers(pa.int64(), batch.num_rows, [None, counted])
        columns = {ROW_NUMBER: numbers, **columns, UNREADABLE: columns[UNREADABLE]}
        return pa.record_batch([columns[name] for name in schema.names], schema=schema)

    return lands


def _keys_in_quarantine(conn: psycopg.Connection, contract: Contract) -> list[tuple[Any, ...]]:
    """Keys of open rows: every extract reads them from the source and judges them again."""
    found = conn.execute(
        "select row from quarantine.row where feed = %s and status = 'open'", [contract.feed]
    )
    keys = {
        tuple(_typed_key(contract, name, row[0].get(name)) for name in contract.key)
        for row in found
    }
    return sorted((k for k in keys if None not in k), key=str)


def _typed_key(contract: Contract, name: str, value: Any) -> Any:
    if value is not None and contract.landed[name].type == "date":
        return date.fromisoformat(value)
    return value
