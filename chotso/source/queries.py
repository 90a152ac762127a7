"""The queries on the collection system: a feed's rows, their scopes, and the source's count."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    column,
    or_,
    select,
    table,
    union,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import TableClause

from chotso.calendar import local_midnight, month_after
from chotso.contracts import Contract, TableSource, contract_of, helper_table

SCHEMA = "tst"
CLOCK_RELATION = "dong_ho"
CONTROL_RELATION = "doi_soat"
_CONTROL = helper_table(CONTROL_RELATION).columns
CONTROL_COLUMNS = {
    name: _CONTROL[found_as].model_copy(update={"found_as": found_as})
    for name, found_as in {"month": "thang", "rows": "so_dong", "money": "tong_tien"}.items()
}
# A window is read a little wider. A database that keeps instants as text compares them as text and
# ignores their offsets. An extra row does no harm; a missing row would count as gone.
_MARGIN = timedelta(days=1)
ReadMode = Literal["whole", "changes", "year", "window", "replay"]


@dataclass(frozen=True)
class ReadRequest:
    """Which rows of a relation are read.

    `changes` reads what changed at or after `since`. `year` reads that and the whole open year.
    Both also read rows whose keys are in quarantine. `window` reads whole months and nothing else.
    `replay` reads the keys in `keys_again` and nothing else; of lines, it reads all lines of their
    documents.
    """

    mode: ReadMode
    since: datetime | None = None
    year_start: date | None = None
    keys_again: list[tuple[Any, ...]] = field(default_factory=list)
    months: list[date] = field(default_factory=list)

    @property
    def reads_everything(self) -> bool:
        """Whether the read has no condition."""
        return self.mode == "whole" or (
            self.since is None and self.mode not in ("window", "replay")
        )

    def of(self, source: TableSource) -> "ReadRequest":
        """The request for this relation: all of it, if the relation has no column for the year."""
        placed = source.period or source.parent
        return replace(self, mode="whole") if self.mode == "year" and not placed else self


def rows_query(contract: Contract, request: ReadRequest) -> Select[Any]:
    """The columns of the contract that are read, in contract order.

    Rows are ordered by key, so that equal rows make equal landed bytes.
    """
    source = _table_source(contract)
    read = [n for n, c in contract.columns.items() if c.personal != "drop"]
    relation = _relation(source.relation, read, source)
    query = select(*[relation.c[n] for n in read]).order_by(*[relation.c[n] for n in contract.key])
    if request.reads_everything:
        return query
    if source.parent:
        touched = _touched_parents(contract, source, request)
        return query.where(relation.c[source.parent.key].in_(select(touched.c.touched)))
    if request.mode == "window":
        return query.where(_in_months(contract, relation, request.months))
    return query.where(
        _condition(relation, source.changed_at, source.period, request, contract.key)
    )


def relation_of(query: Select[Any]) -> str:
    """The first relation of a query, with its schema, for error messages."""
    found = (each for each in visitors.iterate(query) if isinstance(each, TableClause))
    first = next(found, None)
    return first.fullname if first is not None else SCHEMA


def control_query(contract: Contract) -> Select[Any]:
    """The source's count of a feed: month, rows, đồng, ordered by month; see CONTROL_COLUMNS."""
    source = _table_source(contract)
    totals = table(
        CONTROL_RELATION,
        *[column(each.found_as) for each in CONTROL_COLUMNS.values() if each.found_as],
        column("bang"),
        schema=SCHEMA,
    )
    found = [
        totals.c[expected.found_as] for expected in CONTROL_COLUMNS.values() if expected.found_as
    ]
    return select(*found).where(totals.c.bang == source.relation).order_by(totals.c.thang)


def scope_query(contract: Contract, request: ReadRequest) -> Select[Any] | None:
    """The documents whose lines the read has in full; None if the read has no such list."""
    source = _table_source(contract)
    if request.reads_everything or source.parent is None:
        return None
    touched = _touched_parents(contract, source, request)
    return select(touched.c.touched.label(source.parent.key)).order_by(touched.c.touched)


def _touched_parents(contract: Contract, source: TableSource, request: ReadRequest) -> Subquery:
    assert source.parent is not None
    if request.mode == "window":
        return _parents_in_months(contract, source, request.months)
    parent = table(
        source.parent.relation,
        column(source.parent.key),
        column(source.parent.changed_at),
        column(source.parent.period),
        schema=SCHEMA,
    )
    child = table(
        source.relation,
        column(source.parent.key),
        column(source.changed_at or source.parent.changed_at),
        schema=SCHEMA,
    )
    places = [contract.key.index(source.parent.key)]
    again = [tuple(key[i] for i in places) for key in request.keys_again]
    in_parent = _condition(
        parent, source.parent.changed_at, source.parent.period, request, [source.parent.key], again
    )
    if request.mode == "replay":
        in_child: ColumnElement[bool] = child.c[source.parent.key].in_([key for (key,) in again])
    else:
        in_child = child.c[source.changed_at or source.parent.changed_at] >= request.since
    return union(
        select(parent.c[source.parent.key].label("touched")).where(in_parent),
        select(child.c[source.parent.key].label("touched")).where(in_child),
    ).subquery("touched_parents")


def _parents_in_months(contract: Contract, source: TableSource, months: list[date]) -> Subquery:
    assert source.parent is not None
    assert contract.control is not None
    assert contract.control.of is not None
    placed = contract_of(contract.control.of)
    names = dict.fromkeys([source.parent.key, contract.control.month])
    parent = table(source.parent.relation, *[column(n) for n in names], schema=SCHEMA)
    touched = select(parent.c[source.parent.key].label("touched"))
    return touched.where(_in_months(placed, parent, months)).subquery("touched_parents")


def _in_months(contract: Contract, relation: FromClause, months: list[date]) -> ColumnElement[bool]:
    """A condition that covers all rows whose control month, by local time, is one of these."""
    assert contract.control is not None
    place = relation.c[contract.control.month]
    is_instant = contract.columns[contract.control.month].type == "timestamptz"
    bounds = [
        (
            max(month, date.min + _MARGIN) - _MARGIN,
            min(month_after(month), date.max - _MARGIN) + _MARGIN,
        )
        for month in months
    ]
    edges = [tuple(map(local_midnight, bound)) if is_instant else bound for bound in bounds]
    return or_(*[(place >= first) & (place < end) for first, end in edges])


def _condition(
    relation: FromClause,
    changed_at: str | None,
    period: str | None,
    request: ReadRequest,
    key: list[str],
    keys_again: list[tuple[Any, ...]] | None = None,
) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if request.mode != "replay":
        assert changed_at is not None
        conditions.append(relation.c[changed_at] >= request.since)
    if request.mode == "year" and period and request.year_start:
        conditions.append(relation.c[period] >= local_midnight(request.year_start) - _MARGIN)
    again = request.keys_again if keys_again is None else keys_again
    if again and len(key) == 1:
        conditions.append(relation.c[key[0]].in_([k[0] for k in again]))
    else:  # not every database can compare a row with a list of rows
        conditions += [
            and_(*[relation.c[n] == value for n, value in zip(key, k, strict=True)]) for k in again
        ]
    return or_(*conditions)


def _relation(name: str, read: list[str], source: TableSource) -> FromClause:
    names = dict.fromkeys([*read, *filter(None, [source.changed_at, source.period])])
    return table(name, *[column(n) for n in names], schema=SCHEMA)


def _table_source(contract: Contract) -> TableSource:
    assert isinstance(contract.source, TableSource)
    return contract.source
