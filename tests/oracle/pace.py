"""What of a year's plan is due by a day, and how a figure stands, in exact arithmetic.

Readings where the specification leaves a doubt:

- a figure of January that is not shown (the agency began later) is 0;
- persons above their plan in January have nothing to grow: the plan is due on every day;
- January's own persons are due as of its end, also on the days before.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.recompute import Figures

Shares = Sequence[Decimal] | None
"""Twelve monthly shares of a year's plan, or None: linear by day."""


def last_day(month: date) -> date:
    """The last day of a month."""
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def is_arrears(metric: str) -> bool:
    """Whether a metric must stay below its target."""
    return metric.startswith("arrears_ratio_")


def due_to_date(
    metric: str,
    plan: Decimal | None,
    january: Decimal | None,
    month: date,
    business_date: date,
    shares: Shares = None,
) -> Fraction | None:
    """What of the year's plan is due by the month's last day that a night can know."""
    if plan is None or is_arrears(metric):
        return None if plan is None else Fraction(plan)
    day = min(last_day(month), business_date)
    first, last = date(month.year, 1, 1), date(month.year, 12, 31)
    if metric.startswith("participants_"):
        start = min(Fraction(january or 0), Fraction(plan))
        grows_from = date(month.year, 1, 31)
        passed = Fraction(max((day - grows_from).days, 0), (last - grows_from).days)
        return start + (Fraction(plan) - start) * passed
    if shares is None:
        return Fraction(plan) * Fraction((day - first).days + 1, (last - first).days + 1)
    of_month = Fraction(day.day, last_day(month).day) * Fraction(shares[month.month - 1])
    return Fraction(plan) * (sum(map(Fraction, shares[: month.month - 1])) + of_month)


def status(
    metric: str,
    exact: Fraction | None,
    plan: Decimal | None,
    due: Fraction | None,
    *,
    is_over: bool,
) -> str | None:
    """`met`, `on_track`, `behind`, `missed` or `no_plan`; None where there is no figure."""
    if plan is None or due is None:
        return "no_plan"
    if exact is None:
        return None
    if exact < Fraction(plan) if is_arrears(metric) else exact >= Fraction(plan):
        return "met"
    if is_over:
        return "missed"
    return "on_track" if not is_arrears(metric) and exact >= due else "behind"


def judged(
    figures: Figures,
    key: tuple[Any, ...],
    business_date: date,
    shares: Shares = None,
) -> dict[str, Any]:
    """What is due of one row of attainment, and its status; the key ends in month and metric."""
    *whose, month, metric = key
    row = figures[key]
    january = figures.get((*whose, date(month.year, 1, 1), metric), {}).get("actual_to_date")
    due = due_to_date(metric, row["plan_in_force"], january, month, business_date, shares)
    exact = None if row["actual_to_date"] is None else Fraction(row["actual_to_date"])
    if exact is not None and is_arrears(metric):
        exact = Fraction(row["numerator"]) / Fraction(row["denominator"])
    is_over = business_date >= date(month.year, 12, 31) and month.month == 12
    return {
        "due": due,
        "exact": exact,
        "status_code": status(metric, exact, row["plan_in_force"], due, is_over=is_over),
    }
