"""Plan workbooks: the year's decision, the officers' shares, the revision of November."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

from chotso.sandbox.province.documents import Documents
from chotso.sandbox.province.employers import OFFICE_COUNT
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.population import VOIDED, Spells
from chotso.sandbox.province.randomness import stream
from chotso.sandbox.province.registers import Officers
from chotso.sandbox.province.timeline import DAY, Floats
from chotso.sandbox.province.units import PROVINCE_CODE, PROVINCE_NAME, offices
from chotso.sandbox.province.workbook import WrittenCell, workbook_bytes

COLUMNS = ("so_quyet_dinh", "ngay_ky", "don_vi_giao", "nam", "loai_doi_tuong", "ma_doi_tuong",
           "chi_tieu", "gia_tri", "hieu_luc_tu")  # fmt: skip
_PEOPLE = ("NGUOI_BHXH_BB", "NGUOI_BHXH_TN", "NGUOI_BHTN", "NGUOI_BHYT")
_MONEY = ("THU_BHXH_BB", "THU_BHXH_TN", "THU_BHTN", "THU_BHYT")
_ARREARS_FIRST = {"NO_BHXH": 1.1, "NO_BHTN": 1.0, "NO_BHYT": 0.7, "NO_TONG": 1.0}
_ARREARS_REVISED = dict.fromkeys(_ARREARS_FIRST, 0.9)
_MONEY_COLUMN = np.array([0, 0, 0, 2, 3, 1])  # of each fund
_ASSIGNERS = {
    "NGUOI": f"Ủy ban nhân dân tỉnh {PROVINCE_NAME} (giả định)",
    "OTHER": "Bảo hiểm xã hội Việt Nam (giả định)",
}
_MILLION = 1_000_000

PlanLine = tuple[str, date, str, int, str, str, str, int | float, date]


@dataclass(frozen=True, slots=True)
class PlanFile:
    """One plan workbook and the instant it is delivered."""

    at: int
    name: str
    lines: list[PlanLine]

    def workbook(self) -> bytes:
        """Its bytes."""
        header: list[WrittenCell] = list(COLUMNS)
        rows: list[tuple[int, list[WrittenCell]]] = [(1, header)]
        rows += [(number, list(line)) for number, line in enumerate(self.lines, start=2)]
        made_at = datetime.fromtimestamp(self.at, tz=UTC)
        return workbook_bytes({"KeHoach": rows}, f"{self.name}: dữ liệu giả định", made_at)

    def logged_rows(self) -> list[dict[str, object]]:
        """Its rows for the event log."""
        rows = []
        for line in self.lines:
            row: dict[str, object] = dict(zip(COLUMNS, line, strict=True))
            row |= {"ngay_ky": line[1].isoformat(), "hieu_luc_tu": line[8].isoformat()}
            rows.append(row | {"gia_tri": str(line[7])})
        return rows


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The year's final figures, from which plans are derived; rows: agencies or officers."""

    people: Floats  # (units, 4)
    money: Floats  # (units, 4)


def _outcomes(
    parameters: Parameters, spells: Spells, documents: Documents, officers: Officers
) -> tuple[_Outcome, _Outcome]:
    timeline = parameters.timeline
    last = np.zeros(documents.count, dtype=np.int64)
    order = np.argsort(documents.v_at, kind="stable")
    last[documents.v_document[order]] = order
    month = timeline.months_of(documents.v_credited_at[last])
    counts = (month >= 0) & (month < 12) & ~documents.v_void[last]
    of = documents.l_document
    line = counts[of] & ~documents.l_deleted
    column = _MONEY_COLUMN[documents.l_fund[line]]
    looked_after = np.full(int(max(documents.employer.max(), spells.employer.max())) + 1, -1)
    looked_after[officers.employer[::-1]] = officers.officer[::-1]
    office = documents.v_office[last][of[line]]
    officer = looked_after[documents.employer[of[line]]]
    active = (spells.from_month <= 11) & (spells.to_month >= 11) & (spells.change != VOIDED)
    scheme = spells.scheme[active]

    def summed(rows: int, where: npt.NDArray[np.int64], column: npt.NDArray[np.int64],
               value: npt.NDArray[np.int64]) -> Floats:  # fmt: skip
        total = np.zeros((rows, 4))
        known = where >= 0
        np.add.at(total, (where[known], column[known]), value[known])
        return total

    money = documents.l_principal_vnd[line]
    one = np.ones(scheme.size, dtype=np.int64)
    count = len(officers.codes)
    return (
        _Outcome(summed(OFFICE_COUNT, spells.office[active], scheme, one),
                 summed(OFFICE_COUNT, office, column, money)),
        _Outcome(summed(count, looked_after[spells.employer[active]], scheme, one),
                 summed(count, officer, column, money)),
    )  # fmt: skip


