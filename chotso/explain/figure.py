"""One figure: its identity, its row in a state, and the exact sums that it is made of."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.calendar import local_date, local_instant, month_after
from chotso.errors import ChotsoError
from chotso.explain.states import State

FIGURES = (
    "actual_month",
    "actual_to_date",
    "numerator",
    "denominator",
    "plan_in_force",
    "attainment_ratio",
)
"""Columns of `fct_monthly_attainment` that are explained."""

Numbers = dict[str, Decimal | None]
FigureKind = Literal["flow", "stock", "ratio"]
ITEM_FIGURES: dict[FigureKind, tuple[str, str]] = {
    "flow": ("actual_month", "actual_to_date"),
    "stock": ("actual_month", "actual_to_date"),
    "ratio": ("numerator", "denominator"),
}
"""The two columns to which an item adds đồng or persons."""


@dataclass(frozen=True)
class Figure:
    """An agency's metric in a month, with the metric's attributes from the register.

    Events at or after `event_cutoff` do not count.
    """

    agency_code: str
    metric_code: str
    month: date
    kind: FigureKind
    scheme_code: str | None
    group_code: str | None
    denominator_metric_code: str | None
    event_cutoff: datetime | None = None

    @property
    def plan_limit_date(self) -> date:
        """The last day on which a plan may have taken effect: the month's end, or the cutoff."""
        last_day = month_after(self.month) - timedelta(days=1)
        return min(last_day, local_date(self.event_cutoff)) if self.event_cutoff else last_day

    def is_before_cutoff(self, happened_at: datetime | None) -> bool:
        """Whether an event counts that happened or was recorded at this instant."""
        return self.event_cutoff is None or (
            happened_at is not None and happened_at < self.event_cutoff
        )

    @property
    def year_start(self) -> date:
        """January of the month's year."""
        return self.month.replace(month=1)

    @property
    def groups(self) -> list[str]:
        """The fund groups of a ratio; `total` is all three."""
        return ["si", "ui", "hi"] if self.group_code == "total" else [self.group_code or ""]


@dataclass(frozen=True)
class FigureSums:
    """The exact sums that a figure is made of, in whole đồng and persons.

    Attributes:
        amounts: Sums over items: of the month and to date (flows, stocks), or arrears and
            receivable (ratios).
        accounts: Number of accounts × groups of the month. With none, a ratio has no figure.
        plan: Plan in force (a fraction for ratios).
        is_by_plan: Whether the ratio's variant divides by a plan instead of the receivable.
        divisor_plan: That plan.
    """

    kind: FigureKind
    amounts: tuple[int, int] = (0, 0)
    accounts: int = 0
    plan: Decimal | None = None
    is_by_plan: bool = False
    divisor_plan: Decimal | None = None

    def plus(self, amounts: tuple[int, int], accounts: int) -> "FigureSums":
        """The sums with amounts and accounts added."""
        first, second = self.amounts
        return replace(
            self,
            amounts=(first + amounts[0], second + amounts[1]),
            accounts=self.accounts + accounts,
        )

    def numbers(self) -> Numbers:
        """The explained columns, as the mart shows them."""
        first, second = (Decimal(amount) for amount in self.amounts)
        empty: Numbers = dict.fromkeys(FIGURES)
        if self.kind != "ratio":
            return empty | {
                "actual_month": first,
                "actual_to_date": second,
                "plan_in_force": self.plan,
                "attainment_ratio": exact_ratio(second, self.plan),
            }
        if self.accounts == 0:
            return empty | {"plan_in_force": self.plan}
        divisor = self.divisor_plan if self.is_by_plan else second
        ratio = exact_ratio(first, divisor)
        judged = None if divisor is None or self.plan is None else (divisor, self.plan)
        return {
            "actual_month": ratio,
            "actual_to_date": ratio,
            "numerator": first,
            "denominator": divisor,
            "plan_in_force": self.plan,
            "attainment_ratio": exact_ratio(first, *judged) if judged else None,
        }


