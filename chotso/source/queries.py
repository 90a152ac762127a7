"""What is asked of the collection system: one query for a feed's rows, one for its scope."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    column,
    or_,
    select,
    table,
    union,
)
from sqlalchemy import tuple_ as row_of

from chotso.calendar import local_midnight
from chotso.contracts import Contract, TableSource

SCHEMA = "tst"
ReadMode = Literal["whole", "changes", "year"]


@dataclass(frozen=True)
class ReadRequest:
    """Which rows of a relation are read.

    `changes` reads what changed at or after `since`; `year` reads that and everything of the
    open year. Rows whose keys stand in quarantine are read again in either.
    """

    mode: ReadMode
    since: datetime | None = None
    year_start: date | None = None
    keys_again: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def reads_everything(self) -> bool:
        """Whether the read has no condition at all."""
        return self.mode == "whole" or self.since is None

    def of(self, source: TableSource) -> "ReadRequest":
        """The same request of a relation that no year can be cut out of: all of it."""
        placed = source.period or source.parent
        return replace(self, mode="whole") if self.mode == "year" and not placed else self


def rows_query(item: Contract, request: ReadRequest) -> Select[Any]:
    """The columns of the contract that are ever read, in contract order.

    Rows come in the order of their key, so that the same rows make the same landed bytes.
    """
    source = _table_source(item)
    read = [n for n, c in item.columns.items() if c.personal != "drop"]
    relation = _relation(source.relation, read, source)
    query = select(*[relation.c[n] for n in read]).order_by(*[relation.c[n] for n in item.key])
    if request.reads_everything:
        return query
    if source.parent:
        touched = _touched_parents(item, source, request)
        return query.where(relation.c[source.parent.key].in_(select(touched.c.touched)))
    return query.where(_condition(relation, source.changed_at, source.period, request, item.key))


def scope_query(item: Contract, request: ReadRequest) -> Select[Any] | None:
    """The parents whose lines the read states in full; None where the read has no such list."""
    source = _table_source(item)
    if request.reads_everything or source.parent is None:
        return None
    touched = _touched_parents(item, source, request)
    return select(touched.c.touched.label(source.parent.key)).order_by(touched.c.touched)


def _touched_parents(item: Contract, source: TableSource, request: ReadRequest) -> Subquery:
    assert source.parent is not None
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
    places = [item.key.index(source.parent.key)]
    again = [tuple(key[i] for i in places) for key in request.keys_again]
    in_parent = _condition(
        parent, source.parent.changed_at, source.parent.period, request, [source.parent.key], again
    )
    in_child = child.c[source.changed_at or source.parent.changed_at] >= request.since
    return union(
        select(parent.c[source.parent.key].label("touched")).where(in_parent),
        select(child.c[source.parent.key].label("touched")).where(in_child),
    ).subquery("touched_parents")


def _condition(
    relation: FromClause,
    changed_at: str | None,
    period: str | None,
    request: ReadRequest,
    key: list[str],
    keys_again: list[tuple[Any, ...]] | None = None,
) -> ColumnElement[bool]:
    assert changed_at is not None
    conditions: list[ColumnElement[bool]] = [relation.c[changed_at] >= request.since]
    if request.mode == "year" and period and request.year_start:
        conditions.append(relation.c[period] >= local_midnight(request.year_start))
    again = request.keys_again if keys_again is None else keys_again
    if again and len(key) == 1:
        conditions.append(relation.c[key[0]].in_([k[0] for k in again]))
    elif again:
        conditions.append(row_of(*[relation.c[n] for n in key]).in_(again))
    return or_(*conditions)


def _relation(name: str, read: list[str], source: TableSource) -> FromClause:
    names = dict.fromkeys([*read, *filter(None, [source.changed_at, source.period])])
    return table(name, *[column(n) for n in names], schema=SCHEMA)


def _table_source(item: Contract) -> TableSource:
    assert isinstance(item.source, TableSource)
    return item.source
