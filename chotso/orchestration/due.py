"""Which business date a run is for, and what is missing of the newest one."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from chotso.calendar import local_date, night_of
from chotso.contracts import contracts
from chotso.errors import ChotsoError
from chotso.orchestration.deadline import source_now
from chotso.orchestration.night import business_date
from chotso.settings import Settings
from chotso.warehouse.connect import connect

# Refreshes do not count. A feed counts as published even if a later attempt failed.
_MISSING_SQL = """
with newest as (
    select max(business_date) as business_date from ops.batch where not is_refresh
)

select newest.business_date, expected.feed, latest.status, latest.reason
from newest
cross join unnest(%s::text[]) with ordinality as expected (feed, place)
left join lateral (
    select batch.status, batch.reason
    from ops.batch as batch
    where
        batch.feed = expected.feed and batch.business_date = newest.business_date
        and not batch.is_refresh
    order by batch.status = 'published' desc, batch.started_at desc, batch.batch_id desc
    limit 1
) as latest on true
where newest.business_date is not null and latest.status is distinct from 'published'
order by expected.place
"""


def run_date(
    settings: Settings,
    partition_key: str | None,
    params: Mapping[str, Any] | None = None,
    earlier: Mapping[str, Any] | None = None,
) -> date:
    """The business date that a run is for.

    Args:
        settings: Where the source is. Its clock decides if no date was named.
        partition_key: The run's partition key; it is used first.
        params: The trigger form; its `business_date` is used second.
        earlier: What an earlier task of the run returned; its `business_date` is used third.

    Raises:
        ChotsoError: What was named is no date, or the source's clock cannot be read.
    """
    named = partition_key or (earlier or params or {}).get("business_date")
    return business_date(str(named)) if named else newest_due(source_now(settings))


def newest_due(now: datetime) -> date:
    """The newest business date whose night has begun by an instant of the source's clock."""
    day = local_date(now) - timedelta(days=1)
    return day if night_of(day) <= now else day - timedelta(days=1)


def build_date(settings: Settings, partition_key: str | None) -> date:
    """The business date of a build: its partition key, or else the newest that is published.

    Raises:
        ChotsoError: The key is no date, or nothing is published yet.
    """
    if partition_key:
        return business_date(partition_key)
    with connect(settings) as conn:
        row = conn.execute(
            "select max(business_date) from ops.batch where status = 'published' and not is_refresh"
        ).fetchone()
    if row is None or row[0] is None:
        raise ChotsoError(
            "Nothing has been published yet: there is nothing to build from.",
            kept="nothing was built.",
            next_step="run the extracts of a business date first.",
        )
    newest: date = row[0]
    return newest


def missing(settings: Settings) -> list[str]:
    """Feeds of which nothing is published for the newest business date of the ledger, and why."""
    with connect(settings) as conn:
        found = conn.execute(_MISSING_SQL, [list(contracts())]).fetchall()
    return [f"{feed}, {day}: {_gap(status, reason)}" for day, feed, status, reason in found]


def _gap(status: str | None, reason: str | None) -> str:
    if status is None:
        return "no landing was begun"
    return f"{status}: {reason}" if reason else status
