"""Is all well, and the last night at a glance, for the engineer on duty."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from chotso.build import uncounted
from chotso.calendar import local_date, local_minute
from chotso.ingest import control_totals, drop_register, missing, schema_drift
from chotso.registers import load_registers
from chotso.release.seal import readiness
from chotso.settings import Settings
from chotso.warehouse import safety
from chotso.warehouse.connect import connect
from chotso.watch.fault import Fault
from chotso.watch.incident import Incident
from chotso.watch.incidents import listed
from chotso.watch.judge import judge
from chotso.watch.rounds import last_look

_FEEDS = """
with newest as (
    select distinct on (feed) feed, max(business_date) over (partition by feed) as business_date
    from ops.batch
    where not is_refresh
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
        count(*) filter (where batch.final_of is not null) as freeze_batches,
        sum(batch.rows_delivered) filter (where batch.final_of is not null) as freeze_rows,
        sum(batch.rows_quarantined) filter (where batch.final_of is not null) as freeze_aside,
        sum(batch.money_delivered) filter (where batch.final_of is not null) as freeze_money,
        string_agg(distinct batch.final_of, ', ' order by batch.final_of) as freezes,
        count(*) filter (where batch.status in ('blocked', 'refused', 'failed')) as stopped,
        max(batch.known_at) filter (where batch.status = 'published') as known_at
    from newest
    inner join ops.batch as batch
        on
            batch.feed = newest.feed and batch.business_date = newest.business_date
            and not batch.is_refresh
    group by batch.feed, newest.business_date
)

select * from night order by feed
"""
# Of the newest night; and of refreshes within the day what is a feed's newest batch.
_STOPPED = """
select batch_id, status, reason from ops.batch
where status in ('blocked', 'refused', 'failed')
    and case
        when is_refresh
            then not exists (
                select from ops.batch as later
                where later.feed = batch.feed and later.started_at > batch.started_at
            )
        else business_date = (select max(business_date) from ops.batch where not is_refresh)
    end
