"""Is all well, and the last night at a glance, for the engineer on duty."""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.calendar import local_date
from chotso.errors import ChotsoError
from chotso.ingest import control_totals, drop_register, missing, schema_drift
from chotso.lines import span
from chotso.registers import load_registers
from chotso.release.seal import readiness
from chotso.settings import Settings
from chotso.status.night import newest_build, stages
from chotso.warehouse import safety
from chotso.warehouse.connect import connect
from chotso.warehouse.refused import refused
from chotso.watch.fault import Fault
from chotso.watch.incident import Incident
from chotso.watch.incidents import listed
from chotso.watch.judge import Diagnosis, judge
from chotso.watch.moment import Moment
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
_STANDS = "select to_regclass('marts.fct_monthly_attainment') is not null"
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


@dataclass(frozen=True, kw_only=True)
class Health:
    """What is known without the ledger, too.

    Attributes:
        is_well: Whether nothing is wrong but warnings.
        is_warehouse_there: Whether it answered.
        now: The source's clock.
        causes: What is wrong, the worst first.
        looked_seconds_ago: Since when no watch has looked; None if none ever did, and negative if
            a clock was wrong then.
        unread: Why the ledger could not be read, although the warehouse answered.
    """

    is_well: bool
    is_warehouse_there: bool
    now: datetime
    causes: list[Fault]
    looked_seconds_ago: float | None
    unread: str | None = None


@dataclass(frozen=True, kw_only=True)
class Status(Health):
    """The ledger, too: how the newest night stands, what readers see, and what comes next."""

    incidents: list[Incident]
    stages: list[dict[str, Any]]
    build: dict[str, Any] | None
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


def look(settings: Settings) -> Health:
    """A `Status`; only what is known without the ledger, if that cannot be read.

    Raises:
        ChotsoError: The limits or the registers cannot be read.
    """
    diagnosis = judge(settings)
    health = _health(settings, diagnosis)
    if not diagnosis.is_warehouse_there:
        return health
    try:
        return _with_ledger(settings, health)
    except ChotsoError as error:
        return replace(health, is_well=False, unread=str(error))
    except psycopg.Error as error:
        return replace(health, is_well=False, unread=str(refused(error)))


def status_of(settings: Settings) -> Status:
    """All of it.

    Raises:
        ChotsoError: The warehouse does not answer or has not been made.
    """
    return _with_ledger(settings, _health(settings, judge(settings)))


def _health(settings: Settings, diagnosis: Diagnosis) -> Health:
    ago = last_look(settings)
    causes = [*diagnosis.causes, *_unwatched(diagnosis.moment, ago)]
    return Health(
        is_well=all(each.severity == "warning" for each in causes),
        is_warehouse_there=diagnosis.is_warehouse_there,
        now=diagnosis.moment.now,
        causes=causes,
        looked_seconds_ago=ago,
    )


def _unwatched(moment: Moment, ago: float | None) -> list[Fault]:
    """The fault of a watch that has looked here, and does so no more; only a person can notice."""
    if ago is None or 0 <= ago < moment.limits.watch_silent_minutes * 60:
        return []
    since = f"for {span(ago)}" if ago > 0 else "since a clock was wrong"
    return [
        Fault(
            kind="watch_silent",
            subject="watch",
            business_date=moment.night,
            what=f"No watch has looked {since}: nobody is told of what is wrong.",
            kept="everything; incidents and notices stay as they were.",
            next_step="start the service `chotso watch` again, or unpause `watch_nights`; to look "
            "once: `chotso watch --once`",
            dag_id="watch_nights",
        )
    ]


def _with_ledger(settings: Settings, health: Health) -> Status:
    with connect(settings) as conn, conn.cursor(row_factory=dict_row) as cursor:
        feeds = cursor.execute(_FEEDS).fetchall()
        known_at = max((f["known_at"] for f in feeds if f["known_at"]), default=None)
        return Status(
            **{field.name: getattr(health, field.name) for field in fields(health)},
            incidents=listed(conn),
            stages=stages(conn, health.now),
            build=newest_build(conn),
            feeds=feeds,
            stopped=cursor.execute(_STOPPED).fetchall(),
            quarantine=_quarantine(conn, known_at),
            exposed=_exposed(conn, health.now),
            known_at=known_at,
            cutoffs=_cutoffs(conn, known_at),
            schema_drift=schema_drift.current(conn),
            control_totals=control_totals.newest_statuses(conn),
            unproven=[str(each) for each in control_totals.unmended(conn)],
            missing_rows=missing.listing(conn),
            warnings=safety.warnings(conn),
            freeze_obstacles=[str(each) for each in readiness.obstacles(settings, conn)],
            drop_folder=drop_register.not_taken(conn),
            proves_no_absence=cursor.execute(_DOUBTS).fetchall(),
        )


def _quarantine(conn: psycopg.Connection, known_at: datetime | None) -> dict[str, Any]:
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_OPEN).fetchone() or {}
        stands = conn.execute(_STANDS).fetchone()
        row = cursor.execute(_AT_STAKE).fetchone() if stands and stands[0] else None
    oldest = found.pop("oldest", None)
    days = (local_date(known_at) - local_date(oldest)).days if oldest and known_at else None
    return found | {"at_stake": (row or {}).get("money") or 0, "oldest_days": days}


def _exposed(conn: psycopg.Connection, now: datetime) -> dict[str, Any] | None:
    """The build that readers see, and how old what it shows is by the source's clock."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(_EXPOSED).fetchone()
    return found and found | {"age_seconds": (now - found["as_known_at"]).total_seconds()}


def _cutoffs(conn: psycopg.Connection, known_at: datetime | None) -> list[dict[str, Any]]:
    sealed: dict[str, str] = dict(
        conn.execute("select period_id, release_id from frozen.current_release").fetchall()
    )
    return [
        {
            "period_id": period.id,
            "cutoff_at": period.cutoff_at,
            "state": _state(period.cutoff_at, known_at, sealed.get(period.id)),
        }
        for period in load_registers().periods
    ]


def _state(cutoff_at: datetime, known_at: datetime | None, release: str | None) -> str:
    if release:
        return f"sealed as {release}"
    if known_at is None or known_at < cutoff_at:
        return "not due by what is known"
    return "due: run `chotso freeze` (or see the DAG freeze_results)"
