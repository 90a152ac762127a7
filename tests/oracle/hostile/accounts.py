"""Employers' monthly accounts and the C12 exports that state them."""

from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.oracle.hostile.c12_files import same_in_csv, write_statement
from tests.oracle.hostile.registers import Registers
from tests.oracle.hostile.turn import CUTOFF, UNKNOWN_AGENCY, ZONE, Turn
from tests.oracle.model import Statement

GROUPS = (("bhxh", "bh"), ("bhyt", "yt"), ("bhtn", "tn"))
STYLES = ("ordinary", "ordinary", "at_target", "no_receivable", "half_a_unit")


class Accounts:
    """The accounts as the source sees them, the exports made of them, and those still held back."""

    def __init__(self, rng: Random, registers: Registers, drop: Path, is_planting: bool) -> None:
        self._rng = rng
        self._registers = registers
        self._drop = drop
        self._is_planting = is_planting
        self._style: dict[str, str] = {}
        # (month, employer) -> agency and row
        self._truth: dict[tuple[date, str], tuple[str, dict[str, Any]]] = {}
        self._instants: set[datetime] = set()
        self._held_back: list[tuple[Statement, bool]] = []
        self._workbooks: list[Statement] = []
        self._planted_months: set[date] = set()

    def choose_instants(self, turn: Turn) -> None:
        """Fix when this turn's exports are made, so that documents can be recorded around them."""
        since = turn.previous or turn.clock - timedelta(days=3)
        wanted = [
            CUTOFF,
            CUTOFF + timedelta(minutes=30),
            datetime(2021, 12, 31, 23, 59, 59, 0, ZONE),
        ]
        wanted = [instant for instant in wanted if since < instant <= turn.clock]
        wanted += [turn.within(since, turn.clock).replace(microsecond=0) for _ in range(4)]
        fresh = {i for i in wanted if since < i <= turn.clock} - self._instants
        self._instants |= fresh
        turn.marks = sorted(fresh)

    def begin(self, turn: Turn) -> list[Statement]:
        """State some months of the year so far, each once or twice."""
        first = self._rng.choice((1, 1, 6, 9))
        for number in range(first, turn.month.month + 1):
            for employer in self._rng.sample(self._registers.employer_codes, k=5):
                self._open(date(2021, number, 1), employer)
        made: list[Statement] = []
        for number in range(first, turn.month.month + 1):
            for _ in range(self._rng.randint(1, 2)):
                made.append(self._state(turn, date(2021, number, 1), self._fresh_instant(turn)))
        return self._deliver(turn, made)

    def evolve(self, turn: Turn) -> list[Statement]:
        """Restate this month and some before it; deliver late what was held back."""
        made = []
        for instant in turn.marks:
            month = instant.astimezone(ZONE).date().replace(day=1)
            for _ in range(self._rng.choice((0, 0, 0, 1, 2, 5))):
                month = (month - timedelta(days=1)).replace(day=1)
            made.append(self._state(turn, max(month, date(2021, 1, 1)), instant))
        return self._deliver(turn, made)

    def _fresh_instant(self, turn: Turn) -> datetime:
        while True:
            instant = turn.within(turn.clock - timedelta(days=3), turn.clock).replace(microsecond=0)
            if instant not in self._instants:
                self._instants.add(instant)
                return instant

    def _deliver(self, turn: Turn, made: list[Statement]) -> list[Statement]:
        """Write files, in an order of their own; some stay behind until a later turn."""
        drawn = [(statement, turn.chance(0.5)) for statement in made]
        if self._is_planting and (planted := self._planted(turn)):
            drawn.append((planted, turn.chance(0.5)))
        ready = self._held_back + [d for d in drawn if not turn.chance(0.25)]
        self._held_back = [d for d in drawn if d not in ready]
        for statement, as_csv in ready:
            write_statement(self._rng, self._drop, statement, as_csv=as_csv)
            if not as_csv and UNKNOWN_AGENCY not in statement.sheets:
                self._workbooks.append(statement)
        # The same content again changes nothing, also where newer exports have come since.
        for statement in self._workbooks:
            if turn.chance(0.15):
                same_in_csv(self._rng, self._drop, statement)
        return [statement for statement, _ in ready]

    def _state(self, turn: Turn, month: date, stated_at: datetime) -> Statement:
        """Change the truth of a month, then state some agencies' part of it in full."""
        rng = self._rng
        for employer in rng.sample(self._registers.employer_codes, k=rng.randint(1, 5)):
            kind = rng.choice(("open", "open", "move", "leave"))
            if kind == "leave":
                self._truth.pop((month, employer), None)
            elif kind == "move" and (month, employer) in self._truth:
                _, row = self._truth[month, employer]
                self._truth[month, employer] = (rng.choice(self._registers.office_codes), row)
            else:
                self._open(month, employer)
        agencies = [c for c in self._registers.office_codes if turn.chance(0.7)]
        agencies = agencies or [rng.choice(self._registers.office_codes)]
        sheets: dict[str, list[dict[str, Any]]] = {agency: [] for agency in agencies}
        for (of_month, _), (agency, row) in self._truth.items():
            if of_month == month and agency in sheets:
                sheets[agency].append(dict(row))
        for agency in agencies:
            if turn.chance(0.08):
                self._empty(month, agency)
                sheets[agency] = []
        return Statement(f"{month:%Y%m} {stated_at.isoformat()}", month, stated_at, sheets)

    def _empty(self, month: date, agency: str) -> None:
        for key in [k for k, (code, _) in self._truth.items() if k[0] == month and code == agency]:
            del self._truth[key]

    def _open(self, month: date, employer: str) -> None:
        agency = self._rng.choice(self._registers.office_codes)
        style = self._style.setdefault(agency, self._rng.choice(STYLES))
        if style in ("at_target", "half_a_unit"):
            # One account of the year decides the ratio, so that it can be put on an edge.
            for key in [k for k, (code, _) in self._truth.items() if code == agency]:
                del self._truth[key]
        self._truth[month, employer] = (agency, self._row(employer, style))

    def _row(self, employer: str, style: str) -> dict[str, Any]:
        rng = self._rng
        row: dict[str, Any] = {"madvi": employer, "makhoi": "DN", "tendvi": "Công ty đá"}
        for long, short in GROUPS:
            opening, payable, up, down, allocated = self._moves(style)
            closing = opening + payable + up - down - allocated
            wanted = self._closing(style)
            row[f"_dk_{long}"] = opening + wanted - closing
            row[f"_ps_{short}"], row[f"_bst_{short}"], row[f"_bsg_{short}"] = payable, up, down
            row[f"_dt_{long}"], row[f"_ck_{long}"] = allocated, wanted
        interest = [rng.randint(0, 10**6) for _ in range(5)]
        row["_dk_lai"], row["_lai1_ps"], row["_lai2_ps"], row["_lai3_ps"] = interest[:4]
        row["_dt_lai"] = min(interest[4], sum(interest[:4]))
        row["_ck_lai"] = sum(interest[:4]) - row["_dt_lai"]
        row["sld"], row["sldtn"] = rng.randint(5, 99), rng.randint(0, 5)
        row["_tql"], row["_tqlyt"], row["_tqltn"] = (rng.randint(0, 10**9) for _ in range(3))
        row["sothang"] = rng.choice((None, 0, 1.5, 3))
        # Null stands for zero.
        return {k: None if v == 0 and rng.random() < 0.5 else v for k, v in row.items()}

    def _moves(self, style: str) -> tuple[int, int, int, int, int]:
        """Opening, payable, up, down, allocated."""
        rng = self._rng
        if style == "at_target":
            return 0, 10**12, 0, 0, 0
        if style == "half_a_unit":
            return 0, 2 * 10**9, 0, 0, 0
        payable = rng.choice((0, rng.randint(1, 999), rng.randint(10**6, 10**10)))
        if style == "no_receivable":
            return 0, payable, 0, payable, 0
        payable = -payable if rng.random() < 0.1 else payable
        up, down = (rng.choice((0, 0, rng.randint(-9, 10**7))) for _ in range(2))
        return rng.randint(-(10**9), 10**9), payable, up, down, rng.randint(0, 10**9)

    def _closing(self, style: str) -> int:
        rng = self._rng
        if style == "at_target":
            return 9 * 10**9 + rng.choice((-1, 0, 0, 1))
        if style == "half_a_unit":
            return rng.choice((1, 3, -1))
        size = rng.choice((0, 1, rng.randint(2, 999), rng.randint(10**6, 10**9)))
        return -size if rng.random() < 0.33 else size

    def _planted(self, turn: Turn) -> Statement | None:
        """A sheet of the unknown agency, of an employer that has no other account."""
        month = date(2021, self._rng.randint(9, 12), 1)
        if month > turn.month or month in self._planted_months:
            return None
        self._planted_months.add(month)
        stated_at = self._fresh_instant(turn)
        rows = [self._row(f"TQ{len(self._instants):04d}Q", "ordinary")]
        name = f"planted {month:%Y%m} {stated_at.isoformat()}"
        return Statement(name, month, stated_at, {UNKNOWN_AGENCY: rows})
