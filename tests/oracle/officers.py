"""The officers' figures, from the specification alone, in exact arithmetic.

Readings where the specification leaves a doubt:

- of assignments that overlap, the one that began last counts on a day; when it ends, an earlier one
  that still runs counts again;
- an officer's own agency is the one that the register names now, for every month;
- whoever has facts to date in the year is shown from the month of the first one to its end, in the
  agencies of the register, in force or not; a spell is a fact of each month in which it is active;
- an officer's plans stand on the row of the own agency alone, also where that is out of force but
  shown for its facts.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.facts import C12_SUFFIXES, GROUP_FUNDS, SCHEMES, collections_of
from tests.oracle.knowledge import LOCAL, Account, Knowledge, known, local_month
from tests.oracle.model import Measures, Observation, Row
from tests.oracle.recompute import (
    COLLECTION_OF_GROUP,
    DEFAULT_MEASURES,
    PLAN_MEASURES,
    Figures,
    nine_decimals,
)

OFFICER_KEY = ("agency_code", "officer_code", "month", "metric_code")
UNASSIGNED = "unassigned"
GROUPS = ("si", "ui", "hi")

_Revision = tuple[date, date, str, Decimal]


def officer_attainment(
    observations: Sequence[Observation],
    as_known_at: datetime,
    event_cutoff: datetime | None = None,
    first_year: int = 2021,
    config: Measures = DEFAULT_MEASURES,
) -> Figures:
    """Every row of the officers' attainment, by (agency, officer, month, metric), all columns."""
    state = known(observations, as_known_at)
    seen = [o for o in observations if o.known_at <= as_known_at]
    work = _Officers(state, _plans(seen), event_cutoff, first_year, config)
    return {
        (agency, officer, month, metric): work.row(agency, officer, month, metric)
        for agency, officer, month in sorted(work.universe())
        for metric in PLAN_MEASURES
    }


