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
from chotso.warehouse.locks import is_held
from chotso.watch.fault import Fault, listed
from chotso.watch.moment import Moment

_HOUR = timedelta(hours=1)
_BEGUN = """
select state, reason, clock_timestamp() - changed_at as stopped_ago
from ops."freeze"
where release_id = %s and not is_rehearsal
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
    yield Fault(
        kind="freeze_due",
        subject="freeze",
        business_date=local_date(first.cutoff_at),
        period_id=first.id,
        what=" ".join(_why_not_sealed(*each) for each in late or overdue),
        kept="nothing is half sealed; the final extract keeps the instant of its first attempt.",
        next_step="mend what is named, then clear `freeze` in `freeze_results`, or run "
        f"`chotso freeze {first.id}`: it goes on where it stopped",
        dag_id="freeze_results",
        task_id="freeze",
        may_heal=not late or is_held(conn, LOCK),
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
        dag_id="freeze_results",
        task_id="freeze",
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
            "CHOTSO_ANCHOR_FILE, then trigger `verify_releases`",
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
            "see in Airflow that `verify_releases` is not paused, and trigger it",
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
    if begun and begun["reason"] and not moment.may_heal(begun["stopped_ago"], "freeze_results"):
        return True
    return moment.now >= period.cutoff_at + timedelta(minutes=moment.limits.freeze.grace_minutes)


def _why_not_sealed(period: Period, begun: dict[str, Any] | None) -> str:
    said = f"{period.id} was due at {local_minute(period.cutoff_at)} and is not sealed"
    if begun is None:
        return f"{said}: no run has begun."
    return f"{said}: {begun['reason'] or 'its run is gone.'}"


def _begun(conn: psycopg.Connection, period: Period) -> dict[str, Any] | None:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_BEGUN, [period.id]).fetchone()
