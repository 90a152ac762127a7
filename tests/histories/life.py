"""A small world as it lives for some nights: source states, C12 statements and plan files."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from tests.oracle.hostile.documents import Documents
from tests.oracle.hostile.registers import Registers
from tests.oracle.hostile.spells import Spells
from tests.oracle.hostile.turn import UNKNOWN_AGENCY, ZONE, Turn
from tests.oracle.model import Row, Statement

_GROUPS = (("bhxh", "bh"), ("bhyt", "yt"), ("bhtn", "tn"))
_REGISTERS = ("co_quan", "can_bo", "don_vi", "phan_cong")


@dataclass(frozen=True)
class State:
    """The source as one snapshot shows it; `registers_changed` since the state before."""

    clock: datetime
    business_date: date
    tables: dict[str, list[Row]]
    registers_changed: bool


@dataclass(frozen=True)
class PlanDelivery:
    """A plan workbook's rows, in the order in which decisions were delivered."""

    number: int
    rows: Sequence[Row]


@dataclass
class Life:
    """What happened, night by night; statements and plans stand under the night they were made.

    Attributes:
        states: 3 to 6 snapshots of the source.
        statements: C12 exports by night, instants ascending over all nights.
        plans: Plan deliveries by night.
        broken: (statement, agency, employer) of rows whose closing does not add up.
    """

    states: list[State] = field(default_factory=list)
    statements: list[list[Statement]] = field(default_factory=list)
    plans: list[list[PlanDelivery]] = field(default_factory=list)
    broken: set[tuple[str, str, str]] = field(default_factory=set)


def live(seed: int) -> Life:
    """The world of a seed; the same seed lives the same life."""
    return _Living(Random(f"life {seed}")).live()


