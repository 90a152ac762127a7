"""Splits the change of a figure between two states into parts by cause; they add up exactly."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import psycopg
from psycopg import sql

from chotso.explain.causes import (
    CAUSES,
    Aside,
    Cause,
    Context,
    Piece,
    account_pieces,
    line_pieces,
    person_pieces,
)
from chotso.explain.figure import (
    Figure,
    FigureKind,
    FigureSums,
    Numbers,
    difference,
    find_figure,
    numbers_of,
    shown_row,
)
from chotso.explain.items import (
    ItemsTotal,
    RatioBasis,
    basis_of,
    in_force,
    items_of,
    plan_lines,
    plans_of,
    refuse_unequal,
    sums_of,
    total_of,
)
from chotso.explain.pieces import other_values, whole, with_rest
from chotso.explain.queries import KeptTable, Row, ask, keep, table_of
from chotso.explain.states import State

_KEPT: dict[FigureKind, KeptTable] = {"flow": "lines", "stock": "spells", "ratio": "accounts"}


@dataclass(frozen=True)
class Part:
    """What one cause changed. The `pieces` add up to `change`, in đồng and persons."""

    cause: Cause
    change: dict[str, Decimal]
    pieces: list[Piece]


@dataclass(frozen=True)
class Since:
    """A figure's change between two states.

    Attributes:
        was_shown: Whether the earlier state shows the figure; if not, it begins with nothing.
        change: By column; a figure that is not there counts as nothing.
        parts: In the order in which causes are applied; their changes add up to `change`.
    """

    was_shown: bool
    before: Numbers
    after: Numbers
    change: dict[str, Decimal]
    parts: list[Part]


class Between:
    """Compares two states once, and then explains any number of figures.

    Args:
        conn: The session that keeps the differences in temporary tables.
        start: The earlier state, under the configuration of its time.
        base: The state at the same instant under the later configuration; may be `start` itself.
        end: The later state.
    """

    def __init__(self, conn: psycopg.Connection, start: State, base: State, end: State) -> None:
        self._conn, self._start, self._base, self._end = conn, start, base, end
        self._members = {state: _members(conn, state) for state in (base, end)}
        self._plans = {state: plans_of(conn, state) for state in {start, base, end}}
        self._funds = _funds(conn, end)
        self._interest_months = _interest_months(conn, end)
        self._plan_codes = _plan_codes(conn, end)
        self._aside = _aside(conn, start)
        self._keep_differences()

    def explain(self, agency_code: str, metric_code: str, month: date) -> Since:
        """Explain the change of a figure that the later state shows.

        Raises:
            ChotsoError: The later state does not show it.
        """
        figure = find_figure(self._conn, self._end, agency_code, metric_code, month)
        basis = basis_of(self._conn, self._end, figure.month)
        row = shown_row(self._conn, self._start, figure)
        base, opening = self._opening(figure, basis, was_shown=row is not None)
        before = numbers_of(row) if row else FigureSums(figure.kind).numbers()
        members = self._members_of(figure.agency_code)
        pieces = [*self._pieces(figure, basis, *members), *self._plan_pieces(figure, basis)]
        parts, end = self._parts(figure, base, opening, pieces, before, row is not None)
        after = numbers_of(refuse_unequal(self._conn, self._end, figure, end))
        return Since(row is not None, before, after, difference(after, before), parts)

    def own_pieces(self, figure: Figure) -> list[Piece]:
        """Differences of items that belong to the figure's own agency, also if it is a province.

        The later state need not show the figure.
        """
        own = frozenset({figure.agency_code})
        basis = basis_of(self._conn, self._end, figure.month)
        return [*self._pieces(figure, basis, own, own), *self._plan_pieces(figure, basis)]

    def touched(self) -> dict[str, set[str]]:
        """Per kind of figure, the agencies to which a differing item belongs or belonged."""
        found: dict[str, set[str]] = {}
        for kind, kept in _KEPT.items():
            rows = self._conn.execute(
                sql.SQL(
                    "select before_agency_code from {table} union "
                    "select after_agency_code from {table}"
                ).format(table=table_of(kept))
            )
            found[kind] = {agency for (agency,) in rows if agency is not None}
        return found

    def planned(self) -> set[str]:
        """The agencies of which a plan line differs."""
        base, end = self._plans[self._base], self._plans[self._end]
        return {key[0] for key in base.keys() | end.keys() if base.get(key) != end.get(key)}

    def provinces_of(self, agencies: set[str]) -> set[str]:
        """The agencies at which items of the given agencies count, in either state."""
        return {
            agency
            for members in self._members.values()
            for agency, counted in members.items()
            if counted & agencies
        }

    def _members_of(self, agency_code: str) -> tuple[frozenset[str], frozenset[str]]:
        before, after = (
            self._members[state].get(agency_code, frozenset()) for state in (self._base, self._end)
        )
        return before, after

    def _opening(
        self, figure: Figure, basis: RatioBasis, *, was_shown: bool
    ) -> tuple[FigureSums, list[Piece]]:
        """The figure's sums before the change, under the later configuration.

        The pieces say how the new configuration, or showing the figure for the first time, led to
        them.
        """
        if was_shown and self._start == self._base:
            row = shown_row(self._conn, self._base, figure)
            assert row is not None
            return self._shown_sums(figure, basis, row), []
        items = items_of(self._conn, self._base, figure, basis)
        sums = sums_of(figure, total_of(items), self._plans[self._base], basis)
        if not was_shown:
            return sums, [whole("newly_shown", item) for item in items]
        old_basis = basis_of(self._conn, self._start, figure.month)
        old = items_of(self._conn, self._start, figure, old_basis)
        refuse_unequal(
            self._conn,
            self._start,
            figure,
            sums_of(figure, total_of(old), self._plans[self._start], old_basis),
        )
        return sums, other_values(old, items)

    def _shown_sums(self, figure: Figure, basis: RatioBasis, row: Row) -> FigureSums:
        """The sums as the earlier row shows them, without reading its items.

        This is safe: after all differences are applied, the sums must be equal to the later row.
        """
        if figure.kind != "ratio":
            amounts = (int(row["actual_month"]), int(row["actual_to_date"]))
            accounts = 0
        else:
            values = {
                "agency_code": figure.agency_code,
                "groups": figure.groups,
                "month": figure.month,
                "year_start": figure.year_start,
            }
            (found,) = ask(self._conn, "accounts_counted", values, state=self._base)
            accounts = found["account_count"]
            receivable = 0 if basis.is_by_plan else int(found["receivable_vnd"])
            amounts = (int(row["numerator"] or 0), receivable)
        total = ItemsTotal(0, amounts, accounts)
        sums = sums_of(figure, total, self._plans[self._base], basis)
        refuse_unequal(self._conn, self._base, figure, sums)
        return sums

    def _pieces(
        self, figure: Figure, basis: RatioBasis, before: frozenset[str], after: frozenset[str]
    ) -> list[Piece]:
        context = Context(
            figure=figure,
            basis=basis,
            before_at=self._start.as_known_at,
            members_before=before,
            members_after=after,
            funds=self._funds.get(figure.metric_code, frozenset()),
            interest_months=self._interest_months,
            aside=self._aside,
        )
        values: Row = {
            "members": sorted(before | after),
            "funds": sorted(context.funds),
            "groups": figure.groups,
            "scheme_code": figure.scheme_code,
            "year_start": figure.year_start,
            "month": figure.month,
        }
        if figure.kind == "flow":
            return list(line_pieces(ask(self._conn, "lines_of_figure", values), context))
        if figure.kind == "stock":
            return list(person_pieces(ask(self._conn, "spells_of_figure", values), context))
        return list(account_pieces(ask(self._conn, "accounts_of_figure", values), context))

    def _plan_pieces(self, figure: Figure, basis: RatioBasis) -> list[Piece]:
        """Plan lines that took effect or were replaced.

        They have amounts only if the plan is the divisor of a ratio.
        """
        pieces = []
        codes = [figure.metric_code]
        if basis.is_by_plan and figure.denominator_metric_code:
            codes.append(figure.denominator_metric_code)
        for code in codes:
            lines = [
                in_force(plan_lines(self._plans[state], figure, code), figure.plan_limit_date)
                for state in (self._base, self._end)
            ]
            old, new = lines
            if old == new or (old and new and _same_plan(old, new)):
                continue
            is_aside = new is not None and self._is_plan_aside(new)
            pieces.append(
                Piece(
                    "released_from_quarantine" if is_aside else "plan_revised",
                    "plan_line",
                    (0, _divisor(old) if code != figure.metric_code else 0),
                    (0, _divisor(new) if code != figure.metric_code else 0),
                    details={
                        "metric_code": code,
                        "before": old,
                        "after": new,
                        "batch_ids_before": {"plan": old["batch_id"]} if old else {},
                        "batch_ids_after": {"plan": new["batch_id"]} if new else {},
                    },
                )
            )
        return pieces

    def _is_plan_aside(self, line: Row) -> bool:
        plan_code = self._plan_codes.get(line["metric_code"], "")
        effective = line["effective_from_date"].isoformat()
        key = ("plans", line["agency_code"], plan_code, effective, line["decision_code"])
        return key in self._aside

    def _parts(
        self, figure: Figure, base: FigureSums, opening: list[Piece], pieces: list[Piece],
        before: Numbers, was_shown: bool,
    ) -> tuple[list[Part], FigureSums]:  # fmt: skip
        """Apply the causes in order; the share of each is how much it changes the figure."""
        first: Cause = "configuration" if was_shown else "newly_shown"
        steps = [(first, opening, base)]
        sums = base
        for cause in list(CAUSES)[2:]:
            caused = [piece for piece in pieces if piece.cause == cause]
            sums = _applied(figure, sums, caused)
            steps.append((cause, caused, sums))
        shown, parts = before, []
        for cause, caused, reached in steps:
            now = reached.numbers()
            change = difference(now, shown)
            if caused or any(change.values()):
                parts.append(Part(cause, change, with_rest(figure, cause, caused, change)))
            shown = now
        return parts, sums

    def _keep_differences(self) -> None:
        before, after = (
            {(agency, member) for agency, members in of.items() for member in members}
            for of in (self._members[self._base], self._members[self._end])
        )
        moved = sorted({member for _, member in before ^ after})
        values: Row = {"moved": moved}
        for kept in _KEPT.values():
            name = f"changed_{kept}"
            keep(self._conn, kept, name, values, before=self._base, after=self._end)
        keep(self._conn, "account_sums", "account_sums", {}, base=self._base)


def _applied(figure: Figure, sums: FigureSums, pieces: list[Piece]) -> FigureSums:
    for piece in pieces:
        if piece.kind != "plan_line":
            sums = sums.plus(piece.change, piece.accounts)
            continue
        line = piece.details["after"]
        value = line["plan_value"] if line else None
        if piece.details["metric_code"] == figure.metric_code:
            sums = replace(sums, plan=value)
        else:
            sums = replace(sums, divisor_plan=value)
    return sums


def _members(conn: psycopg.Connection, state: State) -> dict[str, frozenset[str]]:
    rows = conn.execute(
        sql.SQL(
            "select agency_code, array_agg(member_agency_code) from {} group by agency_code"
        ).format(sql.Identifier(state.schema, "int_agency_members"))
    )
    return {agency: frozenset(members) for agency, members in rows}


def _funds(conn: psycopg.Connection, state: State) -> dict[str, frozenset[str]]:
    rows = conn.execute(
        sql.SQL("select metric_code, array_agg(fund_code) from {} group by metric_code").format(
            sql.Identifier(state.schema, "int_metric_funds")
        )
    )
    return {metric: frozenset(funds) for metric, funds in rows}


def _interest_months(conn: psycopg.Connection, state: State) -> frozenset[date]:
    rows = conn.execute(
        sql.SQL("select month from {} where is_interest_collected").format(
            sql.Identifier(state.schema, "dim_month")
        )
    )
    return frozenset(month for (month,) in rows)


def _plan_codes(conn: psycopg.Connection, state: State) -> dict[str, str]:
    rows = conn.execute(
        sql.SQL("select metric_code, plan_code from {}").format(
            sql.Identifier(state.schema, "dim_metric")
        )
    )
    return {metric: plan_code for metric, plan_code in rows}


def _aside(conn: psycopg.Connection, state: State) -> Aside:
    rows = ask(conn, "set_aside", {"as_known_at": state.as_known_at})
    return {(row["feed"], *(part or "" for part in row["row_key"])) for row in rows}


def _divisor(line: Row | None) -> int:
    """A collection plan in whole đồng, as an amount of the denominator."""
    return int(line["plan_value"]) if line else 0


def _same_plan(old: Row, new: Row) -> bool:
    """Whether two versions are the same but for the batch that brought them."""
    return {**old, "known_at": None, "batch_id": None} == {
        **new, "known_at": None, "batch_id": None,
    }  # fmt: skip
