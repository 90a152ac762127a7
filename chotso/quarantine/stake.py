"""Money at stake: rows set aside by the figure to which they could belong.

Per metric, it is the `quarantined_money` that readers see in `marts.fct_monthly_attainment`, so
there is one definition. It is of the exposed build, whose `as_known_at` is shown. Per feed, it is
the sum of the open rows now. Money that belongs to no metric (plans, documents without lines) is
only there.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import class_row

from chotso.quarantine.rows import AsideRow
from chotso.registers import Metric, load_registers

_AT_STAKE = """
select agency_code, metric_code, month, quarantined_money as money
from marts.fct_monthly_attainment
where quarantined_money > 0
"""
_EXPOSED = """
select build.as_known_at
from ops.exposed as exposed
inner join ops.build as build on build.build_id = exposed.generation
"""


@dataclass(frozen=True)
class MonthAtStake:
    """Đồng that could belong to one agency's figure of one month."""

    agency_code: str
    metric_code: str
    month: date
    money: Decimal


@dataclass(frozen=True)
class FeedSum:
    """Open rows of one feed and agency and their đồng; None if the agency is not known."""

    agency_code: str | None
    feed: str
    rows: int
    money: Decimal


@dataclass(frozen=True)
class Stake:
    """What is at stake. `as_known_at` is the instant of the build that `months` come from."""

    as_known_at: datetime | None
    months: list[MonthAtStake]
    feeds: list[FeedSum]

    def by_metric(self) -> list[dict[str, Any]]:
        """Per agency and metric: the number of months, and đồng.

        For a flow, months are added up. This is an upper bound: a row without a readable month
        counts in each. For a ratio, the largest month is taken, because accounts are stated anew
        every month.
        """
        metrics = {metric.code: metric for metric in load_registers().metrics.metrics}
        grouped: dict[tuple[str, str], list[Decimal]] = {}
        for at in self.months:
            grouped.setdefault((at.agency_code, at.metric_code), []).append(at.money)
        return [
            {
                "agency_code": agency,
                "metric_code": code,
                "metric_name_vi": metrics[code].name_vi if code in metrics else code,
                "months": len(amounts),
                "money": _of_months(metrics.get(code), amounts),
            }
            for (agency, code), amounts in grouped.items()
        ]


def _of_months(metric: Metric | None, amounts: list[Decimal]) -> Decimal:
    is_flow = metric is not None and metric.kind == "flow"
    return sum(amounts, Decimal(0)) if is_flow else max(amounts)


def at_stake(conn: psycopg.Connection, rows: list[AsideRow]) -> Stake:
    """Money at stake by the exposed build and the open rows; without a build, by rows alone."""
    built = conn.execute(_EXPOSED).fetchone()
    months: list[MonthAtStake] = []
    if built is not None:
        with conn.cursor(row_factory=class_row(MonthAtStake)) as cursor:
            months = cursor.execute(_AT_STAKE).fetchall()
    order = {metric.code: n for n, metric in enumerate(load_registers().metrics.metrics)}
    months.sort(key=lambda m: (m.agency_code, order.get(m.metric_code, len(order)), m.month))
    return Stake(built[0] if built else None, months, _per_feed(rows))


def _per_feed(rows: list[AsideRow]) -> list[FeedSum]:
    grouped: dict[tuple[str, str], list[AsideRow]] = {}
    for row in rows:
        if row.status == "open":
            grouped.setdefault((row.agency_code or "", row.feed), []).append(row)
    return [
        FeedSum(agency or None, feed, len(found), sum((r.money for r in found), Decimal(0)))
        for (agency, feed), found in sorted(grouped.items())
    ]
