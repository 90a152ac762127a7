"""The items of a figure in one state: lines, persons or accounts, and the plan lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.explain.figure import Figure, FigureSums, numbers_of, shown_row
from chotso.explain.queries import Row, ask, keep
from chotso.explain.states import State

Plans = dict[tuple[str, str, int], list[Row]]


@dataclass(frozen=True)
class Item:
    """One line, person, account × group or plan line, and what it adds to the figure.

    Attributes:
        kind: `line`, `person` or `account`.
        key: What identifies it.
        amounts: What it adds to the month and to date; to numerator and denominator of a ratio.
        accounts: 1 for an account of the month itself.
        details: Columns for an auditor, with `batch_ids`.
    """

    kind: str
    key: tuple[Any, ...]
    amounts: tuple[int, int]
    accounts: int
    details: Row


@dataclass(frozen=True)
class RatioBasis:
    """How a ratio of a month is computed under a state's configuration."""

    is_interest_bearing: bool
    is_by_plan: bool


def basis_of(conn: psycopg.Connection, state: State, month: date) -> RatioBasis:
    """The official way to compute ratios of a month, in a state that has the month."""
    row = conn.execute(
        sql.SQL("select official_variant_code from {} where month = %s").format(
            sql.Identifier(state.schema, "dim_month")
        ),
        [month],
    ).fetchone()
    variant = (row[0] if row else None) or "total_receivable"
    return RatioBasis(variant.startswith("interest_bearing_"), variant.endswith("_plan"))


@dataclass(frozen=True)
class ItemsTotal:
    """The sums of all items of a figure."""

    item_count: int
    amounts: tuple[int, int]
    accounts: int


def items_of(
    conn: psycopg.Connection, state: State, figure: Figure, basis: RatioBasis
) -> list[Item]:
    """All items that the figure counts in a state, even if the state does not show the figure."""
    rows = ask(conn, f"items_{figure.kind}", _values(figure), state=state)
    return _made(rows, figure, basis)


def greatest_items(
    conn: psycopg.Connection, state: State, figure: Figure, basis: RatioBasis, lines: int
) -> tuple[list[Item], ItemsTotal]:
    """The greatest items, and the total of all items, which is summed in the database."""
    keep(conn, "items", f"items_{figure.kind}", _values(figure), state=state)
    values: Row = {
        "month": figure.month,
        "is_interest_bearing": basis.is_interest_bearing,
        "is_by_plan": basis.is_by_plan,
        "lines": lines,
    }
    (total,) = ask(conn, f"totals_{figure.kind}", values)
    items = _made(ask(conn, f"top_{figure.kind}", values), figure, basis)
    amounts = (int(total["first_amount"]), int(total["second_amount"]))
    return items, ItemsTotal(total["item_count"], amounts, total["account_count"])


def total_of(items: list[Item]) -> ItemsTotal:
    """The total of the given items."""
    first, second = (sum(item.amounts[position] for item in items) for position in (0, 1))
    return ItemsTotal(len(items), (first, second), sum(item.accounts for item in items))


def _values(figure: Figure) -> Row:
    return {
        "agency_code": figure.agency_code,
        "metric_code": figure.metric_code,
        "scheme_code": figure.scheme_code,
        "groups": figure.groups,
        "year_start": figure.year_start,
        "month": figure.month,
        "event_cutoff": figure.event_cutoff,
    }


def _made(rows: list[Row], figure: Figure, basis: RatioBasis) -> list[Item]:
    made = {"flow": _lines, "stock": _persons, "ratio": _accounts}[figure.kind]
    return list(made(rows, figure, basis))


def _lines(rows: list[Row], figure: Figure, _: RatioBasis) -> Iterator[Item]:
    for row in rows:
        money = int(row["collected_vnd"])
        of_month = money if row["credited_month"] == figure.month else 0
        batch_ids = {"document": row.pop("document_batch_id"), "line": row.pop("line_batch_id")}
        key = (row["document_code"], row["line_number"])
        yield Item("line", key, (of_month, money), 0, row | {"batch_ids": batch_ids})


def _persons(rows: list[Row], _: Figure, __: RatioBasis) -> Iterator[Item]:
    spells: dict[str, list[Row]] = {}
    for row in rows:
        row["batch_ids"] = {"spell": row.pop("batch_id")}
        spells.setdefault(row.pop("person_id"), []).append(row)
    for person, found in spells.items():
        yield Item("person", (person,), (1, 1), 0, {"person_id": person, "spells": found})


def _accounts(rows: list[Row], figure: Figure, basis: RatioBasis) -> Iterator[Item]:
    for row in rows:
        is_of_month = row["month"] == figure.month
        arrears = "interest_bearing_arrears_vnd" if basis.is_interest_bearing else "arrears_vnd"
        numerator = int(row[arrears]) if is_of_month else 0
        denominator = 0 if basis.is_by_plan else int(row["receivable_vnd"])
        row["batch_ids"] = {"account": row.pop("batch_id")}
        key = (row["employer_code"], row["month"], row["group_code"])
        yield Item("account", key, (numerator, denominator), int(is_of_month), row)


def plans_of(conn: psycopg.Connection, state: State) -> Plans:
    """All plan lines of agencies by (agency, metric, year), in the order of revisions."""
    plans: Plans = {}
    for row in ask(conn, "plans", {}, state=state):
        key = (row["agency_code"], row["metric_code"], row["plan_year"])
        plans.setdefault(key, []).append(row)
    return plans


def plan_lines(plans: Plans, figure: Figure, metric_code: str | None) -> list[Row]:
    """The plan lines of the figure's agency and year for a metric, in the order of revisions."""
    if metric_code is None:
        return []
    return plans.get((figure.agency_code, metric_code, figure.month.year), [])


def in_force(lines: list[Row], last_day: date) -> Row | None:
    """The plan line in force on a day: the last one that had taken effect."""
    begun = [line for line in lines if line["effective_from_date"] <= last_day]
    return begun[-1] if begun else None


def plan_value(plans: Plans, figure: Figure, metric_code: str | None) -> Decimal | None:
    """The plan in force of a metric at the figure's agency and month."""
    line = in_force(plan_lines(plans, figure, metric_code), figure.plan_limit_date)
    return None if line is None else line["plan_value"]


def sums_of(figure: Figure, total: ItemsTotal, plans: Plans, basis: RatioBasis) -> FigureSums:
    """The exact sums of items and plan lines."""
    divisor = figure.denominator_metric_code if basis.is_by_plan else None
    return FigureSums(
        kind=figure.kind,
        amounts=total.amounts,
        accounts=total.accounts,
        plan=plan_value(plans, figure, figure.metric_code),
        is_by_plan=basis.is_by_plan,
        divisor_plan=plan_value(plans, figure, divisor),
    )


def refuse_unequal(conn: psycopg.Connection, state: State, figure: Figure, sums: FigureSums) -> Row:
    """The figure's row, after checking that it is equal to the sums of its items.

    Raises:
        ChotsoError: It is not, which must not happen.
    """
    row = shown_row(conn, state, figure)
    assert row is not None
    shown, made = numbers_of(row), sums.numbers()
    wrong = [name for name, value in shown.items() if value != made[name]]
    if wrong:
        told = "; ".join(f"{n}: {made[n]} from its items, {shown[n]} shown" for n in wrong)
        raise ChotsoError(
            f"The items of {figure.agency_code} {figure.metric_code} {figure.month:%Y-%m} "
            f"do not add up to the figure ({told}).",
            kept="nothing is explained.",
            next_step=f"report this with schema {state.schema}: it must not happen.",
        )
    return row
