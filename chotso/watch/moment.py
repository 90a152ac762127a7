"""The moment that is judged: the clocks, the night that is due, and the periods still open."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from chotso.calendar import local_minute
from chotso.orchestration.deadline import sealed_periods
from chotso.registers import Period
from chotso.settings import Settings
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.limits import Limits

# DAGs whose work a cutoff needs; what refreshes, looks or compares spoils none.
_BEFORE_A_CUTOFF = ("extract_", "build_warehouse", "reconcile_warehouse", "freeze_results")


@dataclass(frozen=True)
class Moment:
    """What every look may use.

    Attributes:
        settings: Where everything is.
        limits: What is too long, too full or too old.
        now: The source's clock; while the source is away, as it went on since it was last read.
        night: The business date whose night was the last to be due.
        given_up: The task or run of which Airflow has just used up the tries, if any.
        open_periods: Periods without a sealed release, by cutoff.
        source_ahead: How far the source's server is ahead of this machine; None if its clock is set
            by a table, and so may live in another time.
    """

    settings: Settings
    limits: Limits
    now: datetime
    night: date
    given_up: TaskFailure | None = None
    open_periods: list[Period] = field(default_factory=list)
    source_ahead: timedelta | None = None

    def may_heal(self, ago: timedelta, dag_id: str, *tasks: str) -> bool:
        """Whether Airflow may still do what is not done.

        Args:
            ago: Since when it is not done.
            dag_id: The DAG whose work it is.
            tasks: The tasks whose work it is; without any, each of the DAG's.
        """
        if (task := self.given_up) is not None and task.dag_id == dag_id:
            return bool(tasks) and task.task_id is not None and task.task_id not in tasks
        return ago < timedelta(minutes=self.limits.retry_grace_minutes)

    @property
    def near_period(self) -> Period | None:
        """The next period whose cutoff is within reach, or has passed."""
        until = self.now + timedelta(days=self.limits.freeze.look_ahead_days)
        return next((each for each in self.open_periods if each.cutoff_at <= until), None)

    def longest(self, usual: timedelta | None, at_most_minutes: int) -> timedelta:
        """How long work may take: several times the usual; without a usual, a fixed time."""
        at_most = timedelta(minutes=at_most_minutes)
        if usual is None:
            return at_most
        night = self.limits.night
        floor = timedelta(minutes=night.usual_floor_minutes)
        return min(at_most, max(usual * night.usual_factor, floor))

    def fault(
        self, kind: str, subject: str, what: str, *, business_date: date | None = None, **more: Any
    ) -> Fault:
        """A fault that would spoil a near cutoff; then it names that one, and is critical.

        Args:
            kind: A key of `KINDS`.
            subject: What it is about.
            what: What happened.
            business_date: The night that it belongs to; by default the one that is judged.
            more: The other attributes of a fault.
        """
        period = self.near_period
        if period is not None:
            verb = "is" if period.cutoff_at > self.now else "was"
            what = f"{what} The cutoff of {period.id} {verb} at {local_minute(period.cutoff_at)}."
            more.setdefault("period_id", period.id)
        return Fault(
            kind,
            subject,
            business_date or self.night,
            what,
            is_at_a_cutoff=period is not None,
            **more,
        )

    def of_task(self, failed: TaskFailure) -> Fault:
        """The fault of a task that was given up; critical if a near cutoff needs its DAG's work."""
        fault = failed.as_fault(self.night)
        if not failed.dag_id.startswith(_BEFORE_A_CUTOFF) or self.near_period is None:
            return fault
        near = self.fault(fault.kind, fault.subject, fault.what, next_step=fault.next_step)
        return replace(
            fault, what=near.what, period_id=near.period_id, is_at_a_cutoff=near.is_at_a_cutoff
        )


def clock_by_ledger(conn: psycopg.Connection) -> datetime | None:
    """The source's clock, as it went on since it was last read; None before the first night."""
    row = conn.execute(
        "select known_at + (clock_timestamp() - started_at) from ops.batch "
        "where status = 'published' and read_mode <> 'replay' "
        "order by known_at desc, started_at limit 1"
    ).fetchone()
    return row[0] if row else None


def open_periods(conn: psycopg.Connection, registered: Iterable[Period]) -> list[Period]:
    """Those of the registered periods that have no sealed release, by cutoff."""
    sealed = sealed_periods(conn)
    found = [period for period in registered if period.id not in sealed]
    return sorted(found, key=lambda period: period.cutoff_at)


def wall_clock() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)
