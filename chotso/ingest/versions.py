"""Row versions: a changed row supersedes, an unchanged one adds nothing, a vanished one closes."""

from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from chotso.calendar import local_midnight
from chotso.contracts import Contract, TableSource
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, scope_table


def keep(conn: psycopg.Connection, item: Contract, batch: LandedBatch) -> int:
    """Bring `raw.<feed>` to what the temporary `accepted` says; returns versions added and closed.

    Runs inside the publishing transaction.
    """
    parts = _parts(item, batch)
    conn.execute("drop table if exists pg_temp.changed")
    conn.execute(
        sql.SQL(
            """
            create temporary table changed on commit drop as
            select accepted.*
            from accepted
            left join {raw} as kept
                on {same_key} and kept.known_to is null
            where kept.batch_id is null or ({new}) is distinct from ({old})
            """
        ).format(**parts)
    )
    conn.execute(
        sql.SQL(
            "update {raw} as kept set known_to = %(known_at)s from changed as accepted "
            "where {same_key} and kept.known_to is null"
        ).format(**parts),
        {"known_at": batch.known_at},
    )
    added = conn.execute(
        sql.SQL(
            "insert into {raw} ({columns}, batch_id, known_from) "
            "select {columns}, %(batch_id)s, %(known_at)s from changed"
        ).format(**parts),
        {"known_at": batch.known_at, "batch_id": batch.batch_id},
    ).rowcount
    return added + _close_missing(conn, item, batch, parts)


def _close_missing(
    conn: psycopg.Connection, item: Contract, batch: LandedBatch, parts: dict[str, Any]
) -> int:
    """Close rows in force that a full or windowed read no longer has; those set aside stay."""
    within = stated_within(item, batch)
    if within is None:
        return 0
    return conn.execute(
        sql.SQL(
            """
            update {raw} as kept
            set known_to = %(known_at)s
            where kept.known_to is null and {within}
                and not exists (select from {batch} as accepted where {same_key})
            """
        ).format(within=within, **parts),
        {"known_at": batch.known_at},
    ).rowcount


def stated_within(item: Contract, batch: LandedBatch) -> sql.Composable | None:
    """Which of the kept rows (alias `kept`) the batch states in full; None for none of them."""
    facts = batch.landing_files["facts"]
    match facts["closes"]:
        case "everything":
            return sql.SQL("true")
        case "scope":
            return sql.SQL("({}) in (select {} from {})").format(
                sql.SQL(", ").join(sql.Identifier("kept", n) for n in item.scope),
                sql.SQL(", ").join(map(sql.Identifier, item.scope)),
                scope_table(batch.batch_id),
            )
        case "period":
            assert isinstance(item.source, TableSource)
            assert item.source.period is not None
            start = local_midnight(date.fromisoformat(facts["year_start"]))
            return sql.SQL("{} >= {}").format(
                sql.Identifier("kept", item.source.period), sql.Literal(start)
            )
    return None


def _parts(item: Contract, batch: LandedBatch) -> dict[str, Any]:
    return {
        "raw": sql.Identifier("raw", item.feed),
        "batch": batch_table(batch.batch_id),
        "same_key": same_key(item, "accepted", "kept"),
        "columns": sql.SQL(", ").join(map(sql.Identifier, item.landed)),
        "new": sql.SQL(", ").join(sql.Identifier("accepted", n) for n in item.tracked),
        "old": sql.SQL(", ").join(sql.Identifier("kept", n) for n in item.tracked),
    }


def same_key(item: Contract, left: str, right: str) -> sql.Composed:
    """The join of two aliases on the feed's key."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, n), sql.Identifier(right, n))
        for n in item.key
    )
