"""Agencies, officers, employers and assignments."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.oracle.hostile.turn import UNKNOWN_AGENCY, Rows, Turn

UNREGISTERED = ("TZ9901Z", "T99002Z", "TZZ9903")
"""Employers that pay and owe but never stand in the register."""


class Registers:
    """The four registers of `tst` as they stand."""

    def __init__(self, rng: Random, is_planting: bool) -> None:
        self._rng = rng
        self._is_planting = is_planting
        self.agencies: Rows = {}
        self.officers: Rows = {}
        self.employers: Rows = {}
        self.assignments: Rows = {}

    @property
    def agency_codes(self) -> list[str]:
        """Codes in the register, provinces included."""
        return [code for (code,) in self.agencies]

    @property
    def office_codes(self) -> list[str]:
        """Codes of five digits: those that C12 sheets can be named by."""
        return [code for code in self.agency_codes if len(code) == 5]

    @property
    def employer_codes(self) -> list[str]:
        """Employers that appear anywhere, registered or not."""
        return [*(code for (code,) in self.employers), *UNREGISTERED]

    def begin(self, turn: Turn) -> None:
        """Fill the registers."""
        rng = self._rng
        provinces = ["072", "080"] if turn.chance(0.5) else ["072"]
        for code in provinces:
            self._add_agency(turn, code, None, 1)
        for n in range(rng.randint(2, 6)):
            parent = rng.choice(provinces) if n > 1 else "072"
            code = f"{parent}{n:02d}"
            self._add_agency(turn, code, self._parent(code, parent), 2)
        for n in range(4):
            self._add_officer(turn, f"CB{n:03d}")
        letters = "ABCDEGHKLMNPQRTUVX"
        for n in range(rng.randint(5, 30)):
            a, b = rng.choice(letters), rng.choice(letters)
            code = rng.choice(
                (f"T{a}{n:04d}{b}", f"T{n:05d}{b}", f"T{a}{b}{n:04d}", f"T{a}{n:05d}")
            )
            self._add_employer(turn, code)

    def evolve(self, turn: Turn) -> None:
        """Change parents, validity and names, let agencies and employers appear."""
        rng = self._rng
        changes: list[Callable[[Turn], None]] = [
            self._change_parent,
            self._change_validity,
            self._rename,
            self._found_agency,
            self._register_employer,
        ]
        for change in changes:
            if turn.chance(0.35):
                change(turn)
        if self._is_planting and UNKNOWN_AGENCY not in self.agency_codes and turn.chance(0.15):
            self._add_agency(turn, UNKNOWN_AGENCY, rng.choice((None, "072")), 2)

    def _parent(self, code: str, default: str) -> str | None:
        # Parents are older than their children, so no chain closes on itself.
        older = [c for c in self.office_codes if c < code]
        if older and self._rng.random() < 0.15:
            return self._rng.choice(older)
        return None if self._rng.random() < 0.05 else default

    def _add_agency(self, turn: Turn, code: str, parent: str | None, cap: int) -> None:
        begin, end = self._validity() if cap == 2 else (date(1995, 2, 16), None)
        self.agencies[(code,)] = {
            "ma_co_quan": code,
            "ten": f"BHXH thử nghiệm {code}",
            "ma_cap_tren": parent,
            "cap": cap,
            "ma_huyen": None if cap == 1 else f"7{code[-2:]}",
            "hieu_luc_tu": begin,
            "hieu_luc_den": end,
            "ngay_sua": turn.clock,
        }

    def _validity(self) -> tuple[date, date | None]:
        edges = [date(2021, 6, 30), date(2021, 10, 31), date(2021, 11, 1), date(2021, 12, 1)]
        edges += [date(2021, 12, 31), date(2022, 1, 1)]
        drawn = self._rng.random()
        if drawn < 0.6:
            return date(1995, 2, 16), None
        if drawn < 0.75:
            return self._rng.choice(edges), None
        if drawn < 0.9:
            return date(1995, 2, 16), self._rng.choice(edges)
        begin, end = sorted(self._rng.sample(edges, 2))
        return begin, end

    def _add_officer(self, turn: Turn, code: str) -> None:
        self.officers[(code,)] = {
            "ma_can_bo": code,
            "ho_ten": f"Cán bộ thử {code}",
            "ma_co_quan": self._rng.choice(self.office_codes),
            "ngay_sua": turn.clock,
        }

    def _add_employer(self, turn: Turn, code: str) -> None:
        rng = self._rng
        self.employers[(code,)] = {
            "ma_don_vi": code,
            "ten": f"Công ty thử nghiệm {code}",
            "ma_khoi": rng.choice(("HC", "DN")),
            "ma_co_quan": rng.choice(self.office_codes),
            "ngan_sach": turn.chance(0.2),
            "chu_ky_dong": rng.choice((1, 3, 6)),
            "trang_thai": rng.choice(("HOAT_DONG", "TAM_DUNG", "GIAI_THE", "PHA_SAN")),
            "ngay_sua": turn.clock,
        }
        begin = date(2020, 1, 1) + timedelta(days=rng.randint(0, 500))
        end = begin + timedelta(days=rng.randint(0, 400)) if turn.chance(0.4) else None
        self._assign(turn, code, begin, end)
        if end is not None and turn.chance(0.6):
            self._assign(turn, code, end + timedelta(days=rng.choice((1, 40))), None)

    def _assign(self, turn: Turn, employer: str, begin: date, end: date | None) -> None:
        self.assignments[employer, begin] = {
            "ma_don_vi": employer,
            "tu_ngay": begin,
            "den_ngay": end,
            "ma_can_bo": self._rng.choice(list(self.officers))[0],
            "ngay_sua": turn.clock,
        }

    def _touch(self, turn: Turn, row: dict[str, Any], **changes: Any) -> None:
        row.update(changes, ngay_sua=turn.clock)

    def _change_parent(self, turn: Turn) -> None:
        code = self._rng.choice(self.office_codes)
        parent = self._rng.choice([c for c in self.agency_codes if len(c) == 3])
        self._touch(turn, self.agencies[(code,)], ma_cap_tren=self._parent(code, parent))

    def _change_validity(self, turn: Turn) -> None:
        begin, end = self._validity()
        row = self.agencies[(self._rng.choice(self.office_codes),)]
        self._touch(turn, row, hieu_luc_tu=begin, hieu_luc_den=end)

    def _rename(self, turn: Turn) -> None:
        row = self._rng.choice(list(self.employers.values()))
        self._touch(turn, row, ten=f"{row['ten']} (đổi tên)")

    def _found_agency(self, turn: Turn) -> None:
        code = f"072{10 + len(self.agencies)}"
        self._add_agency(turn, code, self._parent(code, "072"), 2)

    def _register_employer(self, turn: Turn) -> None:
        self._add_employer(turn, f"TY{len(self.employers):04d}Y")
