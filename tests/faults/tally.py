"""What all fault tests of a session found together: the figures of the proof `kill -9`."""

from collections import Counter
from dataclasses import dataclass, field

from tests.faults.verdict import Verdict
from tests.proofs import record


@dataclass
class Tally:
    """Faults by kind, the places they struck, and what was wrong afterwards."""

    faults: Counter[str] = field(default_factory=Counter)
    points: set[str] = field(default_factory=set)
    lost: int = 0
    duplicated: int = 0
    unbalanced: int = 0

    def struck(self, kind: str, point: str | None = None) -> None:
        """Count one fault."""
        self.faults[kind] += 1
        if point:
            self.points.add(point)

    def judge(self, final: Verdict) -> None:
        """Add a case's verdict, and fail where anything is wrong with it."""
        self.lost += final.lost
        self.duplicated += final.duplicated
        self.unbalanced += final.unbalanced
        assert not final.told, "\n".join(final.told)

    def keep(self) -> None:
        """Write the proof's figures down after a full run."""
        if not self.faults:
            return
        killed = {k: n for k, n in self.faults.items() if k.startswith("kills of")}
        record(
            "kill -9",
            kills=sum(killed.values()),
            points=len(self.points),
            **dict(sorted(self.faults.items())),
            rows_lost=self.lost,
            rows_duplicated=self.duplicated,
            batches_unbalanced=self.unbalanced,
        )
