"""An incident: a row of `ops.incident`, and the events of it that people are told."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Literal

from chotso.incident_kinds import KINDS
from chotso.watch.fault import Fault

Event = Literal["opened", "worse", "again", "ended"]


@dataclass(frozen=True)
class Incident:
    """A row of `ops.incident`."""

    incident_id: int
    kind: str
    subject: str
    business_date: date
    period_id: str | None
    severity: str
    what: str
    kept: str | None
    next_step: str
    dag_id: str | None
    task_id: str | None
    log_url: str | None
    fault_count: int
    opened_at: datetime
    last_seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    end_reason: str | None

    @property
    def title(self) -> str:
        """Its kind in English; kinds of earlier versions have their code."""
        return KINDS[self.kind].title if self.kind in KINDS else self.kind

    @property
    def title_vi(self) -> str:
        """Its kind in Vietnamese."""
        return KINDS[self.kind].title_vi if self.kind in KINDS else self.kind

    def as_fault(self) -> Fault:
        """The fault, as far as the row tells it."""
        return Fault(**{name: getattr(self, name) for name in TOLD_OF_A_FAULT})


# What the two have in common; a severity is given to a fault by its kind and the cutoffs.
TOLD_OF_A_FAULT = {each.name for each in fields(Fault)} & {each.name for each in fields(Incident)}
