"""Publishes a validated batch in ONE transaction, or not at all.

The transaction writes row versions, quarantine, the ledger's row, rule results, standing totals and
the feed's position. Nothing else ever changes `raw`.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from chotso.contracts import Contract, TableSource
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import history, quarantine, statements, versions
from chotso.ingest.history import Judgement, OutOfRangeError
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, verdict_table
from chotso.ingest.pseudonym_key import check_in_force
from chotso.ingest.staged import ACCEPTED
from chotso.ingest.validate import RuleResult
from chotso.warehouse.row_sql import listed


@dataclass(frozen=True)
class Counts:
    """Rows and đồng of one batch. For both, delivered = accepted + quarantined."""

    rows_delivered: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    rows_money_unreadable: int
    money_delivered: int
    money_accepted: int
    money_quarantined: int
    rows_changed: int


def publish_judged(
    conn: psycopg.Connection, contract: Contract, batch: LandedBatch, results: list[RuleResult]
) -> Counts:
    """Publish a loaded and validated batch, unless a rule against history stops it; commits.

    Raises:
        OutOfRangeError: A standing total would leave its history; the results are recorded and
            nothing was published.
        ChotsoError: The batch's rows or đồng do not add up; nothing was published.
    """
    try:
        return _in_one_transaction(conn, contract, batch, results)
    except OutOfRangeError as error:
        judgements = error.judgements
    # The transaction was rolled back, so this counts the rows in force before the batch.
    before = history.count(conn, contract)
    conn.rollback()
    judgements = history.let_mend(judgements, before)
    if not any(each.stops for each in judgements):
        return _in_one_transaction(conn, contract, batch, results, judgements)
    record_results(conn, contract, batch, [*results, *(each.result for each in judgements)])
    conn.commit()
    raise OutOfRangeError(batch.batch_id, judgements)


def publish_without_history(
    conn: psycopg.Connection, contract: Contract, batch: LandedBatch, results: list[RuleResult]
) -> Counts:
    """Publish a batch without asking the rules against history; commits.

    For batches that were published before: what stood around them then is no longer known.

    Raises:
        ChotsoError: The batch's rows or đồng do not add up; nothing was published.
    """
    return _in_one_transaction(conn, contract, batch, results, [])


def _in_one_transaction(
    conn: psycopg.Connection,
    contract: Contract,
    batch: LandedBatch,
    results: list[RuleResult],
    judgements: list[Judgement] | None = None,
) -> Counts:
    with conn.transaction():
        quarantine.stage_before(conn, contract)
        quarantine.keep_waived_out(conn, contract, batch)
        _split(conn, contract, batch)
        keep = statements.keep if contract.kept_as == "statement" else versions.keep
        changed = keep(conn, contract, batch)
        counts = _count(conn, contract, batch, changed)
        check_in_force(conn, contract, batch)
        standing = history.standing_after(conn, contract, batch, changed)
        judgements = history.judge(conn, batch, standing) if judgements is None else judgements
        if any(each.stops for each in judgements):
            raise OutOfRangeError(batch.batch_id, judgements)
        failpoint(f"publishing.{contract.feed}")
        quarantine.set_aside(conn, contract, batch)
        _finish(conn, batch, counts)
        history.remember(conn, batch, standing)
        record_results(conn, contract, batch, [*results, *(each.result for each in judgements)])
        _move_position(conn, contract, batch)
        failpoint(f"publishing.before-commit.{contract.feed}")
    failpoint(f"published.{contract.feed}")
    return counts


def _split(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> None:
    """Fill `ACCEPTED`: rows without a verdict; of identical repetitions one stays."""
    ACCEPTED.fill(
        conn,
        sql.SQL(
            """
            select distinct on ({key}) delivered.*
            from {batch} as delivered
            where not exists (
                select from {verdict} as verdict where verdict.row_no = delivered.row_no
            )
            order by {key}, delivered.row_no
            """
        ).format(
            key=listed(contract.key),
            batch=batch_table(batch.batch_id),
            verdict=verdict_table(batch.batch_id),
        ),
    )


def _count(
    conn: psycopg.Connection, contract: Contract, batch: LandedBatch, changed: int
) -> Counts:
    unreadable = sql.SQL("delivered.unreadable::jsonb ?| {}").format(
        sql.Literal(contract.money_columns)
    )
    row = conn.execute(
        sql.SQL(
            """
            with judged as (
                select
                    coalesce(({money})::numeric, 0) as money,
                    {unreadable} as is_money_unreadable,
                    verdict.row_no is not null as is_set_aside
                from {batch} as delivered
                left join (select distinct row_no from {verdict}) as verdict
                    on verdict.row_no = delivered.row_no
            )

            select
                count(*),
                count(*) filter (where not is_set_aside),
                count(*) filter (where is_set_aside),
                count(*) filter (where not is_set_aside) - (select count(*) from {accepted}),
                count(*) filter (where is_money_unreadable),
                coalesce(sum(money), 0),
                coalesce(sum(money) filter (where not is_set_aside), 0),
                coalesce(sum(money) filter (where is_set_aside), 0)
            from judged
            """
        ).format(
            money=sql.SQL(contract.money),
            unreadable=unreadable,
            accepted=ACCEPTED.table,
            batch=batch_table(batch.batch_id),
            verdict=verdict_table(batch.batch_id),
        )
    ).fetchone()
    assert row is not None
    counts = Counts(*(*row, changed))
    landed = batch.landed.data.rows
    if counts.rows_delivered != landed or counts.money_delivered != (
        counts.money_accepted + counts.money_quarantined
    ):
        raise ChotsoError(
            f"Batch {batch.batch_id} does not add up: {counts}, {landed} rows landed.",
            kept="nothing of it was published.",
            next_step="report this with the batch's id: it must not happen.",
        )
    return counts


def _finish(conn: psycopg.Connection, batch: LandedBatch, counts: Counts) -> None:
    conn.execute(
        """
        update ops.batch
        set
            status = 'published', published_at = clock_timestamp(),
            rows_delivered = %(rows_delivered)s, rows_accepted = %(rows_accepted)s,
            rows_quarantined = %(rows_quarantined)s, rows_duplicate = %(rows_duplicate)s,
            rows_changed = %(rows_changed)s,
            rows_money_unreadable = %(rows_money_unreadable)s,
            money_delivered = %(money_delivered)s, money_accepted = %(money_accepted)s,
            money_quarantined = %(money_quarantined)s
        where batch_id = %(batch_id)s and status = 'running'
        """,
        {**vars(counts), "batch_id": batch.batch_id},
    )


def record_results(
    conn: psycopg.Connection, contract: Contract, batch: LandedBatch, results: list[RuleResult]
) -> None:
    """Insert what each rule found in a batch: rows and đồng, never values."""
    money = sql.SQL(
        """
        select coalesce(sum(coalesce(({money})::numeric, 0)), 0)
        from {batch} as delivered
        where delivered.row_no in (select row_no from {verdict} where rule_id = %s)
        """
    ).format(
        money=sql.SQL(contract.money),
        batch=batch_table(batch.batch_id),
        verdict=verdict_table(batch.batch_id),
    )
    rows: list[list[Any]] = []
    for result in results:
        failed: Any = 0
        if result.rows_failed:
            row = conn.execute(money, [result.rule.id]).fetchone()
            failed = row[0] if row else 0
        passed = result.rows_failed == 0
        told = [result.rule.id, result.rule.severity, passed, result.rows_failed, failed]
        rows.append([batch.batch_id, *told, result.detail])
    with conn.cursor() as cursor:
        cursor.executemany(
            """
            insert into ops.rule_result
                (batch_id, rule_id, severity, is_passed, rows_failed, money_failed, detail)
            values (%s, %s, %s, %s, %s, %s, %s)
            on conflict (batch_id, rule_id) do nothing
            """,
            rows,
        )


def _move_position(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> None:
    if not isinstance(contract.source, TableSource) or batch.source_position is None:
        return
    conn.execute(
        """
        insert into ops.feed_position as reached (feed, position, batch_id)
        values (%s, %s, %s)
        on conflict (feed) do update
        set position = excluded.position, batch_id = excluded.batch_id
        where excluded.position >= reached.position
        """,
        [contract.feed, batch.source_position, batch.batch_id],
    )
