"""Facts that became known late: one per item, reason, agency and metric, with its file.

They are the pieces of `chotso explain` at the item's own agency, metric and month. Totals,
provinces and later months are sums of them, except for persons, whom a province counts once.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.calendar import month_after
from chotso.explain.causes import Cause, Piece
from chotso.explain.figure import Figure
from chotso.explain.queries import Row, batches
from chotso.explain.since import Between
from chotso.explain.states import State
from chotso.release.data.tables import LATE_CHANGES

REASONS: dict[str, tuple[str, str]] = {
    "late_recording": ("Ghi nhận muộn", "recorded late"),
    "correction": ("Điều chỉnh", "corrected, moved or restated"),
    "voiding": ("Hủy, hoặc rút lại việc hủy", "voided, or its voiding withdrawn"),
    "plan_decision": ("Quyết định giao kế hoạch", "a decision on the plan"),
    "quarantine_release": ("Được đưa ra khỏi cách ly", "released from quarantine"),
}
"""Why something came late, with the Vietnamese and English names."""
_REASON: dict[Cause, str] = {
    "late": "late_recording",
    "new": "late_recording",
    "voided": "voiding",
    "plan_revised": "plan_decision",
    "released_from_quarantine": "quarantine_release",
}
_FEEDS = {
    "line": ("allocations", ("document_code", "line_number")),
    "person": ("participations", ("spell_id",)),
    "account": ("c12", ("employer_code", "month", "group_code")),
}
_UNITS = {"flow": "vnd", "stock": "person", "ratio": "vnd"}


@dataclass(frozen=True)
class Fact:
    """What an item adds to its own figure, in each month from `month` to `last_month`.

    `amount` is đồng collected (of the month), persons, arrears, or the change of a plan;
    `base_amount` is what an account adds to its month's receivable. `input_sha256` is of the landed
    file that brought it, as a release's inputs name it; batch and file are this warehouse's own.
    """

    TEXTS: ClassVar[tuple[str, ...]] = (
        "feed", "item_key", "reason_code", "agency_code", "metric_code", "unit_code", "batch_id",
        "file_name",
    )  # fmt: skip

    feed: str
    item_key: str
    reason_code: str
    agency_code: str
    metric_code: str
    unit_code: str
    month: date
    last_month: date
    amount: Decimal
    base_amount: Decimal
    known_at: datetime
    batch_id: str | None
    file_name: str | None
    delivery_name: str | None
    input_sha256: str | None

    @property
    def key(self) -> tuple[str, ...]:
        """The identity of a fact, as texts."""
        return tuple(str(getattr(self, name)) for name in LATE_CHANGES.key)

    def row(self) -> dict[str, object]:
        """The row of `data/late_changes.csv`, equal on every machine."""
        return {name: getattr(self, name) for name in LATE_CHANGES.column_names}


def reason_of(cause: Cause) -> str:
    """The reason in the register for a cause."""
    return _REASON.get(cause, "correction")


def facts_of(
    conn: psycopg.Connection, between: Between, start: State, end: State, last_month: date
) -> list[Fact]:
    """All late facts between two states at a cutoff, up to a month."""
    totals = _totals(conn, end)
    months = _rows(conn, "select month from {}.dim_month order by month", start)
    carried = [row["month"] for row in months if row["month"] <= last_month]
    found = [
        (figure, piece)
        for figure in _figures(conn, between, totals, carried, end)
        for piece in between.own_pieces(figure)
        if _is_its_own(figure, piece)
        and (piece.kind == "plan_line" or figure.metric_code not in totals)
    ]
    ids = [batch_id for _, piece in found for batch_id in _changed_batches(piece)]
    known = batches(conn, ids)
    facts = [_fact(figure, piece, known, end.as_known_at) for figure, piece in found]
    found_facts = _in_ranges(_summed(facts))
    return sorted(found_facts, key=lambda fact: fact.key)


def _figures(
    conn: psycopg.Connection, between: Between, totals: set[str], months: list[date], end: State
) -> Iterator[Figure]:
    """Agencies × months × metrics to which a differing item may belong."""
    touched, planned = between.touched(), between.planned()
    metrics = _rows(conn, "select * from {}.dim_metric order by metric_code", end)
    for metric in metrics:
        code, kind = metric["metric_code"], metric["kind_code"]
        agencies = planned if code in totals else planned | touched[kind]
        for agency_code in sorted(agencies):
            for month in months:
                yield Figure(
                    agency_code=agency_code,
                    metric_code=code,
                    month=month,
                    kind=kind,
                    scheme_code=metric["scheme_code"],
                    group_code=metric["group_code"],
                    denominator_metric_code=metric["denominator_metric_code"],
                    event_cutoff=end.event_cutoff,
                )


def _totals(conn: psycopg.Connection, state: State) -> set[str]:
    """Metrics that are sums of other metrics. Of these, only changes of plans are facts."""
    rows = _rows(
        conn,
        "select metric_code, array_agg(fund_code) as funds from {}.int_metric_funds group by 1",
        state,
    )
    funds = {row["metric_code"]: set(row["funds"]) for row in rows}
    sums = {one for one in funds for other in funds if funds[one] > funds[other]}
    ratios = _rows(conn, "select metric_code from {}.dim_metric where group_code = 'total'", state)
    return sums | {row["metric_code"] for row in ratios}


def _rows(conn: psycopg.Connection, query: str, state: State) -> list[Row]:
    statement = sql.SQL(query).format(sql.Identifier(state.schema))
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement).fetchall()


def _is_its_own(figure: Figure, piece: Piece) -> bool:
    """Whether the piece belongs to this metric and month, not to an earlier month or a divisor."""
    if piece.kind == "plan_line":
        return bool(piece.details["metric_code"] == figure.metric_code)
    if piece.kind == "account":
        return bool(piece.details["month"] == figure.month)
    return piece.change[0] != 0


def _changed_batches(piece: Piece) -> list[str]:
    before = set(piece.details.get("batch_ids_before", {}).values())
    after = set(piece.details.get("batch_ids_after", {}).values())
    return sorted(batch_id for batch_id in after - before if batch_id)


def _fact(figure: Figure, piece: Piece, known: dict[str, Row], until: datetime) -> Fact:
    brought = [known[each] for each in _changed_batches(piece) if each in known]
    batch: Row = max(brought, key=lambda row: (row["known_at"], row["batch_id"]), default={})
    if piece.kind == "plan_line":
        feed, key = "plans", _plan_key(piece)
        amount, base_amount = _plan_change(piece), Decimal(0)
    else:
        feed, names = _FEEDS[piece.kind]
        key = [piece.details[name] for name in names]
        amount = Decimal(piece.change[0])
        base_amount = Decimal(piece.change[1] if piece.kind == "account" else 0)
    is_fraction = piece.kind == "plan_line" and figure.kind == "ratio"
    return Fact(
        feed=feed,
        item_key=json.dumps(key, ensure_ascii=False, separators=(",", ":"), default=str),
        reason_code=reason_of(piece.cause),
        agency_code=figure.agency_code,
        metric_code=figure.metric_code,
        unit_code="fraction" if is_fraction else _UNITS[figure.kind],
        month=figure.month,
        last_month=figure.month,
        amount=amount,
        base_amount=base_amount,
        known_at=batch.get("known_at", until),
        batch_id=batch.get("batch_id"),
        file_name=batch.get("delivery_name") or batch.get("landing_path"),
        delivery_name=batch.get("delivery_name"),
        input_sha256=batch.get("sha256"),
    )


def _plan_key(piece: Piece) -> list[Any]:
    line = piece.details["after"] or piece.details["before"]
    return [line["decision_code"], line["effective_from_date"], line["agency_code"]]


def _plan_change(piece: Piece) -> Decimal:
    before, after = (
        line["plan_value"] if line else Decimal(0)
        for line in (piece.details["before"], piece.details["after"])
    )
    return Decimal(after - before)


def _summed(facts: list[Fact]) -> list[Fact]:
    """One fact for an item that changed in several ways for one reason, e.g. moved and raised."""
    found: dict[tuple[Any, ...], Fact] = {}
    for fact in facts:
        key = (
            fact.feed, fact.item_key, fact.reason_code, fact.agency_code, fact.metric_code,
            fact.month,
        )  # fmt: skip
        if (other := found.get(key)) is not None:
            newest = max(other, fact, key=lambda each: (each.known_at, each.batch_id or ""))
            fact = replace(
                newest,
                amount=other.amount + fact.amount,
                base_amount=other.base_amount + fact.base_amount,
            )
        found[key] = fact
    return list(found.values())


def _in_ranges(facts: list[Fact]) -> list[Fact]:
    """One fact for an item that adds the same in consecutive months, as spells and plans do."""
    facts = sorted(facts, key=lambda f: (*_same(f), f.month))
    ranges: list[Fact] = []
    for fact in facts:
        last = ranges[-1] if ranges else None
        if (
            last is not None
            and fact.feed in ("participations", "plans")
            and _same(fact) == _same(last)
            and fact.month == month_after(last.last_month)
        ):
            ranges[-1] = replace(last, last_month=fact.month)
        else:
            ranges.append(fact)
    return ranges


def _same(fact: Fact) -> tuple[Any, ...]:
    return (
        fact.feed, fact.item_key, fact.reason_code, fact.agency_code, fact.metric_code,
        fact.amount, fact.base_amount, fact.known_at, fact.batch_id or "",
    )  # fmt: skip
