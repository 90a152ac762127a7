"""Looks at cutoffs and releases: what is due, what would stop a freeze, and who vouches."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.calendar import local_date, local_minute
from chotso.registers import Period
from chotso.release.seal import readiness
from chotso.release.seal.freeze import LOCK
from chotso.warehouse.locks import Held, held
from chotso.watch.builds import running_nodes
from chotso.watch.fault import Fault, listed
from chotso.watch.moment import Moment

_DAG, _TASK = "freeze_results", "freeze"
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_BEGUN = """
select state, reason, clock_timestamp() - changed_at as stopped_ago
from ops."freeze"
where release_id = %s and not is_rehearsal
"""
# What the run that holds the lock is at: the freeze or rehearsal that was last begun or advanced.
_IN_WORK = """
select
    begun.release_id, begun.state, begun.changed_at,
    (
        select max(build.build_id) from ops.build as build
        where build.target_schema = begun.target_schema and build.status = 'running'
    ) as build_id
from ops."freeze" as begun
where begun.state <> 'placed' and begun.reason is null
order by begun.changed_at desc
limit 1
"""
# The newest seal, by the source's clock; the newest check of all releases, by the server's.
_CHECKED = """
select
    (select max(sealed_at) from frozen.release) as sealed_at,
    checked.result,
    checked.what,
    clock_timestamp() - checked.checked_at as checked_ago
from (select) as always
left join lateral (
    select result, what, checked_at from ops.release_check order by check_id desc limit 1
) as checked on true
"""


def due(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Periods whose cutoff has passed; one fault for all. While a run seals, it may heal."""
    overdue = [
        (each, _begun(conn, each)) for each in moment.open_periods if each.cutoff_at <= moment.now
    ]
    if not overdue:
        return
    first, late = overdue[0][0], [each for each in overdue if _is_late(moment, *each)]
    run = held(conn, LOCK)
    hangs = run is not None and run.age >= timedelta(minutes=moment.limits.freeze.longest_minutes)
    works_since = f" {_works_since(conn, run)}" if run else ""
    yield Fault(
        kind="freeze_due",
        subject="freeze",
        business_date=local_date(first.cutoff_at),
        period_id=first.id,
        what=" ".join(_why_not_sealed(*each, is_run=run is not None) for each in late or overdue)
        + works_since,
        kept="nothing is half sealed; the final extract keeps the instant of its first attempt.",
        next_step=_end(run) if run and hangs else _begin(overdue),
        dag_id=_DAG,
        task_id=_TASK,
        may_heal=not late or (run is not None and not hangs),
    )


def _works_since(conn: psycopg.Connection, run: Held) -> str:
    """What the run that holds the lock has done, and what it does now."""
    with conn.cursor(row_factory=dict_row) as cursor:
        newest = cursor.execute(_IN_WORK).fetchone()
    told = f"A run has worked for {int(run.age / _MINUTE)} minutes: {run.by}."
    if newest is None:
        return told
    since = local_minute(newest["changed_at"])
    told = f"{told} It is at {newest['release_id']}, `{newest['state']}` since {since}."
    return told + (running_nodes(conn, newest["build_id"]) if newest["build_id"] else "")


def _end(run: Held) -> str:
    """The next step while a run hangs."""
    return (
        f"mark `{_TASK}` in `{_DAG}` failed, wait ten seconds, then clear `{_TASK}` in `{_DAG}`; a "
        "run by hand is ended in the warehouse, by its own login or a superuser: "
        f"`select pg_terminate_backend({run.by.pid})`"
    )


def _begin(overdue: list[tuple[Period, dict[str, Any] | None]]) -> str:
    """The next step while no run works."""
    commands = ", then ".join(f"`chotso freeze {period.id}`" for period, _ in overdue)
    if any(begun for _, begun in overdue):
        return (
            f"mend what is named, then clear `{_TASK}` in `{_DAG}`, or run {commands}: it goes on "
            "where it stopped"
        )
    return (
        f"see in Airflow that `{_DAG}` is not paused and the scheduler runs, and trigger `{_DAG}`; "
        f"or run {commands}"
    )


def would_fail(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """What would stop the next freeze, looked for on every day of the year."""
    if not moment.open_periods:
        return
    found = readiness.obstacles(moment.settings, conn)
    if not found:
        return
    yield moment.fault(
        kind="freeze_would_fail",
        subject="freeze",
        period_id=moment.open_periods[0].id,
        what=f"A freeze would fail: {listed([each.what for each in found])}.",
        kept="all figures; the nights go on.",
        next_step="; ".join(dict.fromkeys(each.next_step for each in found)),
        dag_id=_DAG,
        task_id=_TASK,
    )


def releases(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Sealed releases that differ from what is shown, or that nobody has checked for long."""
    with conn.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_CHECKED).fetchone()
    assert row is not None
    if row["sealed_at"] is None:
        return
    if row["result"] == "differs":
        yield _release_fault(
            moment,
            "release_differs",
            row["what"],
            "touch nothing: compare each release with its signed page (`chotso verify FOLDER "
            "--anchor ROOT --database`), and see docs/verification.md",
        )
        return
    longest = timedelta(hours=moment.limits.releases_checked_within_hours)
    if row["result"] == "unanchored":
        yield _release_fault(
            moment,
            "releases_unchecked",
            row["what"],
            "compare the root with the signed page and add the line `RELEASE ROOT` to the file of "
            "CHOTSO_ANCHOR_FILE, then trigger `verify_releases`, or run `chotso verify --daily`",
        )
        return
    waited = moment.now - row["sealed_at"]
    if row["checked_ago"] is not None:
        waited = min(waited, row["checked_ago"])
    if waited > longest:
        yield _release_fault(
            moment,
            "releases_unchecked",
            f"No sealed release was compared with its anchor for {int(waited / _HOUR)} hours.",
            "see in Airflow that `verify_releases` is not paused, and trigger it; or run "
            "`chotso verify --daily`",
        )


def _release_fault(moment: Moment, kind: str, what: str, next_step: str) -> Fault:
    return Fault(
        kind=kind,
        subject="releases",
        business_date=moment.night,
        what=what,
        kept="everything as it is, as evidence.",
        next_step=next_step,
        dag_id="verify_releases",
        task_id="verify_releases",
    )


def _is_late(moment: Moment, period: Period, begun: dict[str, Any] | None) -> bool:
    """Whether a due period should be sealed by now, or its run stopped and is not tried again."""
    if begun and begun["reason"] and not moment.may_heal(begun["stopped_ago"], _DAG):
        return True
    return moment.now >= period.cutoff_at + timedelta(minutes=moment.limits.freeze.grace_minutes)


def _why_not_sealed(period: Period, begun: dict[str, Any] | None, *, is_run: bool) -> str:
    said = f"{period.id} was due at {local_minute(period.cutoff_at)} and is not sealed"
    if begun and begun["reason"]:
        return f"{said}: {begun['reason']}"
    if is_run:
        return f"{said}."
    return f"{said}: {'its run is gone' if begun else 'no run has begun'}."


def _begun(conn: psycopg.Connection, period: Period) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_BEGUN, [period.id]).fetchone()
