"""Rows set aside: one row per row version, with all rules that it broke and its đồng."""

from typing import Any

import psycopg
from psycopg import sql

from chotso.contracts import Contract, FileSource
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, scope_table, verdict_table
from chotso.ingest.staged import ACCEPTED, IN_QUARANTINE, STATED
from chotso.warehouse.row_sql import joined
from chotso.warehouse.statistics import TemporaryTable

# Rows of the batch that have a verdict, one per row version.
_SET_ASIDE = TemporaryTable("set_aside")
_NOT_CONTENT = ["row_no"]


def stage_before(conn: psycopg.Connection, contract: Contract) -> None:
    """Fill `IN_QUARANTINE` with the feed's open and waived row versions, before this batch.

    Runs first in the publishing transaction: the steps after it join the table.
    """
    IN_QUARANTINE.fill(
        conn,
        sql.SQL(
            """
            select
                id, batch_id, status, row_key, row_sha256, scope_key, rule_ids, detail, replaced_at
            from quarantine.row
            where feed = {} and status in ('open', 'waived')
            """
        ).format(sql.Literal(contract.feed)),
    )


def keep_waived_out(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> None:
    """Give waived row versions a verdict again if no rule sets them aside any more.

    Runs inside the publishing transaction, before the batch is split. A person decided that this
    version stays out. Only another version of the row is accepted.
    """
    waived = conn.execute(
        sql.SQL("select from {} where status = 'waived' limit 1").format(IN_QUARANTINE.table)
    )
    if waived.fetchone() is None:
        return
    conn.execute(
        sql.SQL(
            """
            insert into {verdict} (row_no, rule_id, rule_order, detail)
            select delivered.row_no, broken.rule_id, broken.rule_order, waived.detail
            from {batch} as delivered
            inner join {in_quarantine} as waived
                on waived.status = 'waived'
                and waived.row_key = {row_key} and waived.row_sha256 = {row_sha256}
            cross join lateral
                unnest(waived.rule_ids) with ordinality as broken (rule_id, rule_order)
            where not exists (
                select from {verdict} as verdict where verdict.row_no = delivered.row_no
            )
            """
        ).format(**_parts(contract, batch))
    )


def set_aside(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> None:
    """Insert a batch's rejected rows into quarantine, and end rows that the batch settles.

    Runs inside the publishing transaction, after the accepted rows were written. If a row version
    is in quarantine already, only `last_seen` changes. A row in quarantine ends (`replayed`) if its
    key was accepted now, if another version replaced it, or if a full statement no longer has it.
    """
    parts, values = _parts(contract, batch), _values(contract, batch)
    _collect(conn, parts)
    if batch.stated_at is not None:
        _leave_out_overtaken(conn, parts, values)
    _insert(conn, parts, values)
    _end_answered(conn, parts, values)
    _end_read_anew(conn, batch, parts, values)
    _end_withdrawn(conn, contract, batch, parts, values)


def _collect(conn: psycopg.Connection, parts: dict[str, Any]) -> None:
    _SET_ASIDE.fill(
        conn,
        sql.SQL(
            """
            with judged as (
                select
                    row_no,
                    array_agg(rule_id order by rule_order) as rule_ids,
                    (array_agg(detail order by rule_order))[1] as detail
                from (select distinct on (row_no, rule_id) * from {verdict}
                    where row_no is not null) as verdict
                group by row_no
            )

            select distinct on (row_key, row_sha256)
                judged.rule_ids,
                judged.detail,
                {row_key} as row_key,
                {scope_key} as scope_key,
                to_jsonb(delivered) - {not_content} as row,
                {row_sha256} as row_sha256,
                coalesce(({money})::numeric, 0) as money
            from {batch} as delivered
            inner join judged on judged.row_no = delivered.row_no
            order by row_key, row_sha256, delivered.row_no
            """
        ).format(**parts),
    )


def _insert(conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]) -> None:
    conn.execute(
        sql.SQL(
            """
        insert into quarantine.row as known (
            feed, batch_id, rule_id, rule_ids, detail, row_key, scope_key, row, row_sha256,
            money, first_seen, last_seen, status
        )
        select
            %(feed)s, %(batch_id)s, rule_ids[1], rule_ids, detail, row_key, scope_key, row,
            row_sha256, money, %(known_at)s, %(known_at)s, 'open'
        from {set_aside}
        on conflict (feed, row_key, row_sha256) where status in ('open', 'waived') do update
        set
            last_seen = excluded.last_seen, batch_id = excluded.batch_id, replaced_at = null,
            rule_id = excluded.rule_id, rule_ids = excluded.rule_ids, detail = excluded.detail
        """
        ).format(**parts),
        values,
    )


def _leave_out_overtaken(
    conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]
) -> None:
    """Take out rows that are set aside although a later statement has replaced them.

    Quarantine records them as ended at once. A single row is taken out, too, if a later statement
    has it in another scope.
    """
    spoken_later = sql.SQL(
        "exists (select from {raw} as kept "
        "where {kept_key} = set_aside.row_key and kept.restated_at > %(stated_at)s::timestamptz)"
    ).format(**parts)
    set_aside_later = sql.SQL(
        "exists (select from quarantine.row as known "
        "inner join ops.batch as batch on batch.batch_id = known.batch_id "
        "where known.feed = %(feed)s and known.row_key = set_aside.row_key "
        "and batch.stated_at > %(stated_at)s::timestamptz)"
    )
    conn.execute(
        sql.SQL(
            """
        with overtaken as (
            delete from {set_aside} as set_aside
            using {stated} as stated
            where set_aside.scope_key = stated.scope_key
                and (not stated.is_latest or {spoken_later} or {set_aside_later})
            returning set_aside.*
        )

        insert into quarantine.row (
            feed, batch_id, rule_id, rule_ids, detail, row_key, scope_key, row, row_sha256,
            money, first_seen, last_seen, status, resolved_at, resolution
        )
        select
            %(feed)s, %(batch_id)s, rule_ids[1], rule_ids, detail, row_key, scope_key, row,
            row_sha256, money, %(known_at)s, %(known_at)s, 'replayed', %(known_at)s,
            'a later statement replaces it'
        from overtaken
        """
        ).format(spoken_later=spoken_later, set_aside_later=set_aside_later, **parts),
        values,
    )
    conn.execute(
        sql.SQL(
            "delete from {accepted} as accepted using {stated} as stated "
            "where {accepted_scope} = stated.scope_key and not stated.is_latest"
        ).format(**parts)
    )


