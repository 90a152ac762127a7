"""What the DAGs ask the ledger: may an extract begin, what must be built, what was built.

Airflow's own state is not used: runs are cleared, events get lost, tasks run twice. Every answer
comes from `ops.batch` and `ops.build`.
"""

import logging
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import psycopg

from chotso.calendar import parse_date
from chotso.contracts import contracts, groups
from chotso.errors import ChotsoError
from chotso.settings import Settings
from chotso.warehouse.connect import connect

if TYPE_CHECKING:
    from chotso.ingest.waiting import GroupReport

_LOG = logging.getLogger(__name__)
# A freeze's extract and refreshes publish batches of a date before its night. None of these queries
# counts refreshes.
# A register that failed will be tried again, so it is given half an hour.
_REGISTERS_SQL = """
with latest as (
    select distinct on (feed) feed, status, started_at
    from ops.batch
    where business_date = %s and feed = any(%s) and final_of is null and not is_refresh
    order by feed asc, started_at desc, batch_id desc
)

select
    count(*) filter (
        where status in ('published', 'blocked', 'refused')
        or (status = 'failed' and started_at < clock_timestamp() - interval '30 minutes')
    ),
    count(*) filter (where status = 'published')
from latest
"""
# Settled: every feed of the date has ended. Two kinds of feed are not waited for any longer: one
# whose batch has been running too long (its process is gone), and one without any batch for too
# long (its run never began, or ended without recording one). A feed counts from its own first date
# on. Seen: what readers see, or what a failed build has tried to show.
_TO_REQUEST_SQL = """
with first_date as (
    select expected.feed, coalesce(min(batch.business_date), '-infinity') as first_date
    from unnest(%(feeds)s::text[]) as expected (feed)
    left join ops.batch as batch on batch.feed = expected.feed and not batch.is_refresh
    group by expected.feed
),

latest as (
    select distinct on (business_date, feed) business_date, feed, status, started_at
    from ops.batch
    where feed = any(%(feeds)s) and not is_refresh
    order by business_date asc, feed asc, started_at desc, batch_id desc
),

settled as (
    select business_date
    from latest
    group by business_date
    having
        bool_and(status <> 'running' or started_at < clock_timestamp() - interval '3 hours')
        and (
            count(*) >= (
                select count(*) from first_date where first_date.first_date <= business_date
            )
            or max(started_at) < clock_timestamp() - interval '3 hours'
        )
),

seen as (
    select coalesce(max(build_id), 0) as build_id
    from ops.build
    where status = 'exposed' or (status = 'failed' and target_schema = 'marts_build')
)

select distinct batch.business_date
from ops.batch as batch
inner join settled on settled.business_date = batch.business_date
cross join seen
where
    batch.status = 'published' and not batch.is_refresh
    and (batch.first_build_id is null or batch.first_build_id > seen.build_id)
order by batch.business_date
"""
_IS_BUILT_SQL = """
select
    bool_and(
        first_build_id is not null
        and first_build_id <= (select max(build_id) from ops.build where status = 'exposed')
    )
from ops.batch
where business_date = %s and status = 'published' and not is_refresh
"""


def business_date(partition_key: str | None) -> date:
    """The run's business date.

    Raises:
        ChotsoError: The run has no partition key, or it is no date.
    """
    try:
        return parse_date(partition_key or "")
    except ValueError as error:
        raise ChotsoError(
            f"The run has no business date: its partition key is {partition_key!r}.",
            kept="nothing was read.",
            next_step="trigger it with a partition key such as 2021-12-31 (docs/airflow.md).",
        ) from error


def registers_state(settings: Settings, day: date) -> str | None:
    """`published` or `stopped` if the registers of a date are done, None before."""
    feeds = [contract.feed for contract in groups()["registers"]]
    with connect(settings) as conn:
        row = conn.execute(_REGISTERS_SQL, [day, feeds]).fetchone()
    assert row is not None
    through, published = row
    if through < len(feeds):
        return None
    return "published" if published == len(feeds) else "stopped"


def counts(report: "GroupReport") -> dict[str, int]:
    """The result that a publish task stores in Airflow: numbers, never values."""
    names = ("rows_delivered", "rows_accepted", "rows_quarantined", "rows_changed")
    totals = {name: sum(int(b.get(name) or 0) for b in report.batches) for name in names}
    return {"batches": len(report.batches), **totals}


def publish_landed(settings: Settings, group: str, day: date, *, is_landed: bool) -> dict[str, int]:
    """Publish what a group has landed, even if the landing was stopped halfway.

    Args:
        settings: Where everything is.
        group: The group of feeds.
        day: The business date.
        is_landed: Whether the landing of the date ended well.

    Raises:
        ChotsoError: A batch was blocked or refused, or the landing had failed; the rest was
            published.
    """
    from chotso.ingest.night import process_and_prove

    report = process_and_prove(settings, group, day)
    if not is_landed:
        raise ChotsoError(
            f"The landing of {group} for {day} was stopped.",
            kept=f"{len(report.batches)} batches that had landed were published.",
            next_step="read the log of `land`, mend what it names, then clear `land` and all "
            "after it.",
        )
    return counts(report)


def dates_to_request(settings: Settings) -> list[date]:
    """Business dates that are settled and not built, oldest first.

    A date with a blocked feed counts, too, once nothing of it is running: the feed's rows of the
    day before stay in force. So does one of which a feed has been missing for three hours. A date
    whose build failed does not count: it waits for a person.
    """
    with connect(settings) as conn:
        found = conn.execute(_TO_REQUEST_SQL, {"feeds": list(contracts())}).fetchall()
    return [row[0] for row in found]


def is_built(conn: psycopg.Connection, day: date) -> bool:
    """Whether readers see everything that its night published."""
    row = conn.execute(_IS_BUILT_SQL, [day]).fetchone()
    return row is not None and row[0] is True


def is_demanded(context: Mapping[str, Any]) -> bool:
    """Whether a person asked for this run, by starting or clearing it."""
    run, task = context["dag_run"], context["ti"]
    return str(getattr(run.run_type, "value", run.run_type)) == "manual" or task.try_number > 1


def build_if_due(settings: Settings, day: date, *, is_demanded: bool) -> dict[str, Any]:
    """Build and expose, unless the date is built already and nobody asked for it again.

    Returns:
        `is_built_now` and, if so, what the build reports of itself by number.
    """
    with connect(settings) as conn:
        if not is_demanded and is_built(conn, day):
            return {"is_built_now": False}
    from chotso.build.compare import build_for_readers

    report = build_for_readers(settings, day)
    for note in report.notes:
        _LOG.warning("note: %s", note)
    return {"is_built_now": True, "build_id": report.build_id, "tests": report.tests}
