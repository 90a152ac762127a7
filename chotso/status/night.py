"""The newest night as it stands: how far each feed and the build for readers are."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.contracts import contracts
from chotso.warehouse.locks import is_held
from chotso.watch.nights import OF_NIGHTS, newest_date

# The worst says how a feed of several files is.
_WORST_FIRST = ("blocked", "refused", "failed", "left", "running", "landed", "published")
# Of a file, and of a feed of the collection system, the newest batch; one without a file's name
# (the folder could not be read) is past when the feed was read again.
_BATCHES = f"""
with night as (
    select * from ops.batch where business_date = %(day)s and {OF_NIGHTS}
)

select
    feed, feed_group, rows_delivered, rows_quarantined, money_delivered,
    case when status = 'running' and landed_at is not null then 'landed' else status end as state,
    case status
        when 'published' then published_at
        when 'running' then coalesce(landed_at, started_at)
        else started_at
    end as at
from night as batch
where not exists (
    select from night as later
    where later.feed = batch.feed and later.started_at > batch.started_at
        and (batch.delivery_name is null or later.delivery_name = batch.delivery_name)
)
order by started_at
"""
_KNOWN = """
select feed, max(known_at) from ops.batch
where status = 'published' and read_mode <> 'replay'
group by feed
"""
_BUILD = """
select build_id, business_date, status, reason, started_at, finished_at
from ops.build
where target_schema = %s
order by build_id desc
limit 1
"""
_NODES = """
select node from ops.build_node where build_id = %s and status = 'running' order by started_at
"""


def stages(conn: psycopg.Connection, now: datetime) -> list[dict[str, Any]]:
    """How far each feed of the newest night is.

    Args:
        conn: The warehouse.
        now: The source's clock.

    Returns:
        A mapping for each feed: `feed`, `business_date`, `state` (one of `not begun`, `running`,
        `left`, `landed`, `published`, `blocked`, `refused`, `failed`), `at` (since when, by the
        server's clock), `batches`, `batches_in_state`, sums of rows and đồng, and `age_seconds` of
        what the warehouse knows of it.
    """
    day = newest_date(conn)
    known: dict[str, datetime] = dict(conn.execute(_KNOWN).fetchall())
    batches = _batches(conn, day)
    return [
        _stage(feed, day, batches.get(feed, []))
        | {"age_seconds": (now - known[feed]).total_seconds() if feed in known else None}
        for feed in dict.fromkeys([*contracts(), *batches])
    ]


def newest_build(conn: psycopg.Connection) -> dict[str, Any] | None:
    """The newest build for readers: its row, whether a process works on it, and what runs."""
    with conn.cursor(row_factory=dict_row) as cursor:
        build = cursor.execute(_BUILD, [NIGHTLY_SCHEMA]).fetchone()
    if build is None:
        return None
    nodes = conn.execute(_NODES, [build["build_id"]]).fetchall()
    is_worked_on = build["status"] == "running" and is_held(conn, f"build {NIGHTLY_SCHEMA}")
    running = [node for (node,) in nodes] if is_worked_on else []
    return build | {"is_worked_on": is_worked_on, "running": running}


def _batches(conn: psycopg.Connection, day: date | None) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_BATCHES, {"day": day}).fetchall()
    for row in rows:
        if row["state"] == "running" and not is_held(conn, f"extract of {row['feed_group']}"):
            row["state"] = "left"
        found.setdefault(row["feed"], []).append(row)
    return found


def _stage(feed: str, day: date | None, batches: list[dict[str, Any]]) -> dict[str, Any]:
    states = [batch["state"] for batch in batches]
    worst = min(states, key=_WORST_FIRST.index, default="not begun")
    in_state = [batch for batch in batches if batch["state"] == worst]
    return {
        "feed": feed,
        "business_date": day,
        "state": worst,
        "at": in_state[-1]["at"] if in_state else None,
        "batches": len(batches),
        "batches_in_state": len(in_state),
        **{name: sum(_values(batches, name)) for name in _SUMS},
    }


_SUMS = ("rows_delivered", "rows_quarantined", "money_delivered")


def _values(batches: list[dict[str, Any]], name: str) -> Iterator[Any]:
    return (batch[name] for batch in batches if batch[name] is not None)
