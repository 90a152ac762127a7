"""Last night at a glance, for the engineer on duty."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from chotso.calendar import local_date
from chotso.freeze.registered import unregistered
from chotso.ingest import control_totals, schema_drift
from chotso.registers import load_registers
from chotso.settings import Settings
from chotso.warehouse import safety
from chotso.warehouse.connect import connect

_FEEDS = """
with newest as (
    select distinct on (feed) feed, max(business_date) over (partition by feed) as business_date
    from ops.batch
    order by feed, business_date desc
),

night as (
    select
        batch.feed,
        newest.business_date,
        count(*) as batches,
        sum(batch.rows_delivered) as rows_delivered,
        sum(batch.rows_quarantined) as rows_quarantined,
        sum(batch.money_delivered) as money_delivered,
        count(*) filter (where batch.status in ('blocked', 'refused', 'failed')) as stopped,
        max(batch.known_at) filter (where batch.status = 'published') as known_at
    from newest
    inner join ops.batch as batch
        on batch.feed = newest.feed and batch.business_date = newest.business_date
    group by batch.feed, newest.business_date
)

select * from night order by feed
"""
_STOPPED = """
select batch_id, status, reason from ops.batch
where status in ('blocked', 'refused', 'failed')
    and business_date = (select max(business_date) from ops.batch)
order by batch_id
"""
_OPEN = """
select count(*) as rows, coalesce(sum(money), 0) as money, min(first_seen) as oldest
from quarantine.row where status = 'open'
"""
_EXPOSED = """
select build.build_id, build.business_date, build.as_known_at
from ops.exposed as exposed
inner join ops.build as build on build.build_id = exposed.generation
"""


@dataclass(frozen=True)
class Status:
    """What the ledger says of the newest business date of each feed, and what comes next."""

    feeds: list[dict[str, Any]]
    stopped: list[dict[str, Any]]
    quarantine: dict[str, Any]
    exposed: dict[str, Any] | None
    known_at: datetime | None
    cutoffs: list[dict[str, Any]]
    schema_drift: list[dict[str, Any]]
    control_totals: dict[str, int]
    unproven: list[str]
    warnings: list[str]

    def show(self, console: Console) -> None:
        """Print it as tables."""
        table = Table(title="Feeds, newest business date")
        names = ["feed", "business_date", "batches", "rows_delivered", "rows_quarantined",
                 "money_delivered", "stopped", "known_at"]  # fmt: skip
        for name in names:
            table.add_column(name)
        for feed in self.feeds:
            table.add_row(*[_shown(feed[name]) for name in names])
        console.print(table)
        for row in self.stopped:
            console.print(f"{row['status']}: {row['batch_id']}: {row['reason']}", markup=False)
        compared = ", ".join(f"{n:,} {status}" for status, n in self.control_totals.items())
        console.print(f"control totals by feed and month: {compared or 'none'}", markup=False)
        for difference in self.unproven:
            console.print(f"control totals differ, no build is shown: {difference}", markup=False)
        for drift in self.schema_drift:
            console.print(_shown_drift(drift), markup=False)
        oldest = self.quarantine["oldest_days"]
        console.print(
            f"quarantine: {self.quarantine['rows']:,} rows open, {self.quarantine['money']:,} đồng"
            + (f", the oldest for {oldest} days" if oldest is not None else ""),
            markup=False,
        )
        shown = self.exposed
        console.print(
            f"readers see: build {shown['build_id']} of {shown['business_date']}, "
            f"known at {shown['as_known_at'].isoformat()}"
            if shown
            else "readers see: nothing yet",
            markup=False,
        )
        for cutoff in self.cutoffs:
            console.print(
                f"{cutoff['period_id']}: cutoff {cutoff['cutoff_at'].isoformat()}, "
                f"{cutoff['state']}",
                markup=False,
            )
        for warning in self.warnings:
            console.print(f"warning: {warning}", markup=False)


def _would_refuse_a_freeze(conn: psycopg.Connection) -> list[str]:
    """Said now, for a freeze at the cutoff is too late to hear it."""
    other = ", ".join(unregistered(conn))
    told = f"the freeze would fail: {other} is not as registered; run `chotso migrate`"
    return [told] if other else []


def status_of(settings: Settings) -> Status:
    """Read the ledger.

    Raises:
        ChotsoError: The warehouse does not answer or has not been made.
    """
    with connect(settings) as conn, conn.cursor(row_factory=dict_row) as cursor:
        feeds = cursor.execute(_FEEDS).fetchall()
        stopped = cursor.execute(_STOPPED).fetchall()
        quarantine = cursor.execute(_OPEN).fetchone() or {}
        drift = schema_drift.current(conn)
        compared = control_totals.newest_statuses(conn)
        unproven = [str(each) for each in control_totals.unmended(conn)]
        exposed = cursor.execute(_EXPOSED).fetchone()
        warnings = [*safety.warnings(conn), *_would_refuse_a_freeze(conn)]
        sealed = {
            row["period_id"]: row["release_id"]
            for row in cursor.execute("select period_id, release_id from frozen.current_release")
        }
    known_at = max((f["known_at"] for f in feeds if f["known_at"]), default=None)
    oldest = quarantine.pop("oldest", None)
    quarantine["oldest_days"] = (
        (local_date(known_at) - local_date(oldest)).days if oldest and known_at else None
    )
    cutoffs = [
        {
            "period_id": period.id,
            "cutoff_at": period.cutoff_at,
            "state": _state(period.cutoff_at, known_at, sealed.get(period.id)),
        }
        for period in load_registers().periods
    ]
    return Status(
        feeds, stopped, quarantine, exposed, known_at, cutoffs, drift, compared, unproven, warnings
    )


def _state(cutoff_at: datetime, known_at: datetime | None, release: str | None) -> str:
    if release:
        return f"sealed as {release}"
    if known_at is None or known_at < cutoff_at:
        return "not due by what is known"
    return "due: run `chotso freeze` (or see the DAG freeze_results)"


def _shown_drift(drift: dict[str, Any]) -> str:
    found = drift["found_type"] or "missing"
    expected = f", expected {drift['expected']}" if drift["expected"] else ""
    return (
        f"schema {drift['kind']}: {drift['relation']}.{drift['column_name']}: {found}{expected} "
        f"({drift['contract_line']}), since {_shown(drift['first_seen'])}"
    )


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return f"{value:,}" if isinstance(value, int) else str(value)
