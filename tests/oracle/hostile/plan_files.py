"""Plan workbooks: ties, revisions, zeros, gaps, decisions delivered again."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import xlsxwriter

from tests.oracle.hostile.registers import Registers
from tests.oracle.hostile.turn import Turn
from tests.oracle.model import PlanFile, Row
from tests.oracle.recompute import PLAN_MEASURES

COLUMNS = (
    "so_quyet_dinh",
    "ngay_ky",
    "don_vi_giao",
    "nam",
    "loai_doi_tuong",
    "ma_doi_tuong",
    "chi_tieu",
    "gia_tri",
    "hieu_luc_tu",
)
# In the order of a language, 10 may follow 9, a may precede B and Đ follows D.
DECISIONS = ("10/QĐ", "9/QĐ", "a/QĐ", "B/QĐ", "D/QĐ", "Đ/QĐ", "Z/QĐ")
EFFECTIVE = (
    date(2021, 1, 1),
    date(2021, 9, 30),
    date(2021, 11, 30),
    date(2021, 12, 1),
    date(2021, 12, 30),
    date(2021, 12, 31),
)

Actuals = Mapping[tuple[Any, ...], Mapping[str, Any]]


class Plans:
    """Plan workbooks as they are delivered."""

    def __init__(self, rng: Random, registers: Registers, drop: Path) -> None:
        self._rng = rng
        self._registers = registers
        self._drop = drop
        self._lines: list[dict[str, Any]] = []
        self._files = 0

    def begin(self) -> list[PlanFile]:
        """The year's first decisions: most agencies and measures have one, some have ties."""
        lines = []
        for agency in self._registers.agency_codes:
            for metric in PLAN_MEASURES:
                for _ in range(self._rng.choice((0, 1, 1, 1, 2, 3))):
                    lines.append(self._line(agency, metric, self._value(metric)))
        if self._rng.random() < 0.5:
            lines += [self._line("CB000", "collection_total", "1", loai_doi_tuong="CAN_BO")]
            lines += [line | {"nam": 2022, "hieu_luc_tu": date(2022, 1, 1)} for line in lines[:20]]
        half = len(lines) // 2
        return self._deliver(lines[:half]) + self._deliver(lines[half:])

    def evolve(self, turn: Turn, actuals: Actuals) -> list[PlanFile]:
        """Revise plans, some to exactly what was reached; deliver some lines again."""
        files: list[PlanFile] = []
        if turn.chance(0.7):
            files += self._deliver([self._revision(turn, actuals) for _ in range(25)])
        if turn.chance(0.6):
            again = self._rng.sample(self._lines, k=min(8, len(self._lines)))
            lines = [r | {"gia_tri": self._value(_metric_of(r["chi_tieu"]))} for r in again]
            files += self._deliver(lines)
        return files

    def _revision(self, turn: Turn, actuals: Actuals) -> dict[str, Any]:
        agency = self._rng.choice(self._registers.agency_codes)
        metric = self._rng.choice(list(PLAN_MEASURES))
        reached = actuals.get((agency, date(2021, 12, 1), metric), {}).get("actual_to_date")
        if reached is None or reached < 0 or reached > 10**12 or turn.chance(0.3):
            return self._line(agency, metric, self._value(metric))
        if metric.startswith("arrears_ratio_"):
            # The rounded ratio: whether the exact one is below it, only the fraction tells.
            value = format((reached * 100).normalize(), "f")
            fits = reached <= 1
            return self._line(agency, metric, value if fits else self._value(metric))
        return self._line(agency, metric, str(int(reached) + self._rng.choice((0, 0, 1))))

    def _line(self, agency: str, metric: str, value: str, **changes: Any) -> dict[str, Any]:
        rng = self._rng
        effective = rng.choice(EFFECTIVE) if self._files else rng.choice(EFFECTIVE[:3])
        line = {
            "so_quyet_dinh": rng.choice(DECISIONS),
            "ngay_ky": rng.choice((effective, date(2020, 12, 15), date(2021, 10, 1))),
            "don_vi_giao": "BHXH Việt Nam (thử)",
            "nam": 2021,
            "loai_doi_tuong": "CO_QUAN",
            "ma_doi_tuong": agency,
            "chi_tieu": PLAN_MEASURES[metric],
            "gia_tri": value,
            "hieu_luc_tu": effective,
        }
        return line | changes

    def _value(self, metric: str) -> str:
        rng = self._rng
        if metric.startswith("participants_"):
            return str(rng.randint(0, 12))
        if metric.startswith("collection_"):
            return str(rng.choice((0, rng.randint(1, 10**5), rng.randint(10**9, 10**11))))
        return rng.choice(("0.9", "0.9", "0.00000005", "0", "12.5", "0.90"))

    def _deliver(self, lines: list[dict[str, Any]]) -> list[PlanFile]:
        """Write one workbook; a line stands in it once."""
        unique = {tuple(v for k, v in line.items() if k != "gia_tri"): line for line in lines}
        if not unique:
            return []
        self._files += 1
        name = f"KE_HOACH_{self._rng.choice('aBĐz')}{self._rng.randint(0, 99)}_{self._files}.xlsx"
        rows: list[Row] = list(unique.values())
        self._lines += unique.values()
        self._write(self._drop / name, rows)
        return [PlanFile(name, rows)]

    def _write(self, path: Path, rows: list[Row]) -> None:
        with xlsxwriter.Workbook(path) as book:
            as_date = book.add_format({"num_format": "dd/mm/yyyy"})
            sheet = book.add_worksheet("KE HOACH")
            sheet.write_row(0, 0, COLUMNS)
            for number, row in enumerate(rows, start=1):
                for index, column in enumerate(COLUMNS):
                    value = row[column]
                    if isinstance(value, date):
                        midnight = datetime.combine(value, datetime.min.time())
                        sheet.write_datetime(number, index, midnight, as_date)
                    elif column == "gia_tri" and self._rng.random() < 0.7:
                        sheet.write_number(number, index, float(Decimal(value)))
                    elif column == "nam":
                        sheet.write_number(number, index, value)
                    else:
                        sheet.write_string(number, index, value)


def _metric_of(measure: str) -> str:
    return next(metric for metric, name in PLAN_MEASURES.items() if name == measure)