class _Officers:
    def __init__(
        self,
        state: Knowledge,
        plans: dict[tuple[str, str, int], list[_Revision]],
        cutoff: datetime | None,
        first_year: int,
        config: Measures,
    ) -> None:
        self.state, self.cutoff, self.config, self.plans = state, cutoff, config, plans
        self.months = list(_months(date(first_year, 1, 1), state.business_date))
        self.assignments: dict[str, list[Row]] = defaultdict(list)
        for assignment in state.accepted["phan_cong"].values():
            self.assignments[assignment["ma_don_vi"]].append(assignment)
        self.own = {code: row["ma_co_quan"] for (code,), row in state.accepted["can_bo"].items()}
        self.collected: dict[tuple[str, str, date, str], int] = defaultdict(int)
        self.heads: dict[tuple[str, str, date, str], set[str]] = defaultdict(set)
        self.accounts: dict[tuple[str, str, date], list[tuple[str, Account]]] = defaultdict(list)
        self.facts: set[tuple[str, str, date]] = set()
        self._collect()
        self._count()
        for account in state.accounts.values():
            if account.month in self.months:
                officer = self.officer(account.employer_code, self._judged_on(account.month))
                key = (account.agency_code, officer, account.month)
                self.accounts[key].append((account.employer_code, account))
                self.facts.add(key)
        self.added_back = self._added_back()

    def officer(self, employer: str | None, day: date) -> str:
        running = [
            (a["tu_ngay"], a["ma_can_bo"])
            for a in self.assignments.get(employer or "", [])
            if a["tu_ngay"] <= day and (a["den_ngay"] is None or day <= a["den_ngay"])
        ]
        return str(max(running)[1]) if running else UNASSIGNED

    def universe(self) -> set[tuple[str, str, date]]:
        shown: set[tuple[str, str, date]] = set()
        for (code,), agency in self.state.accepted["co_quan"].items():
            officers = [officer for officer, own in self.own.items() if own == code]
            officers += [UNASSIGNED] if agency["cap"] != 1 else []
            begun = agency["hieu_luc_tu"] or date.min
            ended = agency["hieu_luc_den"] or date.max
            in_force = [m for m in self.months if begun <= _last_day(m) and m <= ended]
            shown |= {(code, officer, month) for officer in officers for month in in_force}
        for agency_code, officer, first in self.facts:
            if (agency_code,) in self.state.accepted["co_quan"]:
                rest = [m for m in self.months if m.year == first.year and m >= first]
                shown |= {(agency_code, officer, month) for month in rest}
        return shown

    def row(self, agency: str, officer: str, month: date, metric: str) -> dict[str, Any]:
        is_own = self.own.get(officer) == agency
        revisions = self.plans.get((officer, metric, month.year), []) if is_own else []
        plan = self._in_force(revisions, month)
        numerator: int | None = None
        denominator: Decimal | None = None
        actual: Fraction | None
        of_month: Fraction | None
        if metric.startswith("arrears_ratio_"):
            group = metric.removeprefix("arrears_ratio_")
            numerator, denominator = self._arrears(agency, officer, month, group)
            divides = numerator is not None and denominator
            of_month = actual = (
                Fraction(numerator or 0) / Fraction(denominator or 1) if divides else None
            )
            is_met = None if actual is None or plan is None else actual < Fraction(plan)
        elif metric.startswith("participants_"):
            of_month = actual = Fraction(len(self.heads[agency, officer, month, metric]))
            is_met = None if plan is None else actual >= Fraction(plan)
        else:
            of_month = Fraction(self.collected[agency, officer, month, metric])
            to_date = [self.collected[agency, officer, m, metric] for m in _year_to(month)]
            actual = Fraction(sum(to_date))
            is_met = None if plan is None else actual >= Fraction(plan)
        return {
            "agency_code": agency,
            "officer_code": officer,
            "month": month,
            "metric_code": metric,
            "actual_month": nine_decimals(of_month),
            "actual_to_date": nine_decimals(actual),
            "numerator": numerator,
            "denominator": denominator,
            "plan_original": revisions[0][3] if revisions else None,
            "plan_in_force": plan,
            "plan_final": revisions[-1][3] if revisions else None,
            "attainment_ratio": nine_decimals(
                actual / Fraction(plan) if actual is not None and plan else None
            ),
            "is_met": is_met,
            "known_at": self.state.known_at,
            "is_own_agency": is_own,
            "plan_status_code": _status(revisions, plan),
        }

    def _in_force(self, revisions: list[_Revision], month: date) -> Decimal | None:
        begun = [r for r in revisions if r[0] <= self._judged_on(month)]
        return begun[-1][3] if begun else None

    def _judged_on(self, month: date) -> date:
        if self.cutoff is None:
            return _last_day(month)
        return min(_last_day(month), self.cutoff.astimezone(LOCAL).date())

    def _collect(self) -> None:
        lines: dict[str, list[Row]] = defaultdict(list)
        for line in self.state.accepted["phan_bo"].values():
            lines[line["so_chung_tu"]].append(line)
        for document in self.state.accepted["chung_tu"].values():
            late = self.cutoff is not None and document["ngay_ghi_co"] >= self.cutoff
            if late or document["trang_thai"] != "HIEU_LUC":
                continue
            month = local_month(document["ngay_ghi_co"])
            day = document["ngay_ghi_co"].astimezone(LOCAL).date()
            officer = self.officer(document["ma_don_vi"], day)
            for line in lines[document["so_chung_tu"]]:
                money = line["tien_goc"]
                if self.config.interest_counts_in(month):
                    money += line["tien_lai"]
                key = (document["ma_co_quan"], officer, month)
                self.facts.add(key)
                for metric in collections_of(line["quy"]):
                    self.collected[(*key, metric)] += money

    def _count(self) -> None:
        for spell in self.state.accepted["tham_gia"].values():
            late = self.cutoff is not None and spell["ngay_nhap"] >= self.cutoff
            if late or spell["trang_thai"] != "HIEU_LUC":
                continue
            for month in self.months:
                if spell["tu_thang"] <= month <= (spell["den_thang"] or date.max):
                    officer = self.officer(spell["ma_don_vi"], self._judged_on(month))
                    key = (spell["ma_co_quan"], officer, month)
                    self.facts.add(key)
                    self.heads[(*key, SCHEMES[spell["loai"]])].add(spell["ma_so_bhxh"])

    def _added_back(self) -> dict[tuple[str, date, str], list[tuple[datetime, int]]]:
        found: dict[tuple[str, date, str], list[tuple[datetime, int]]] = defaultdict(list)
        if self.cutoff is None:
            return found
        documents = self.state.accepted["chung_tu"]
        for line in self.state.accepted["phan_bo"].values():
            document = documents.get((line["so_chung_tu"],))
            if document is None or document["trang_thai"] != "HIEU_LUC":
                continue
            month = local_month(document["ngay_ghi_co"])
            if document["ngay_ghi_co"] >= self.cutoff and month == local_month(self.cutoff):
                for group in GROUPS:
                    if line["quy"] in GROUP_FUNDS[group]:
                        entry = (document["ngay_nhap"], line["tien_goc"])
                        found[document["ma_don_vi"], month, group].append(entry)
        return found

    def _arrears(
        self, agency: str, officer: str, month: date, group: str
    ) -> tuple[int | None, Decimal | None]:
        of_month = self.accounts.get((agency, officer, month), [])
        if not of_month:
            return None, None
        groups = GROUPS if group == "total" else (group,)
        variant = self.config.variant_of(month)
        owed = 0
        for employer, account in of_month:
            for part in groups:
                back = self.added_back[employer, month, part]
                closing = _money(account, "_ck_", 0, part)
                closing += sum(money for at, money in back if at <= account.stated_at)
                if variant.startswith("interest_bearing"):
                    closing -= _money(account, "_ps_", 1, part)
                owed += max(closing, 0)
        if variant.endswith("_plan"):
            key = (officer, COLLECTION_OF_GROUP[group], month.year)
            is_own = self.own.get(officer) == agency
            return owed, self._in_force(self.plans.get(key, []) if is_own else [], month)
        due = sum(
            _money(account, "_ps_", 1, part)
            + _money(account, "_bst_", 1, part)
            - _money(account, "_bsg_", 1, part)
            for earlier in _year_to(month)
            for _, account in self.accounts.get((agency, officer, earlier), [])
            for part in groups
        )
        return owed, Decimal(due)


