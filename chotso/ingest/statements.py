"""Full statements: the one with the newest export instant counts, in whatever order they arrive.

The result is the same as if all known statements were applied in the order of their instants. A
statement replaces all rows of its scope. A row that a later statement has in another scope leaves
the old scope for good. A statement that arrives late is applied only to rows that no later
statement has.

Rows that a statement lacks are closed only if their absence is proven (`statement_proof`).
Otherwise they stay, and that is reported. A file that arrives again under the same name with other
rows replaces its first version. It may have been read the first time while it was being written.
"""

from typing import Any

import psycopg
from psycopg import sql

from chotso.contracts import Contract, FileSource
from chotso.ingest import statement_proof
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, scope_table
from chotso.ingest.staged import ACCEPTED, IN_QUARANTINE, STATED
from chotso.ingest.versions import close, record_differences
from chotso.warehouse.row_sql import equal, joined, listed, money_of, same_key
from chotso.warehouse.statistics import TemporaryTable

# Accepted rows that differ from the version in force, and that no later statement has.
_SPOKEN = TemporaryTable("spoken")


def conflict(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> str | None:
    """The scope that another accepted file states differently at the same instant, if any.

    The same file name with other bytes is no conflict. Neither is a statement that is published
    again.
    """
    if batch.landed.facts.again is not None:
        return None
    row = conn.execute(
        sql.SQL(
            """
            select known.scope_key, known.batch_id
            from {scope} as stated
            inner join ops.statement as known
                on
                    known.feed = %(feed)s
                    and known.stated_at = %(stated_at)s
                    and known.scope_key = {scope_key}
                    and known.replaced_at is null
            inner join ops.batch as brought_by on brought_by.batch_id = known.batch_id
            where
                known.content_sha256 <> stated.content_sha256
                and brought_by.delivery_name is distinct from %(delivery)s
            limit 1
            """
        ).format(scope=scope_table(batch.batch_id), scope_key=joined(contract.scope, "stated")),
        {"feed": contract.feed, "stated_at": batch.stated_at, "delivery": batch.delivery_name},
    ).fetchone()
    return None if row is None else f"{row[0]}, stated otherwise by batch {row[1]}"


def keep(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> int:
    """Write this statement into `raw.<feed>`; returns the number of versions added and closed.

    Runs inside the publishing transaction. A batch without a statement (a listing of the folder)
    changes nothing.
    """
    if batch.stated_at is None:
        return 0
    parts = _parts(contract, batch)
    values = {
        "feed": contract.feed,
        "stated_at": batch.stated_at,
        "known_at": batch.known_at,
        "batch_id": batch.batch_id,
        "is_again": batch.landed.facts.again is not None,
        **statement_proof.doubts(contract),
    }
    _latest_scopes(conn, parts, values)
    _repeat(conn, parts, values)
    _find_spoken(conn, parts, values)
    if values["is_again"]:  # rows that had been lost, and that come back
        found = parts | {"found": parts["spoken"]}
        record_differences(conn, found, values, sql.SQL("accepted.is_latest"))
    added = _apply(conn, parts, values)
    closed = 0
    if batch.landed.facts.closes == "scope":
        # Close rows of the scope that its newest statement lacks. Rows that it set aside stay.
        lacking = sql.SQL(
            "from {stated} as stated "
            "where stated.is_latest and stated.proves_absence and {kept_in_scope} "
            "and kept.restated_at <= %(stated_at)s"
        ).format(**parts)
        closed = close(conn, parts, values, lacking, is_difference=values["is_again"])
    _remember(conn, parts, values)
    return added + closed


def _latest_scopes(conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]) -> None:
    """Fill `STATED`: the batch's scopes, what each proves, and whether it is the latest.

    A later statement that proves no absence does not replace an earlier one.
    """
    STATED.fill(
        conn,
        sql.SQL(
            """
            select
                scope.*,
                {scope_key} as scope_key,
                not exists (
                    select from ops.statement as later
                    where later.feed = %(feed)s and later.scope_key = {scope_key}
                        and later.stated_at > %(stated_at)s
                        and later.proves_absence and later.replaced_at is null
                ) as is_latest,
                {proves_absence} as proves_absence
            from {scope_table} as scope
            """
        ).format(**parts),
        values,
    )


def _repeat(conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]) -> None:
    """Set `restated_at` of rows that the statement repeats unchanged; they get no new version."""
    conn.execute(
        sql.SQL(
            """
            update {raw} as kept
            set restated_at = %(stated_at)s
            from {accepted} as accepted
            where {same_key} and kept.known_to is null and ({new}) is not distinct from ({old})
                and kept.restated_at < %(stated_at)s
            """
        ).format(**parts),
        values,
    )