class _Living:
    def __init__(self, rng: Random) -> None:
        self._rng = rng
        is_planting = rng.random() < 0.5
        self._registers = Registers(rng, is_planting)
        self._documents = Documents(rng, self._registers, is_planting)
        self._spells = Spells(rng, self._registers, is_planting)
        self._is_planting = is_planting
        # (month, employer) -> agency and row
        self._accounts: dict[tuple[date, str], tuple[str, dict[str, Any]]] = {}
        self._instant = datetime(2021, 10, 2, 8, tzinfo=ZONE)
        self._life = Life()
        self._plan_lines: list[dict[str, Any]] = []

    def live(self) -> Life:
        clock = datetime(2021, 11, 3, 1, 0, 7, tzinfo=ZONE)
        previous: datetime | None = None
        seen: dict[str, datetime] = {}
        for _ in range(self._rng.choice((3, 3, 3, 4, 4, 5, 6))):
            turn = Turn(self._rng, previous, clock, seen)
            self._turn(turn)
            tables = self._tables()
            for name in ("chung_tu", "phan_bo", "tham_gia"):
                newest = max(row["ngay_sua"] for row in tables[name])
                seen[name] = max(newest, seen.get(name, newest))
            before = self._life.states[-1].tables if self._life.states else {}
            changed = any(tables[name] != before.get(name) for name in _REGISTERS)
            business_date = clock.date() - timedelta(days=1)
            self._life.states.append(State(clock, business_date, tables, changed))
            self._life.statements.append(self._state_accounts(clock))
            self._life.plans.append(self._decide_plans())
            previous = clock
            clock += timedelta(days=self._rng.choice((1, 1, 1, 2)), seconds=self._rng.randint(0, 9))
        return self._life

    def _turn(self, turn: Turn) -> None:
        for part in (self._registers, self._documents, self._spells):
            if turn.previous is None:
                part.begin(turn)
            elif part is not self._registers or self._rng.random() < 0.35:
                part.evolve(turn)

    def _tables(self) -> dict[str, list[Row]]:
        rows = {
            "co_quan": self._registers.agencies,
            "can_bo": self._registers.officers,
            "don_vi": self._registers.employers,
            "phan_cong": self._registers.assignments,
            "chung_tu": self._documents.documents,
            "phan_bo": self._documents.lines,
            "tham_gia": self._spells.spells,
        }
        return {name: deepcopy(list(found.values())) for name, found in rows.items()}

    # -- C12 --------------------------------------------------------------------------------------

    def _state_accounts(self, clock: datetime) -> list[Statement]:
        """One to three exports of this month or the two before it, each a full statement."""
        made: list[Statement] = []
        for _ in range(self._rng.randint(1, 2)):
            self._instant += timedelta(
                hours=self._rng.randint(1, 9), seconds=self._rng.randint(0, 9)
            )
            self._instant = min(self._instant, clock - timedelta(minutes=1))
            if made and made[-1].stated_at >= self._instant:
                break
            month = date(2021, self._rng.choice((9, 10, 10, 10)), 1)
            made.append(self._statement(month))
        self._instant = clock
        return made

    def _statement(self, month: date) -> Statement:
        rng = self._rng
        agencies = self._registers.office_codes[:3]
        if self._is_planting and rng.random() < 0.3:
            agencies = [*agencies, UNKNOWN_AGENCY]
        for employer in rng.sample(self._registers.employer_codes[:7], k=rng.randint(2, 5)):
            self._change(month, employer, agencies)
        named = [a for a in agencies if rng.random() < 0.75] or [rng.choice(agencies)]
        sheets: dict[str, list[dict[str, Any]]] = {agency: [] for agency in named}
        name = f"{month:%Y%m} {self._instant.isoformat()}"
        for (of_month, employer), (agency, row) in self._accounts.items():
            if of_month == month and agency in sheets:
                shown = dict(row)
                if rng.random() < 0.08:
                    shown["_ck_bhyt"] += rng.choice((-1, 1, 10**6))
                    self._life.broken.add((name, agency, employer))
                sheets[agency].append(shown)
        return Statement(name, month, self._instant, sheets)

    def _change(self, month: date, employer: str, agencies: list[str]) -> None:
        kind = self._rng.choice(("open", "open", "open", "move", "leave"))
        known = self._accounts.get((month, employer))
        if kind == "leave":
            self._accounts.pop((month, employer), None)
        elif kind == "move" and known:
            self._accounts[month, employer] = (self._rng.choice(agencies), known[1])
        else:
            agency = known[0] if known else self._rng.choice(agencies)
            self._accounts[month, employer] = (agency, self._row(employer))

    def _row(self, employer: str) -> dict[str, Any]:
        rng = self._rng
        row: dict[str, Any] = {"madvi": employer, "tendvi": "Công ty đá"}
        for fund, short in _GROUPS:
            opening, payable, paid = (rng.randint(-(10**6), 10**9) for _ in range(3))
            row |= {f"_dk_{fund}": opening, f"_ps_{short}": payable, f"_dt_{fund}": paid}
            row[f"_ck_{fund}"] = opening + payable - paid
        return row

    # -- plans ------------------------------------------------------------------------------------

    def _decide_plans(self) -> list[PlanDelivery]:
        made: list[PlanDelivery] = []
        for _ in range(self._rng.choice((0, 1, 1, 2)) if self._life.plans else 1):
            again = self._rng.sample(self._plan_lines, k=min(2, len(self._plan_lines)))
            rows = [line | {"gia_tri": str(self._rng.randint(0, 99))} for line in again]
            rows += [self._plan_line(n) for n in range(self._rng.randint(1, 4))]
            number = sum(map(len, self._life.plans)) + len(made) + 1
            made.append(PlanDelivery(number, rows))
        return made

    def _plan_line(self, n: int) -> dict[str, Any]:
        line = {
            "so_quyet_dinh": f"{len(self._plan_lines)}/QĐ",
            "ngay_ky": date(2021, 9, 1 + n),
            "don_vi_giao": "BHXH Việt Nam (thử)",
            "nam": 2021,
            "loai_doi_tuong": "CO_QUAN",
            "ma_doi_tuong": self._rng.choice(self._registers.agency_codes),
            "chi_tieu": self._rng.choice(("THU_TONG", "NGUOI_BHYT", "NO_TONG")),
            "gia_tri": str(self._rng.randint(0, 99)),
            "hieu_luc_tu": date(2021, 10, 1),
        }
        self._plan_lines.append(line)
        return line