order by batch_id
"""
_OPEN = """
select count(*) as rows, coalesce(sum(money), 0) as money, min(first_seen) as oldest
from quarantine.row where status = 'open'
"""
# Money set aside that could change a province's figure to date in the exposed build, counted once.
_STANDS = "select where to_regclass('marts.fct_monthly_attainment') is not null"
_AT_STAKE = """
select max(money) as money from (
    -- marts from before there was the column say nothing of it
    select sum((to_jsonb(fact) ->> 'quarantined_to_date')::numeric) as money
    from marts.fct_monthly_attainment as fact
    inner join marts.dim_agency as agency on fact.agency_key = agency.agency_key
    where fact.metric_code in ('collection_total', 'arrears_ratio_total')
        and agency.level_number = 1
    group by fact.agency_code, fact.month
) as province
"""
_DOUBTS = """
select stated.feed, stated.scope_key, stated.stated_at, batch.delivery_name, batch.batch_id
from ops.statement as stated
inner join ops.batch as batch on batch.batch_id = stated.batch_id
where not stated.proves_absence and stated.replaced_at is null and not exists (
    select from ops.statement as later
    where later.feed = stated.feed and later.scope_key = stated.scope_key
        and later.stated_at > stated.stated_at and later.replaced_at is null
)
order by stated.stated_at, stated.scope_key
"""
_EXPOSED = """
select build.build_id, build.business_date, build.as_known_at, build.uncounted
from ops.exposed as exposed
inner join ops.build as build on build.build_id = exposed.generation
"""


@dataclass(frozen=True)
class Status:
    """Whether all is well, the newest business date of each feed, and what comes next."""

    is_well: bool
    causes: list[Fault]
    incidents: list[Incident]
    looked_seconds_ago: float | None
    feeds: list[dict[str, Any]]
    stopped: list[dict[str, Any]]
    quarantine: dict[str, Any]
    exposed: dict[str, Any] | None
    known_at: datetime | None
    cutoffs: list[dict[str, Any]]
    schema_drift: list[dict[str, Any]]
    control_totals: dict[str, int]
    unproven: list[str]
    missing_rows: list[missing.MissingRow]
    warnings: list[str]
    freeze_obstacles: list[str]
    drop_folder: list[dict[str, Any]]
    proves_no_absence: list[dict[str, Any]]

    def show(self, console: Console) -> None:
        """Print the status: is all well, what came, what readers see, what is due."""
        for line in self._lines_of_health():
            console.print(line, markup=False)
        console.print(self._table(), soft_wrap=False)
        lines = (self._lines_of_freezes(), self._lines_of_feeds(), self._lines_of_figures())
        for line in chain(*lines):
            console.print(line, markup=False)

    def _table(self) -> Table:
        """The nights' own deliveries, in 80 columns; whole reads of freezes have lines below."""
        table = Table(
            title="Feeds, newest business date (local time)",
            box=None,
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        table.add_column("feed", overflow="fold")
        for name in ("night", "rows", "aside", "đồng", "known at"):
            table.add_column(name, justify="right", overflow="fold")
        for feed in self.feeds:
            known_at = feed["known_at"]
            table.add_row(
                feed["feed"],
                _shown(feed["business_date"]),
                _own(feed, "rows_delivered", "freeze_rows"),
                _own(feed, "rows_quarantined", "freeze_aside"),
                _own(feed, "money_delivered", "freeze_money"),
                f"{local_minute(known_at)[5:]}" if known_at else "–",
            )
        return table

    def _lines_of_health(self) -> Iterator[str]:
        counted = Counter(each.severity for each in self.causes)
        told = ", ".join(f"{n} {severity}" for severity, n in counted.items())
        yield f"{'healthy' if self.is_well else 'NOT WELL'}{': ' if told else ''}{told}"
        for each in self.causes:
            yield f"{each.severity}: {each.what}"
            yield f"    next: {each.next_step}"
        unseen = [each for each in self.incidents if not each.acknowledged_by]
        if self.incidents:
            yield (
                f"open incidents: {len(self.incidents)}, not acknowledged: {len(unseen)} "
                "(`chotso incidents list`)"
            )
        ago = self.looked_seconds_ago
        yield (
            "no watch has run here yet (`chotso watch`)"
            if ago is None
            else f"the watch last looked {int(ago // 60)} minutes ago"
        )

    def _lines_of_freezes(self) -> Iterator[str]:
        told: set[str] = set()
        for feed in self.feeds:
            if feed["freeze_batches"]:
                if feed["freezes"] not in told:
                    yield f"read for freezes, not in the table ({feed['freezes']}):"
                told.add(feed["freezes"])
                yield (
                    f"    {feed['feed']}: {feed['freeze_rows'] or 0:,} rows, "
                    f"{feed['freeze_money'] or 0:,} đồng in {feed['freeze_batches']} batches"
                )

    def _lines_of_feeds(self) -> Iterator[str]:
        compared = ", ".join(f"{n:,} {status}" for status, n in self.control_totals.items())
        yield f"control totals by feed and month: {compared or 'none'}"
        yield from drop_register.lines(self.drop_folder)
        for doubt in self.proves_no_absence:
            yield (
                f"proves no absence, what it lacks stays in force: {doubt['scope_key']} in "
                f"{doubt['delivery_name']} ({doubt['batch_id']})"
            )
        yield from map(_shown_drift, self.schema_drift)
        oldest = self.quarantine["oldest_days"]
        yield (
            f"quarantine: {self.quarantine['rows']:,} rows open, "
            f"{self.quarantine['at_stake']:,} đồng of them could change figures to date, each once"
            + (f", the oldest for {oldest} days" if oldest is not None else "")
        )

    def _lines_of_figures(self) -> Iterator[str]:
        shown = self.exposed
        yield (
            f"readers see: build {shown['build_id']} of {shown['business_date']}, "
            f"known at {local_minute(shown['as_known_at'])}"
            if shown
            else "readers see: nothing yet"
        )
        for sentence in uncounted.sentences(shown["uncounted"] if shown else None):
            yield f"no freeze: {sentence}"
        for cutoff in self.cutoffs:
            yield (
                f"{cutoff['period_id']}: cutoff {local_minute(cutoff['cutoff_at'])}, "
                f"{cutoff['state']}"
            )
        yield from (f"warning: {warning}" for warning in self.warnings)


def status_of(settings: Settings) -> Status:
    """Read the ledger.

    Raises:
        ChotsoError: The warehouse does not answer or has not been made.
    """
    health = judge(settings)
    with connect(settings) as conn, conn.cursor(row_factory=dict_row) as cursor:
        incidents = listed(conn)
        feeds = cursor.execute(_FEEDS).fetchall()
        stopped = cursor.execute(_STOPPED).fetchall()
        quarantine = cursor.execute(_OPEN).fetchone() or {}
        drift = schema_drift.current(conn)
        lying = drop_register.not_taken(conn)
        doubts = cursor.execute(_DOUBTS).fetchall()
        compared = control_totals.newest_statuses(conn)
        unproven = [str(each) for each in control_totals.unmended(conn)]
        missing_rows = missing.listing(conn)
        exposed = cursor.execute(_EXPOSED).fetchone()
        warnings = safety.warnings(conn)
        obstacles = [str(each) for each in readiness.obstacles(settings, conn)]
        stands = cursor.execute(_STANDS).fetchone()
        at_stake = cursor.execute(_AT_STAKE).fetchone() if stands else None
        sealed = {
            row["period_id"]: row["release_id"]
            for row in cursor.execute("select period_id, release_id from frozen.current_release")
        }
    known_at = max((f["known_at"] for f in feeds if f["known_at"]), default=None)
    oldest = quarantine.pop("oldest", None)
    quarantine["at_stake"] = (at_stake or {}).get("money") or 0
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
        all(each.severity == "warning" for each in health.causes),
        health.causes,
        incidents,
        last_look(settings),
        feeds,
        stopped,
        quarantine,
        exposed,
        known_at,
        cutoffs,
        drift,
        compared,
        unproven,
        missing_rows,
        warnings,
        obstacles,
        lying,
        doubts,
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


def _own(feed: dict[str, Any], total: str, of_freezes: str) -> str:
    """What the nights delivered, without the whole reads of freezes."""
    return _shown((feed[total] or 0) - (feed[of_freezes] or 0))


def _shown(value: Any) -> str:
    """A date, a local time, or a number with its digits grouped."""
    if isinstance(value, datetime):
        return local_minute(value)
    return f"{value:,}" if isinstance(value, int | Decimal) else str(value)
