"""A fault: one thing that is wrong now, with what is known of it and the next step."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from pydantic import AwareDatetime

from chotso.incident_kinds import KINDS, Severity
from chotso.masking import masked

_TOLD = 5
# The warehouse takes no NUL, and a terminal or a mail none of the others; lines stay lines.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        kind: A key of `KINDS`.
        subject: What it is about, so that two causes of one kind are two faults.
        business_date: The night that it belongs to, or in which it was found.
        what: What happened, and to which batch, file, feed or period.
        next_step: The operator's next action; names file, DAG and task.
        kept: What was not changed.
        period_id: The emulation period, if one is at stake.
        dag_id: The DAG that a person would look at.
        task_id: The task of it.
        log_url: Where the task's log is shown.
        is_at_a_cutoff: Whether a cutoff is near that it would spoil; then it is critical.
        about: Feeds and files that it is about; another fault may explain it by these.
        may_heal: Whether Airflow is about to try it again; then it is no cause yet.
        since: When the work began that failed, by the warehouse's clock. What failed while another
            fault was there is its consequence, also when that one is gone.
        failed_at: When a task failed of which the watch hears only now; None is now.
    """

    kind: str
    subject: str
    business_date: date
    what: str
    next_step: str
    kept: str | None = None
    period_id: str | None = None
    dag_id: str | None = None
    task_id: str | None = None
    log_url: str | None = None
    is_at_a_cutoff: bool = False
    about: frozenset[str] = frozenset()
    may_heal: bool = False
    since: datetime | None = None
    failed_at: datetime | None = None

    def __post_init__(self) -> None:
        _drop_control(self)
        for name in ("what", "next_step", "kept"):
            if text := getattr(self, name):
                object.__setattr__(self, name, masked(text))

    @property
    def severity(self) -> Severity:
        """How bad it is; whatever a near cutoff needs is critical."""
        return "critical" if self.is_at_a_cutoff else KINDS[self.kind].severity

    @property
    def key(self) -> tuple[str, str]:
        """What it is the same incident by, within a night."""
        return self.kind, self.subject


def listed(each: Sequence[str]) -> str:
    """The first few as text, and how many more there are."""
    more = f" and {len(each) - _TOLD} more" if len(each) > _TOLD else ""
    return "; ".join(each[:_TOLD]) + more


@dataclass(frozen=True)
class TaskFailure:
    """A task or run that Airflow gave up, as its callback tells it.

    `business_date` is None for a run without one; then it belongs to the night that was due.
    `failed_at` is None if that is now.
    """

    dag_id: str
    task_id: str | None
    business_date: date | None
    what: str
    next_step: str
    kept: str | None = None
    log_url: str | None = None
    failed_at: AwareDatetime | None = None

    def __post_init__(self) -> None:
        _drop_control(self)

    def as_fault(self, night: date) -> Fault:
        """The fault, for the night that was due when it failed."""
        return Fault(
            kind="task_failed",
            subject=self.dag_id,
            business_date=self.business_date or night,
            what=self.what,
            next_step=self.next_step,
            kept=self.kept,
            dag_id=self.dag_id,
            task_id=self.task_id,
            log_url=self.log_url,
            failed_at=self.failed_at,
        )


def _drop_control(told: Fault | TaskFailure) -> None:
    """Put a space for each control character of its texts."""
    for each in fields(told):
        if isinstance(text := getattr(told, each.name), str):
            object.__setattr__(told, each.name, _CONTROL.sub(" ", text))
