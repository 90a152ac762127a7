"""The time between two extracts, and the instants at which things go wrong."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any

ZONE = timezone(timedelta(hours=7))
TICK = timedelta(microseconds=1)
CUTOFF = datetime(2021, 12, 31, 17, tzinfo=ZONE)
UNKNOWN_AGENCY = "07299"
"""Planted only on request: rows filed under it go to quarantine until the register brings it."""

Rows = dict[tuple[Any, ...], dict[str, Any]]


def _edges() -> list[datetime]:
    firsts = [datetime(2021, month, 1, tzinfo=ZONE) for month in range(1, 13)]
    firsts += [datetime(2022, 1, 1, tzinfo=ZONE), datetime(2022, 1, 2, tzinfo=ZONE)]
    # The first of the month begins seven hours later in UTC.
    midnights = [instant + timedelta(hours=h) for instant in firsts for h in (0, 7)]
    days = [datetime(2021, 12, d, tzinfo=ZONE) for d in (28, 30, 31)]
    return [m + n * TICK for m in (*midnights, *days, CUTOFF) for n in (-1, 0, 1)]


EDGES = sorted(_edges())
"""Local midnights, month and year ends, and the cutoff, each with its neighbours at 1 µs."""


@dataclass
class Turn:
    """What happens between two snapshots of the source.

    Attributes:
        previous: Clock of the snapshot before, None for the first.
        clock: Clock of the snapshot that ends the turn.
        newest_seen: Greatest `ngay_sua` that any snapshot so far has shown, by table.
        marks: Instants of C12 exports of this turn: documents are recorded around them.
    """

    rng: Random
    previous: datetime | None
    clock: datetime
    newest_seen: dict[str, datetime]
    marks: list[datetime] = field(default_factory=list)

    @property
    def month(self) -> date:
        """The local month of the clock."""
        return self.clock.astimezone(ZONE).date().replace(day=1)

    def chance(self, probability: float) -> bool:
        """True with a probability."""
        return self.rng.random() < probability

    def transaction_at(self, table: str) -> datetime:
        """Time of a transaction that this snapshot shows first: in this turn, or a late commit.

        A late commit is up to an hour older than the newest `ngay_sua` already seen.
        """
        if self.previous is not None and self.chance(0.25):
            newest = min(self.newest_seen[table], self.previous)
            behind = (timedelta(), TICK, timedelta(hours=1), self.rng.random() * timedelta(hours=1))
            return newest - self.rng.choice(behind)
        since = self.previous or self.clock - timedelta(days=300)
        near = [m + n * TICK for m in (*self.marks, CUTOFF) for n in (-1, 0, 1)]
        edges = [e for e in (*near, *EDGES) if since < e <= self.clock]
        if edges and self.chance(0.4):
            return self.rng.choice(edges)
        return max(since + TICK, self.within(since, self.clock))

    def credited_by(self, recorded_at: datetime) -> datetime:
        """An instant of credit no later than the recording, often at an edge."""
        edges = [e for e in EDGES if e <= recorded_at]
        if edges and self.chance(0.6):
            return self.rng.choice(edges[-12:] if self.chance(0.6) else edges)
        if self.chance(0.1):
            return datetime(2020, 12, 31, 23, 59, 59, 999_999, tzinfo=ZONE)
        since = recorded_at - timedelta(days=self.rng.choice((0, 1, 30, 200)))
        return self.within(since, recorded_at)

    def within(self, since: datetime, until: datetime) -> datetime:
        """A random instant of a range, whole microseconds."""
        return since + timedelta(microseconds=self.rng.randint(0, (until - since) // TICK))