class _Decision:
    """Collects the lines of one decision."""

    def __init__(self, number: str, signed: date, year: int, valid_from: date) -> None:
        self.head = number, signed
        self.year, self.valid_from = year, valid_from
        self.lines: list[PlanLine] = []

    def add(self, kind: str, code: str, measure: str, value: int | float) -> None:
        assigner = _ASSIGNERS["NGUOI" if measure.startswith("NGUOI") else "OTHER"]
        self.lines.append(
            (*self.head, assigner, self.year, kind, code, measure, value, self.valid_from)
        )

    def add_unit(self, code: str, people: Floats, money: Floats, arrears: dict[str, float]) -> None:
        for measure, heads in zip(_PEOPLE, people.tolist(), strict=True):
            self.add("CO_QUAN", code, measure, round(heads))
        amounts = [round(value / _MILLION) * _MILLION for value in money.tolist()]
        for measure, amount in zip(_MONEY, amounts, strict=True):
            self.add("CO_QUAN", code, measure, amount)
        self.add("CO_QUAN", code, "THU_TONG", sum(amounts))
        for measure, percent in arrears.items():
            self.add("CO_QUAN", code, measure, percent)

    def add_agencies(self, people: Floats, money: Floats, arrears: dict[str, float]) -> None:
        # The province has its own target, which is a little more than its agencies' sum.
        self.add_unit(PROVINCE_CODE, people.sum(axis=0) * 1.002, money.sum(axis=0) * 1.003, arrears)
        for ordinal, agency in enumerate(offices()):
            self.add_unit(agency.code, people[ordinal], money[ordinal], arrears)

    def add_officers(self, codes: list[str], people: Floats, money: Floats) -> None:
        for index, code in enumerate(codes):
            amount = round(float(money[index].sum()) / _MILLION) * _MILLION
            self.add("CAN_BO", code, "THU_TONG", amount)
            self.add("CAN_BO", code, "NGUOI_BHXH_BB", round(float(people[index, 0])))
            self.add("CAN_BO", code, "NO_TONG", 0.9)


def make_plans(
    parameters: Parameters, spells: Spells, documents: Documents, officers: Officers
) -> list[PlanFile]:
    """The plan workbooks of the lifetime, by instant of delivery."""
    rng = stream(parameters.seed, "plans")
    timeline, year = parameters.timeline, parameters.year
    agency, officer = _outcomes(parameters, spells, documents, officers)
    # Attainment is about 95 to 106 per cent of the revised plan; the first plan differs from it.
    people = agency.people / rng.uniform(0.965, 1.05, size=agency.people.shape)
    money = agency.money / rng.uniform(0.955, 1.055, size=agency.money.shape)
    first_people = people * rng.uniform(0.98, 1.03, size=people.shape)
    first_money = money * rng.uniform(0.95, 1.04, size=money.shape)
    shares = officer.money / rng.uniform(0.95, 1.06, size=(len(officers.codes), 1))
    start = date(year, 1, 1)
    opening = _Decision(f"12/QĐ-GIADINH-{year}", date(year, 1, 15), year, start)
    opening.add_agencies(first_people, first_money, _ARREARS_FIRST)
    own = _Decision(f"31/QĐ-GIADINH-{year}", date(year, 2, 5), year, start)
    own.add_officers(officers.codes, officer.people, shares * 0.98)
    revised = _Decision(f"287/QĐ-GIADINH-{year}", date(year, 11, 9), year, date(year, 11, 1))
    revised.add_agencies(people, money, _ARREARS_REVISED)
    revised.add_officers(officers.codes, officer.people, shares)
    coming = _Decision(f"9/QĐ-GIADINH-{year + 1}", date(year + 1, 1, 14), year + 1,
                       date(year + 1, 1, 1))  # fmt: skip
    coming.add_agencies(people * 1.03, money * 1.06, _ARREARS_REVISED)
    nine = 9 * 3_600
    january, february = timeline.month_start(0), timeline.month_start(1)
    november, next_year = timeline.month_start(10), timeline.month_start(12)
    return [
        PlanFile(january + 19 * DAY + nine, f"KE_HOACH_{year}_dau_nam.xlsx", opening.lines),
        PlanFile(february + 8 * DAY + nine, f"KE_HOACH_{year}_can_bo.xlsx", own.lines),
        PlanFile(november + 11 * DAY + nine, f"KE_HOACH_{year}_dieu_chinh.xlsx", revised.lines),
        PlanFile(next_year + 17 * DAY + nine, f"KE_HOACH_{year + 1}_dau_nam.xlsx", coming.lines),
    ]
