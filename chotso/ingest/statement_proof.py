"""Whether rows that a full statement lacks have ended, and which rows stay if that is not proven.

A sheet without rows says that there are none: absence is proven. It is not proven if a sheet has
rows of which none can be used, or if the key of one of its rows is doubtful. Such a row could be
any of the rows that seem to be missing.
"""

from typing import Any

import psycopg
from psycopg import sql

from chotso.contracts import Contract
from chotso.ingest.ledger import LandedBatch
from chotso.ingest.load import batch_table, scope_table, verdict_table
from chotso.ingest.rules import rules_of
from chotso.warehouse.row_sql import equal, joined, money_of, same_key

_PROVES_ABSENCE = """
(
    not exists (
        select from {batch} as delivered
        where
            delivered.{sheet} = scope.{sheet}
            and (
                coalesce(delivered.unreadable::jsonb ?| %(key_cells)s::text[], false)
                or exists (
                    select from {verdict} as verdict
                    where verdict.row_no = delivered.row_no
                        and verdict.rule_id = any(%(about_key)s)
                )
            )
    )
    and (
        exists (
            select from {batch} as delivered
            where delivered.{sheet} = scope.{sheet} and not exists (
                select from {verdict} as verdict
                where verdict.row_no = delivered.row_no and verdict.rule_id <> all(%(waiting)s)
            )
        )
        or not exists (select from {batch} as delivered where delivered.{sheet} = scope.{sheet})
    )
)
"""


def proves_absence(sheet_code: str, batch: LandedBatch) -> sql.Composed:
    """SQL condition over the alias `scope`; its parameters come from `doubts`."""
    return sql.SQL(_PROVES_ABSENCE).format(
        sheet=sql.Identifier(sheet_code),
        batch=batch_table(batch.batch_id),
        verdict=verdict_table(batch.batch_id),
    )


def doubts(contract: Contract) -> dict[str, Any]:
    """Rules and cells that make a row's key doubtful, and rules that only wait for a register."""
    rules = rules_of(contract.feed)
    return {
        "about_key": [rule.id for rule in rules if rule.about_key],
        "waiting": [rule.id for rule in rules if rule.refers_to],
        "key_cells": [*contract.key, *contract.scope, "(row)"],
    }


def unproven(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> list[str]:
    """Messages on sheets that prove no absence, with the rows that stay in force because of it.

    Call it while the batch's landing tables exist.
    """
    if batch.stated_at is None:
        return []
    found = conn.execute(
        sql.SQL(
            """
            select known.scope_key, count(kept.batch_id), coalesce(sum({money_before}), 0)
            from ops.statement as known
            inner join {scope_table} as scope on {scope_key} = known.scope_key
            left join {raw} as kept
                on {kept_in_stated} and kept.known_to is null
                and kept.restated_at < known.stated_at
                and not exists (select from {batch} as accepted where {same_key})
            where known.batch_id = %s and not known.proves_absence
            group by known.scope_key
            order by known.scope_key
            """
        ).format(
            money_before=money_of(contract, "kept"),
            scope_table=scope_table(batch.batch_id),
            scope_key=joined(contract.scope, "scope"),
            raw=sql.Identifier("raw", contract.feed),
            batch=batch_table(batch.batch_id),
            same_key=same_key(contract, "accepted", "kept"),
            kept_in_stated=equal(contract.scope, "kept", "scope"),
        ),
        [batch.batch_id],
    ).fetchall()
    return [
        f"{batch.batch_id} ({batch.delivery_name}): what it states of {scope} proves no absence: "
        f"no row of it can be used, or the key of a row cannot be relied on; {count:,} rows "
        f"({money:,} đồng) that it lacks stay in force. Have it delivered again."
        for scope, count, money in found
    ]