def _end_answered(conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]) -> None:
    conn.execute(
        sql.SQL(
            """
            with answered as (
                select {accepted_key} as row_key, 'accepted' as resolution
                from {accepted} as accepted
                union
                select row_key, 'another version replaces it' from {set_aside}
            ),

            ended as (
                update quarantine.row as known
                set
                    status = case when known.status = 'open' then 'replayed' else known.status end,
                    resolved_at = coalesce(known.resolved_at, %(known_at)s),
                    resolution = coalesce(known.resolution, answered.resolution),
                    replaced_at = %(known_at)s
                from {in_quarantine} as before
                inner join answered on before.row_key = answered.row_key
                where
                    known.id = before.id and before.replaced_at is null
                    and not exists (
                        select from ops.batch as batch
                        where batch.batch_id = before.batch_id
                            and batch.stated_at > %(stated_at)s::timestamptz
                    )
                    and not exists (
                        select from {set_aside} as set_aside
                        where set_aside.row_key = before.row_key
                            and set_aside.row_sha256 = before.row_sha256
                    )
                returning known.id
            )

            delete from {in_quarantine} as before using ended where before.id = ended.id
            """
        ).format(**parts),
        values,
    )


def _end_read_anew(
    conn: psycopg.Connection, batch: LandedBatch, parts: dict[str, Any], values: dict[str, Any]
) -> None:
    """End rows whose key changed when this batch parsed the archived file again."""
    replayed = batch.landed.facts.replays
    if not replayed:
        return
    conn.execute(
        sql.SQL(
            """
        with ended as (
            update quarantine.row as known
            set
                status = 'replayed', resolved_at = %(known_at)s,
                resolution = 'read anew under another key'
            where
                known.id = any(%(replayed)s) and known.status = 'open'
                and not exists (
                    select from {set_aside} as set_aside
                    where set_aside.row_key = known.row_key
                        and set_aside.row_sha256 = known.row_sha256
                )
            returning known.id
        )

        delete from {in_quarantine} as before using ended where before.id = ended.id
        """
        ).format(**parts),
        values | {"replayed": replayed},
    )