def _money(account: Account, prefix: str, which: int, group: str) -> int:
    return int(account.row.get(prefix + C12_SUFFIXES[group][which]) or 0)


def _plans(seen: Sequence[Observation]) -> dict[tuple[str, str, int], list[_Revision]]:
    """Officers' plans in the order of revisions, targets of arrears as fractions."""
    names = {measure: metric for metric, measure in PLAN_MEASURES.items()}
    values: dict[tuple[Any, ...], Decimal] = {}
    for observation in sorted(seen, key=lambda o: o.known_at):
        for file in sorted(observation.plan_files, key=lambda f: f.name):
            for row in file.rows:
                if row["loai_doi_tuong"] == "CAN_BO":
                    revision = (row["hieu_luc_tu"], row["ngay_ky"], row["so_quyet_dinh"])
                    key = (row["ma_doi_tuong"], names[row["chi_tieu"]], row["nam"], revision)
                    values[key] = Decimal(str(row["gia_tri"]))
    plans: dict[tuple[str, str, int], list[_Revision]] = defaultdict(list)
    for (officer, metric, year, (effective, signed, decision)), value in values.items():
        target = value / 100 if metric.startswith("arrears_ratio_") else value
        plans[officer, metric, year].append((effective, signed, decision, target))
    for revisions in plans.values():
        revisions.sort()
    return plans


def _status(revisions: list[_Revision], plan: Decimal | None) -> str:
    if not revisions:
        return "none"
    if plan is None:
        return "not_yet"
    return "in_force" if plan else "zero"


def _months(first: date, last: date) -> Iterator[date]:
    month = first
    while month <= last:
        yield month
        month = _last_day(month) + timedelta(days=1)


def _year_to(month: date) -> list[date]:
    return [month.replace(month=number) for number in range(1, month.month + 1)]


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
