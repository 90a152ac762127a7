"""Random worlds in which employers change officers, officers change agencies and have plans."""

from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random

from tests.oracle.hostile.plan_files import Actuals, Plans
from tests.oracle.hostile.registers import UNREGISTERED, Registers
from tests.oracle.hostile.turn import Turn
from tests.oracle.model import PlanFile
from tests.oracle.recompute import PLAN_MEASURES
from tests.oracle.worlds import Night, World

STRANGER = "CB999"
"""An officer who is in charge of employers but stands in no register."""
EDGES = [
    *(date(2021, month, 1) for month in (1, 5, 10, 11, 12)),
    *(date(2021, 12, day) for day in (2, 20, 30, 31)),
    *(date(2022, 1, day) for day in (1, 2)),
]
DAY = timedelta(days=1)


class OfficerWorld(World):
    """A world whose assignments overlap, end and begin at the days that decide."""

    def __init__(
        self, source_url: str | None, drop: Path, seed: int, *, plant_unknown: bool
    ) -> None:
        super().__init__(source_url, drop, seed, plant_unknown=plant_unknown)
        self._own = Random(f"officers {seed}")
        self._plans = _OfficerPlans(self._rng, self._registers, drop)

    def advance(self) -> Night:
        """Hand employers over, then live as any world does."""
        if self.observations:
            self._hand_over(self.nights[len(self.observations)].clock)
        return super().advance()

    def _hand_over(self, clock: datetime) -> None:
        rng, registers = self._own, self._registers
        officers = [*(code for (code,) in registers.officers), STRANGER]
        for _ in range(rng.randint(4, 12)):
            employer = rng.choice([*(code for (code,) in registers.employers), *UNREGISTERED])
            begin = rng.choice(EDGES)
            later = [day - rng.choice((DAY, timedelta())) for day in EDGES if day > begin]
            registers.assignments[employer, begin] = {
                "ma_don_vi": employer,
                "tu_ngay": begin,
                "den_ngay": rng.choice([None, *later]),
                "ma_can_bo": rng.choice(officers),
                "ngay_sua": clock,
            }
        if rng.random() < 0.4:
            officer = rng.choice(list(registers.officers.values()))
            officer.update(ma_co_quan=rng.choice(registers.agency_codes), ngay_sua=clock)


class _OfficerPlans(Plans):
    """Plan workbooks that have officers in them as well."""

    def __init__(self, rng: Random, registers: Registers, drop: Path) -> None:
        super().__init__(rng, registers, drop)
        self._officers = registers.officers

    def begin(self) -> list[PlanFile]:
        return super().begin() + self._of_officers(3)

    def evolve(self, turn: Turn, actuals: Actuals) -> list[PlanFile]:
        return super().evolve(turn, actuals) + self._of_officers(1)

    def _of_officers(self, most: int) -> list[PlanFile]:
        officers = [*(code for (code,) in self._officers), STRANGER]
        return self._deliver(
            [
                self._line(officer, metric, self._value(metric), loai_doi_tuong="CAN_BO")
                for officer in officers
                for metric in PLAN_MEASURES
                for _ in range(self._rng.randint(0, most))
            ]
        )
