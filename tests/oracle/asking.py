"""What a reader can see after a night, as the analysts' questions need it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from tests.oracle.debts import employer_debts
from tests.oracle.knowledge import LOCAL, Knowledge, known
from tests.oracle.model import Key, Observation, Row
from tests.oracle.officers import UNASSIGNED
from tests.oracle.pace import judged
from tests.oracle.recompute import Figures, attainment


@dataclass(frozen=True)
class Questions:
    """What a reader asks after a night.

    Attributes:
        observations: What the extracts could know.
        nights: Clock and business date of the nights that readers were shown, oldest first.
        sealed_at: What the sealed release knew.
        cutoff: The period's cutoff.
        own: Code of the one agency whose rows the reader sees; None: all.
    """

    observations: Sequence[Observation]
    nights: Sequence[tuple[datetime, date]]
    sealed_at: datetime
    cutoff: datetime
    own: str | None = None

    @property
    def clock(self) -> datetime:
        return self.nights[-1][0]

    @property
    def day(self) -> date:
        return self.nights[-1][1]

    def sees(self, agency: str | None) -> bool:
        return self.own is None or agency == self.own

    @cached_property
    def state(self) -> Knowledge:
        return known(self.observations, self.clock)

    @cached_property
    def figures(self) -> Figures:
        return attainment(self.observations, self.clock)

    def shown(self, month: date) -> Iterator[tuple[Key, dict[str, Any], dict[str, Any]]]:
        """The visible rows of attainment in a month, and how each stands."""
        for key, row in self.figures.items():
            if key[1] == month and self.sees(key[0]):
                yield key, row, judged(self.figures, key, self.day)

    @cached_property
    def debts(self) -> Figures:
        return employer_debts(self.observations, self.clock)

    def latest_debts(self) -> Iterator[dict[str, Any]]:
        latest = max(month for _, month in self.debts)
        for (_, month), debt in self.debts.items():
            if month == latest and self.sees(debt["agency_code"]):
                yield debt

    def register(self, table: str, column: str, code: str, day: date) -> Row | None:
        """A register's row as it was known on a day; what was known first holds from before."""
        found: Row | None = None
        for observation in sorted(self.observations, key=lambda o: o.known_at):
            if observation.known_at > self.clock:
                continue
            learnt = observation.known_at.astimezone(LOCAL).date()
            for row in observation.tables.get(table, ()):
                if row[column] == code and (found is None or learnt <= day):
                    found = row
        return found

    def short(self, agency: str) -> str:
        row = self.state.accepted["co_quan"][agency,]
        name = str(row["ten"]).removeprefix("BHXH ")
        return f"Toàn {name}" if row["cap"] == 1 else name

    def officer(self, employer: str, day: date) -> str:
        running = [
            (row["tu_ngay"], row["ma_can_bo"])
            for row in self.state.accepted["phan_cong"].values()
            if row["ma_don_vi"] == employer and row["tu_ngay"] <= day
            if row["den_ngay"] is None or day <= row["den_ngay"]
        ]
        return str(max(running)[1]) if running else UNASSIGNED

    def officer_name(self, officer: str) -> str:
        if officer == UNASSIGNED:
            return "Chưa phân công"
        return str(self.state.accepted["can_bo"][officer,]["ho_ten"])

    def lines(self) -> Iterator[tuple[Row, Row]]:
        """The visible valid documents with each of their lines."""
        documents = self.state.accepted["chung_tu"]
        for line in self.state.accepted["phan_bo"].values():
            document = documents.get((line["so_chung_tu"],))
            if document is None or document["trang_thai"] != "HIEU_LUC":
                continue
            if self.sees(document["ma_co_quan"]):
                yield document, line