def exact_ratio(numerator: Decimal, *divisors: Decimal | None) -> Decimal | None:
    """The quotient, rounded once to 9 decimals, half away from zero; None if a divisor is 0."""
    product = Fraction(1)
    for divisor in divisors:
        if not divisor:
            return None
        product *= Fraction(divisor)
    exact = Fraction(numerator) / product
    units = int(abs(exact) * 10**9 + Fraction(1, 2))
    return Decimal(units if exact >= 0 else -units).scaleb(-9)


def difference(after: Numbers, before: Numbers) -> dict[str, Decimal]:
    """The change of each column; a missing figure counts as 0."""
    zero = Decimal(0)
    return {name: (after[name] or zero) - (before[name] or zero) for name in FIGURES}


def find_figure(
    conn: psycopg.Connection, state: State, agency_code: str, metric_code: str, month: date
) -> Figure:
    """Find a figure by agency, metric and month.

    Raises:
        ChotsoError: The state shows no such figure; what is nearest is named.
    """
    metrics = {row["metric_code"]: row for row in _rows(conn, state, "dim_metric")}
    if metric_code not in metrics:
        raise _unknown("metric", metric_code, metrics)
    metric = metrics[metric_code]
    figure = Figure(
        agency_code=agency_code,
        metric_code=metric_code,
        month=month.replace(day=1),
        kind=metric["kind_code"],
        scheme_code=metric["scheme_code"],
        group_code=metric["group_code"],
        denominator_metric_code=metric["denominator_metric_code"],
        event_cutoff=state.event_cutoff,
    )
    if shown_row(conn, state, figure) is None:
        _refuse_not_shown(conn, state, figure)
    return figure


def shown_row(conn: psycopg.Connection, state: State, figure: Figure) -> dict[str, Any] | None:
    """The figure's row in `fct_monthly_attainment`; None if the state does not have it."""
    query = sql.SQL(
        "select * from {} where agency_code = %s and month = %s and metric_code = %s"
    ).format(sql.Identifier(state.schema, "fct_monthly_attainment"))
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            query, [figure.agency_code, figure.month, figure.metric_code]
        ).fetchone()


def numbers_of(row: dict[str, Any]) -> Numbers:
    """The explained columns of a row."""
    return {name: row[name] for name in FIGURES}


def _rows(conn: psycopg.Connection, state: State, table: str) -> list[dict[str, Any]]:
    query = sql.SQL("select * from {}").format(sql.Identifier(state.schema, table))
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _refuse_not_shown(conn: psycopg.Connection, state: State, figure: Figure) -> None:
    rows = conn.execute(
        sql.SQL("select distinct agency_code, to_char(month, 'YYYY-MM') from {}").format(
            sql.Identifier(state.schema, "fct_monthly_attainment")
        )
    ).fetchall()
    agencies = {agency for agency, _ in rows}
    if figure.agency_code not in agencies:
        raise _unknown("agency", figure.agency_code, agencies)
    months = sorted(month for agency, month in rows if agency == figure.agency_code)
    raise ChotsoError(
        f"{figure.agency_code} has no row of {figure.month:%Y-%m} as known at "
        f"{local_instant(state.as_known_at)}: its months are {months[0]} to {months[-1]}.",
        next_step="name one of those months with --month, or another instant with --known-at.",
    )


def _unknown(what: str, name: str, known: Iterable[str]) -> ChotsoError:
    choices = sorted(known)
    begun = [choice for choice in choices if choice.startswith(name[:4])]
    nearest = difflib.get_close_matches(name, begun or choices, n=15, cutoff=0.6)
    nearest = sorted(nearest) or begun or choices
    return ChotsoError(
        f"There is no {what} {name!r} in these figures.",
        next_step=f"name one of: {', '.join(nearest[:15])}.",
    )