def _find_spoken(conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]) -> None:
    """Fill `_SPOKEN`: rows that differ from `raw` and that no later statement has.

    Of two statements with one instant, the one with the greater scope key wins.
    """
    # True if every later statement that proves absence has set aside exactly this row.
    left_alone = sql.SQL(
        """
        not exists (
            select from ops.statement as later
            where later.feed = %(feed)s and later.scope_key = stated.scope_key
                and later.stated_at > %(stated_at)s
                and later.proves_absence and later.replaced_at is null
                and not exists (
                    select from quarantine.row as aside
                    inner join ops.batch as batch on batch.batch_id = aside.batch_id
                    where aside.feed = %(feed)s and aside.row_key = {row_key}
                        and aside.scope_key = later.scope_key
                        and batch.stated_at = later.stated_at
                )
        )
        """
    ).format(row_key=parts["row_key"])
    _SPOKEN.fill(
        conn,
        sql.SQL(
            """
            with mentioned as (
                select distinct on ({kept_key}) kept.*
                from {raw} as kept
                inner join {accepted} as accepted on {same_key}
                order by {kept_key}, kept.restated_at desc, {kept_scope} desc, kept.known_from desc
            )

            select accepted.*, stated.is_latest or {left_alone} as is_latest
            from {accepted} as accepted
            inner join {stated} as stated on {same_scope}
            left join mentioned as kept on {same_key}
            where
                kept.batch_id is null
                or (%(stated_at)s, {new_scope}) > (kept.restated_at, {kept_scope})
                or ((%(stated_at)s, {new_scope}) = (kept.restated_at, {kept_scope})
                    and stated.is_latest)
            """
        ).format(left_alone=left_alone, **parts),
        values,
    )
    # Unchanged rows were handled by `_repeat`.
    conn.execute(
        sql.SQL(
            "delete from {spoken} as accepted using {raw} as kept "
            "where {same_key} and kept.known_to is null and ({new}) is not distinct from ({old})"
        ).format(**parts)
    )


def _apply(conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]) -> int:
    """Insert `_SPOKEN` into raw. Rows that a later statement replaced are closed at once."""
    conn.execute(
        sql.SQL(
            "update {raw} as kept set known_to = %(known_at)s from {spoken} as accepted "
            "where {same_key} and kept.known_to is null"
        ).format(**parts),
        values,
    )
    return conn.execute(
        sql.SQL(
            """
            insert into {raw}
                ({columns}, stated_at, restated_at, batch_id, known_from, known_to)
            select
                {columns}, %(stated_at)s, %(stated_at)s, %(batch_id)s, %(known_at)s,
                case when not is_latest then %(known_at)s::timestamptz end
            from {spoken}
            """
        ).format(**parts),
        values,
    ).rowcount


def _remember(conn: psycopg.Connection, parts: dict[str, Any], values: dict[str, Any]) -> None:
    conn.execute(
        sql.SQL(
            """
        update ops.statement as known
        set replaced_at = %(known_at)s
        from {stated} as stated
        where
            not %(is_again)s and known.feed = %(feed)s and known.scope_key = stated.scope_key
            and known.stated_at = %(stated_at)s and known.replaced_at is null
            and known.content_sha256 <> stated.content_sha256
        """
        ).format(**parts),
        values,
    )
    conn.execute(
        sql.SQL(
            """
        insert into ops.statement
            (feed, scope_key, stated_at, content_sha256, batch_id, known_at, proves_absence)
        select
            %(feed)s, scope_key, %(stated_at)s, content_sha256, %(batch_id)s, %(known_at)s,
            proves_absence
        from {stated}
        on conflict do nothing
        """
        ).format(**parts),
        values,
    )


def _parts(contract: Contract, batch: LandedBatch) -> dict[str, Any]:
    assert isinstance(contract.source, FileSource)
    assert contract.source.sheet_code is not None
    return {
        "proves_absence": statement_proof.proves_absence(contract.source.sheet_code, batch),
        "raw": sql.Identifier("raw", contract.feed),
        "accepted": ACCEPTED.table,
        "stated": STATED.table,
        "spoken": _SPOKEN.table,
        "in_quarantine": IN_QUARANTINE.table,
        "batch": batch_table(batch.batch_id),
        "scope_table": scope_table(batch.batch_id),
        "same_key": same_key(contract, "accepted", "kept"),
        "same_scope": equal(contract.scope, "accepted", "stated"),
        "kept_in_scope": equal(contract.scope, "kept", "stated"),
        "scope_key": joined(contract.scope, "scope"),
        "row_key": joined(contract.key, "accepted"),
        "kept_row_key": joined(contract.key, "kept"),
        "money_before": money_of(contract, "kept"),
        "money_after": money_of(contract, "accepted"),
        "kept_key": listed(contract.key, "kept"),
        "kept_scope": joined(contract.scope, "kept"),
        "new_scope": joined(contract.scope, "accepted"),
        "columns": listed(contract.landed),
        "new": listed(contract.tracked, "accepted"),
        "old": listed(contract.tracked, "kept"),
    }
