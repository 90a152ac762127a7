"""Row versions: a changed row replaces the version in force; an unchanged row adds nothing.

A row that is gone is closed if the source's own count confirms it. Otherwise it stays, as missing.
"""

from typing import Any

import psycopg
from psycopg import sql

from chotso.calendar import local_midnight
from chotso.contracts import Contract, TableSource
from chotso.ingest import missing
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, scope_table
from chotso.ingest.staged import ACCEPTED, IN_QUARANTINE
from chotso.warehouse.row_sql import control_month, joined, listed, money_of, same_key
from chotso.warehouse.statistics import TemporaryTable

# Accepted rows that differ from the version in force, or have none.
_CHANGED = TemporaryTable("changed")


def keep(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> int:
    """Write the accepted rows into `raw.<feed>`; returns the number of versions added and closed.

    Runs inside the publishing transaction.
    """
    parts = _parts(contract, batch)
    _CHANGED.fill(
        conn,
        sql.SQL(
            """
            select accepted.*
            from {accepted} as accepted
            left join {raw} as kept
                on {same_key} and kept.known_to is null
            where kept.batch_id is null or ({new}) is distinct from ({old})
            """
        ).format(**parts),
    )
    _record_found(conn, contract, batch, parts)
    conn.execute(
        sql.SQL(
            "update {raw} as kept set known_to = %(known_at)s from {changed} as accepted "
            "where {same_key} and kept.known_to is null"
        ).format(**parts),
        {"known_at": batch.known_at},
    )
    added = conn.execute(
        sql.SQL(
            "insert into {raw} ({columns}, batch_id, known_from) "
            "select {columns}, %(batch_id)s, %(known_at)s from {changed}"
        ).format(**parts),
        {"known_at": batch.known_at, "batch_id": batch.batch_id},
    ).rowcount
    return added + _close_missing(conn, contract, batch, parts)


def _close_missing(
    conn: psycopg.Connection, contract: Contract, batch: LandedBatch, parts: dict[str, Any]
) -> int:
    """Close rows in force that the read lacks although it should have them; rows set aside stay.

    If nothing proves that they ended, they stay in force and are recorded as missing.
    """
    within = stated_within(contract, batch)
    if not contract.believes_absence:
        missing.note(conn, contract, batch, parts, within)
        return 0
    if within is None:
        return 0
    condition = sql.SQL("where ") + within
    values = {"batch_id": batch.batch_id, "feed": contract.feed, "known_at": batch.known_at}
    return close(conn, parts, values, condition, is_difference=_proves_rows_gone(contract, batch))


def close(
    conn: psycopg.Connection,
    parts: dict[str, Any],
    values: dict[str, Any],
    condition: sql.Composable,
    *,
    is_difference: bool,
) -> int:
    """Close rows in force that match a condition and are not in the batch; returns their number.

    Args:
        conn: Inside the publishing transaction.
        parts: SQL by name: `raw`, `batch`, `same_key`, `kept_row_key`, `money_before`.
        values: `batch_id`, `feed` and `known_at`.
        condition: `[from …] where …` over the alias `kept`.
        is_difference: Whether such rows should have been there; they are then recorded.
    """
    row = conn.execute(
        sql.SQL(
            """
            with closed as (
                update {raw} as kept
                set known_to = %(known_at)s
                {condition} and kept.known_to is null
                    and not exists (select from {batch} as accepted where {same_key})
                returning {kept_row_key} as row_key, {money_before} as money
            ),

            noted as (
                insert into ops.difference
                    (batch_id, feed, row_key, kind, known_at, money_before)
                select %(batch_id)s, %(feed)s, row_key, 'gone', %(known_at)s, money
                from closed
                where %(is_difference)s
                on conflict do nothing
            )

            select count(*) from closed
            """
        ).format(condition=condition, **parts),
        values | {"is_difference": is_difference},
    ).fetchone()
    assert row is not None
    return int(row[0])


def _record_found(
    conn: psycopg.Connection, contract: Contract, batch: LandedBatch, parts: dict[str, Any]
) -> None:
    """Record rows of a whole read that an earlier read should have brought.

    These changed at the source no later than the position of the read before.
    """
    held_before = batch.landed.facts.held_before
    if held_before is None:
        return
    assert isinstance(contract.source, TableSource)
    changed_at = sql.Identifier(contract.source.changed_at or "")
    values = {
        "batch_id": batch.batch_id,
        "feed": contract.feed,
        "known_at": batch.known_at,
        "held_before": held_before,
    }
    should_be_held = sql.SQL("coalesce(accepted.{} <= %(held_before)s, true)").format(changed_at)
    record_differences(conn, parts | {"found": _CHANGED.table}, values, should_be_held)


def record_differences(
    conn: psycopg.Connection,
    parts: dict[str, Any],
    values: dict[str, Any],
    condition: sql.Composable,
) -> None:
    """Record rows of a read that `raw` should have held: it lacks them, or has another version.

    Rows that are open in quarantine are no differences.

    Args:
        conn: Inside the publishing transaction, before the rows are written.
        parts: SQL by name: `found` (the table of the rows), `raw`, `same_key`, `row_key`,
            `in_quarantine`, `money_before`, `money_after`.
        values: `batch_id`, `feed`, `known_at`, and what the condition names.
        condition: Which rows of `found`, under the alias `accepted`.
    """
    conn.execute(
        sql.SQL(
            """
            insert into ops.difference
                (batch_id, feed, row_key, kind, known_at, money_before, money_after)
            select
                %(batch_id)s, %(feed)s, {row_key},
                case when kept.batch_id is null then 'missing' else 'changed' end, %(known_at)s,
                case when kept.batch_id is not null then {money_before} end, {money_after}
            from {found} as accepted
            left join {raw} as kept on {same_key} and kept.known_to is null
            where
                {condition}
                and not exists (
                    select from {in_quarantine} as aside
                    where aside.status = 'open' and aside.row_key = {row_key}
                )
            on conflict do nothing
            """
        ).format(condition=condition, **parts),
        values,
    )


def _proves_rows_gone(contract: Contract, batch: LandedBatch) -> bool:
    """Whether a row that this read lacks counts as a difference: it was lost at the source.

    A document that is rewritten may lose lines; that is no difference. Lines are a difference only
    if whole months are read right after the night's own read.
    """
    facts = batch.landed.facts
    return facts.held_before is not None and (facts.closes != "scope" or facts.months is not None)


def stated_within(contract: Contract, batch: LandedBatch) -> sql.Composable | None:
    """SQL condition on `kept` for the rows that the batch states in full; None for none."""
    facts = batch.landed.facts
    match facts.closes:
        case "everything":
            return sql.SQL("true")
        case "scope":
            return sql.SQL("({}) in (select {} from {})").format(
                listed(contract.scope, "kept"),
                listed(contract.scope),
                scope_table(batch.batch_id),
            )
        case "period":
            assert isinstance(contract.source, TableSource)
            assert contract.source.period is not None
            assert facts.year_start is not None
            start = local_midnight(facts.year_start)
            return sql.SQL("{} >= {}").format(
                sql.Identifier("kept", contract.source.period), sql.Literal(start)
            )
        case "window":
            assert contract.control is not None
            return sql.SQL("{} = any({}::date[])").format(
                control_month(contract, sql.Identifier("kept", contract.control.month)),
                sql.Literal(facts.months),
            )
    return None


def _parts(contract: Contract, batch: LandedBatch) -> dict[str, Any]:
    return {
        "raw": sql.Identifier("raw", contract.feed),
        "accepted": ACCEPTED.table,
        "changed": _CHANGED.table,
        "in_quarantine": IN_QUARANTINE.table,
        "batch": batch_table(batch.batch_id),
        "same_key": same_key(contract, "accepted", "kept"),
        "columns": listed(contract.landed),
        "row_key": joined(contract.key, "accepted"),
        "kept_row_key": joined(contract.key, "kept"),
        "money_before": money_of(contract, "kept"),
        "money_after": money_of(contract, "accepted"),
        "new": listed(contract.tracked, "accepted"),
        "old": listed(contract.tracked, "kept"),
    }
