"""The figures, from the specification alone, in exact arithmetic.

Readings where the specification leaves a doubt (others in `facts` and `knowledge`):

- a negative receivable is a denominator like any other: only 0 leaves the ratio open, and the
  verdict is that of the (then negative) ratio;
- the accounts of a month count the receivable to date of months before it also where the agency
  had no account then: such months add 0;
- an arrears row's target is the plan in force of its group, at a cutoff too.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tests.oracle.facts import COLLECTIONS, SCHEMES, Facts
from tests.oracle.knowledge import LOCAL, PlanLine, known
from tests.oracle.model import Measures, Observation, Row

PLAN_MEASURES = {
    "participants_si_compulsory": "NGUOI_BHXH_BB",
    "participants_si_voluntary": "NGUOI_BHXH_TN",
    "participants_ui": "NGUOI_BHTN",
    "participants_hi": "NGUOI_BHYT",
    "collection_si_compulsory": "THU_BHXH_BB",
    "collection_si_voluntary": "THU_BHXH_TN",
    "collection_ui": "THU_BHTN",
    "collection_hi": "THU_BHYT",
    "collection_total": "THU_TONG",
    "arrears_ratio_si": "NO_BHXH",
    "arrears_ratio_ui": "NO_BHTN",
    "arrears_ratio_hi": "NO_BHYT",
    "arrears_ratio_total": "NO_TONG",
}
COLLECTION_OF_GROUP = {
    "si": "collection_si_compulsory",
    "ui": "collection_ui",
    "hi": "collection_hi",
    "total": "collection_total",
}
VARIANTS = (
    "total_receivable",
    "total_plan",
    "interest_bearing_receivable",
    "interest_bearing_plan",
)
DEFAULT_MEASURES = Measures()

Figures = dict[tuple[Any, ...], dict[str, Any]]


def attainment(
    observations: Sequence[Observation],
    as_known_at: datetime,
    event_cutoff: datetime | None = None,
    first_year: int = 2021,
    config: Measures = DEFAULT_MEASURES,
) -> Figures:
    """Every row of the monthly attainment, by (agency, month, metric), all columns."""
    recomputation = _Recomputation(observations, as_known_at, event_cutoff, first_year, config)
    return {
        (agency, month, metric): recomputation.attainment_row(agency, month, metric)
        for agency, month in recomputation.universe
        for metric in PLAN_MEASURES
    }


def arrears_ratio(
    observations: Sequence[Observation],
    as_known_at: datetime,
    event_cutoff: datetime | None = None,
    first_year: int = 2021,
    config: Measures = DEFAULT_MEASURES,
) -> Figures:
    """Every row of the arrears ratios, by (agency, month, group, variant), all columns."""
    recomputation = _Recomputation(observations, as_known_at, event_cutoff, first_year, config)
    return {
        (agency, month, group, variant): recomputation.arrears_row(agency, month, group, variant)
        for agency, month in recomputation.universe
        for group in COLLECTION_OF_GROUP
        for variant in VARIANTS
    }


class _Arrears(NamedTuple):
    numerator: int | None
    denominator: Decimal | None
    ratio: Fraction | None
    is_met: bool | None


class _Recomputation:
    def __init__(
        self,
        observations: Sequence[Observation],
        as_known_at: datetime,
        event_cutoff: datetime | None,
        first_year: int,
        config: Measures,
    ) -> None:
        self.config = config
        self.cutoff = event_cutoff
        self.state = known(observations, as_known_at)
        months = list(_months(date(first_year, 1, 1), self.state.business_date))
        self.universe = [
            (code, month)
            for (code,), agency in self.state.accepted["co_quan"].items()
            for month in months
            if _touches(agency, month)
        ]
        self.facts = Facts(self.state, months, event_cutoff, config)

    def attainment_row(self, agency: str, month: date, metric: str) -> dict[str, Any]:
        plan = self._plan_in_force(agency, metric, month)
        original = self._plans(agency, metric, month.year)[:1]
        numerator: int | None = None
        denominator: Decimal | None = None
        actual: Fraction | None
        in_month: Fraction | None
        if metric in COLLECTIONS:
            collected = self.facts.collected
            in_month = Fraction(collected[agency, month, metric])
            actual = Fraction(sum(collected[agency, m, metric] for m in _year_to(month)))
            is_met = None if plan is None else actual >= Fraction(plan)
        elif metric in SCHEMES.values():
            actual = in_month = Fraction(len(self.facts.heads[agency, month, metric]))
            is_met = None if plan is None else actual >= Fraction(plan)
        else:
            group = metric.removeprefix("arrears_ratio_")
            official = self.config.variant_of(month)
            numerator, denominator, actual, is_met = self._arrears(agency, month, group, official)
            in_month = actual
        attained = actual / Fraction(plan) if actual is not None and plan else None
        return {
            "agency_code": agency,
            "month": month,
            "metric_code": metric,
            "actual_month": nine_decimals(in_month),
            "actual_to_date": nine_decimals(actual),
            "numerator": numerator,
            "denominator": denominator,
            "plan_original": _target(metric, original[0]) if original else None,
            "plan_in_force": plan,
            "attainment_ratio": nine_decimals(attained),
            "is_met": is_met,
            "quarantined_money": self.facts.quarantined[agency, month, metric],
            "quarantined_to_date": self.facts.quarantined_to_date(agency, month, metric),
            "known_at": self.state.known_at,
        }

    def arrears_row(self, agency: str, month: date, group: str, variant: str) -> dict[str, Any]:
        arrears = self._arrears(agency, month, group, variant)
        return {
            "agency_code": agency,
            "month": month,
            "group_code": group,
            "variant_code": variant,
            "numerator": arrears.numerator,
            "denominator": arrears.denominator,
            "ratio": nine_decimals(arrears.ratio),
            "is_met": arrears.is_met,
            "is_official": variant == self.config.variant_of(month),
        }

    def _arrears(self, agency: str, month: date, group: str, variant: str) -> _Arrears:
        if (agency, month) not in self.facts.with_accounts:
            return _Arrears(None, None, None, None)
        owed = self.facts.owed
        parts = ("si", "ui", "hi") if group == "total" else (group,)
        if variant.startswith("interest_bearing_"):
            numerator = sum(owed[agency, month, part].interest_bearing for part in parts)
        else:
            numerator = sum(owed[agency, month, part].arrears for part in parts)
        if variant.endswith("_plan"):
            denominator = self._plan_in_force(agency, COLLECTION_OF_GROUP[group], month)
        else:
            to_date = [owed[agency, m, part] for m in _year_to(month) for part in parts]
            denominator = Decimal(sum(sums.receivable for sums in to_date))
        ratio = Fraction(numerator) / Fraction(denominator) if denominator else None
        target = self._plan_in_force(agency, f"arrears_ratio_{group}", month)
        is_met = None if ratio is None or target is None else ratio < Fraction(target)
        return _Arrears(numerator, denominator, ratio, is_met)

    def _plans(self, agency: str, metric: str, year: int) -> list[PlanLine]:
        return self.state.plans.get((agency, PLAN_MEASURES[metric], year), [])

    def _plan_in_force(self, agency: str, metric: str, month: date) -> Decimal | None:
        judged_on = _last_day(month)
        if self.cutoff is not None:
            judged_on = min(judged_on, self.cutoff.astimezone(LOCAL).date())
        begun = [p for p in self._plans(agency, metric, month.year) if p.effective <= judged_on]
        return _target(metric, begun[-1]) if begun else None


def nine_decimals(exact: Fraction | None) -> Decimal | None:
    """Rounded once to 9 decimals, halves away from zero."""
    if exact is None:
        return None
    units = int(abs(exact) * 10**9 + Fraction(1, 2))
    return Decimal(units if exact >= 0 else -units).scaleb(-9)


def _target(metric: str, line: PlanLine) -> Decimal:
    return line.value.scaleb(-2) if metric.startswith("arrears_ratio_") else line.value


def _months(first: date, last: date) -> Iterator[date]:
    month = first
    while month <= last:
        yield month
        month = _last_day(month) + timedelta(days=1)


def _year_to(month: date) -> list[date]:
    return [month.replace(month=m) for m in range(1, month.month + 1)]


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _touches(agency: Row, month: date) -> bool:
    begun = agency["hieu_luc_tu"] is None or agency["hieu_luc_tu"] <= _last_day(month)
    return begun and (agency["hieu_luc_den"] is None or agency["hieu_luc_den"] >= month)
