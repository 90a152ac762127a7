"""Participation spells."""

from datetime import date
from random import Random
from typing import Any

from tests.oracle.hostile.registers import Registers
from tests.oracle.hostile.turn import UNKNOWN_AGENCY, Rows, Turn

SCHEMES = ("BHXHBB", "BHXHTN", "BHTN", "BHYT")


class Spells:
    """Table `tham_gia` as it stands; few persons, so that they meet in several agencies."""

    def __init__(self, rng: Random, registers: Registers, is_planting: bool) -> None:
        self._rng = rng
        self._registers = registers
        self._is_planting = is_planting
        persons = rng.randint(4, 30)
        self._numbers = [f"{rng.randrange(10 ** rng.choice((6, 10))):010d}" for _ in range(persons)]
        self.spells: Rows = {}

    def begin(self, turn: Turn) -> None:
        """Spells of the year so far."""
        for _ in range(self._rng.randint(20, 60)):
            self._add(turn)

    def evolve(self, turn: Turn) -> None:
        """Open, close, void and move spells."""
        for _ in range(self._rng.randint(2, 8)):
            spell = self._rng.choice(list(self.spells.values()))
            if spell["ma_co_quan"] != UNKNOWN_AGENCY:
                self._correct(turn, spell)
        for _ in range(self._rng.randint(3, 9)):
            self._add(turn)
        if self._is_planting:
            self._add(turn, UNKNOWN_AGENCY)

    def _add(self, turn: Turn, agency: str | None = None) -> None:
        rng = self._rng
        code = 10**12 + len(self.spells)
        scheme = rng.choice(SCHEMES)
        recorded_at = turn.transaction_at("tham_gia")
        first = _month(rng.choice((rng.randint(-6, 13), rng.randint(9, 12))))
        self.spells[(code,)] = {
            "ma_qua_trinh": code,
            "ma_so_bhxh": rng.choice(self._numbers),
            "ho_ten": "Người tham gia thử",
            "ngay_sinh": rng.choice(("01/02/1980", "1975")),
            "gioi_tinh": rng.choice(("Nam", "Nữ")),
            "loai": scheme,
            "nhom_bhyt": rng.randint(1, 6) if scheme == "BHYT" else None,
            "ma_don_vi": rng.choice(self._registers.employer_codes),
            "ma_co_quan": agency or rng.choice(self._registers.agency_codes),
            "tu_thang": first,
            "den_thang": self._end(first) if turn.chance(0.4) else None,
            "trang_thai": "HUY" if turn.chance(0.08) else "HIEU_LUC",
            "ngay_nhap": recorded_at,
            "ngay_sua": recorded_at,
        }

    def _end(self, first: date) -> date:
        return _month((first.year - 2021) * 12 + first.month + self._rng.choice((0, 0, 1, 2, 8)))

    def _correct(self, turn: Turn, spell: dict[str, Any]) -> None:
        rng = self._rng
        spell["ngay_sua"] = turn.transaction_at("tham_gia")
        kind = rng.choice(("close", "open", "void", "move", "handover", "begin", "touch"))
        if kind in ("close", "handover"):
            spell["den_thang"] = self._end(spell["tu_thang"])
        if kind == "open":
            spell["den_thang"] = None
        if kind == "void":
            spell["trang_thai"] = "HUY"
        if kind == "move":
            spell["ma_co_quan"] = rng.choice(self._registers.agency_codes)
            spell["ma_don_vi"] = rng.choice(self._registers.employer_codes)
        if kind == "begin":
            spell["tu_thang"] = _month(rng.randint(9, 12))
            spell["den_thang"] = None
        if kind == "handover":
            self._add(turn)


def _month(number: int) -> date:
    """Months counted from January 2021 = 1."""
    return date(2021 + (number - 1) // 12, (number - 1) % 12 + 1, 1)