def _end_withdrawn(
    conn: psycopg.Connection,
    contract: Contract,
    batch: LandedBatch,
    parts: dict[str, Any],
    values: dict[str, Any],
) -> None:
    """End open rows that a full statement no longer has, if the statement proves absence."""
    closes = batch.landed.facts.closes
    if closes == "everything":
        within: sql.Composable = sql.SQL("true")
    elif closes == "scope":
        latest = sql.SQL("select scope_key from {} where is_latest and proves_absence").format(
            STATED.table
        )
        listed = sql.SQL("select {} from {} as scope").format(
            joined(contract.scope, "scope"), scope_table(batch.batch_id)
        )
        within = sql.SQL("before.scope_key in ({})").format(latest if batch.stated_at else listed)
    else:
        return
    conn.execute(
        sql.SQL(
            """
            update quarantine.row as known
            set
                status = case when known.status = 'open' then 'replayed' else known.status end,
                resolved_at = coalesce(known.resolved_at, %(known_at)s),
                resolution = coalesce(known.resolution, 'no longer delivered'),
                replaced_at = %(known_at)s
            from {in_quarantine} as before
            where
                known.id = before.id and before.replaced_at is null and {within}
                and not exists (
                    select from {batch} as delivered where {row_key} = before.row_key
                )
                and not exists (
                    select from ops.batch as batch
                    where batch.batch_id = known.batch_id
                        and batch.stated_at > %(stated_at)s::timestamptz
                )
            """
        ).format(within=within, **parts),
        values,
    )


def _parts(contract: Contract, batch: LandedBatch) -> dict[str, Any]:
    untracked = [n for n, c in contract.landed.items() if not c.tracked]
    not_compared = sql.SQL("{}::text[]").format(sql.Literal(_NOT_CONTENT + untracked))
    return {
        "accepted": ACCEPTED.table,
        "in_quarantine": IN_QUARANTINE.table,
        "set_aside": _SET_ASIDE.table,
        "stated": STATED.table,
        "batch": batch_table(batch.batch_id),
        "verdict": verdict_table(batch.batch_id),
        "row_key": joined(contract.key, "delivered"),
        "raw": sql.Identifier("raw", contract.feed),
        "accepted_key": joined(contract.key, "accepted"),
        "kept_key": joined(contract.key, "kept"),
        "accepted_scope": joined(contract.scope, "accepted"),
        "scope_key": _scope_key(contract, batch),
        "money": sql.SQL(contract.money),
        "not_content": sql.SQL("{}::text[]").format(sql.Literal(_NOT_CONTENT)),
        "row_sha256": sql.SQL(
            "encode(sha256(convert_to((to_jsonb(delivered) - {})::text, 'UTF8')), 'hex')"
        ).format(not_compared),
    }


def _scope_key(contract: Contract, batch: LandedBatch) -> sql.Composable:
    """The scope of the statement that delivered a row.

    For a file, that is the file's month, not the month in the row.
    """
    if not contract.scope:
        return sql.SQL("null::text")
    if not isinstance(contract.source, FileSource):
        return joined(contract.scope, "delivered")
    month = batch.landed.facts.month
    parts = [
        sql.Identifier("delivered", name)
        if name == contract.source.sheet_code
        else sql.SQL("{}::date::text").format(sql.Literal(month))
        for name in contract.scope
    ]
    return sql.SQL("concat_ws('|', {})").format(sql.SQL(", ").join(parts))


def _values(contract: Contract, batch: LandedBatch) -> dict[str, Any]:
    return {
        "feed": contract.feed,
        "batch_id": batch.batch_id,
        "known_at": batch.known_at,
        "stated_at": batch.stated_at,
    }
