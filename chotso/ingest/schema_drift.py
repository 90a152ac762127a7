"""Records how the source's columns differ from the contract, since when, and what to report."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.source.drift import Drift

# The differences that the newest read of each feed found. Only reads that landed, or that recorded
# a difference, count as reads.
_CURRENT = """
with reads as (
    select
        feed,
        batch_id,
        substring(batch_id from '[0-9]+$')::bigint as batch_number
    from ops.batch
    where
        landed_at is not null
        or batch_id in (select batch_id from ops.schema_drift)
)

select
    drift.feed, drift.relation, drift.column_name, drift.kind, drift.found_type, drift.expected,
    drift.contract_line, drift.first_seen, drift.last_seen
from ops.schema_drift as drift
inner join reads as seen on seen.batch_id = drift.batch_id
where not exists (
    select from reads as later
    where later.feed = drift.feed and later.batch_number > seen.batch_number
)
order by drift.feed, drift.column_name, drift.kind
"""


@dataclass(frozen=True)
class DriftFound:
    """How a relation differed from its contract when it was read."""

    drifts: list[Drift]

    @property
    def blocking(self) -> str | None:
        """Why the batch is blocked, with the contract's lines; None if nothing blocks."""
        told = "; ".join(str(each) for each in self.drifts if each.blocks)
        return f"the source is not what the contract says: {told}" if told else None

    @property
    def notes(self) -> list[str]:
        """What the report says about added columns."""
        return [f"{each}: add it to {each.contract_line.partition(':')[0]} if it is wanted"
                for each in self.drifts if not each.blocks]  # fmt: skip

    @property
    def added_columns(self) -> dict[str, str | None] | None:
        """The added columns with their types; None if there are none."""
        return {each.column: each.found_type for each in self.drifts if not each.blocks} or None


def record(
    conn: psycopg.Connection, feed: str, batch_id: str, seen_at: datetime, drifts: list[Drift]
) -> DriftFound:
    """Insert what a read found into `ops.schema_drift`; does not commit.

    Args:
        conn: The warehouse.
        feed: The feed that was read.
        batch_id: Its batch.
        seen_at: The source's clock in the snapshot.
        drifts: What differs.
    """
    for each in drifts:
        conn.execute(
            """
            insert into ops.schema_drift as known (
                feed, relation, column_name, kind, found_type, expected, contract_line, batch_id,
                first_seen, last_seen
            )
            values (
                %(feed)s, %(relation)s, %(column)s, %(kind)s, %(found_type)s, %(expected)s,
                %(contract_line)s, %(batch_id)s, %(seen_at)s, %(seen_at)s
            )
            on conflict (feed, relation, column_name, kind, found_type) do update
            set
                expected = excluded.expected, contract_line = excluded.contract_line,
                batch_id = excluded.batch_id, last_seen = excluded.last_seen
            """,
            {**vars(each), "feed": feed, "batch_id": batch_id, "seen_at": seen_at},
        )
    return DriftFound(drifts)


def current(conn: psycopg.Connection) -> list[dict[str, Any]]:
    """The differences that the newest read of each feed found, for `chotso status`."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_CURRENT).fetchall()
