"""What the release's own data says of the seven days before its business date."""

from collections.abc import Iterator
from datetime import date, timedelta

from chotso.reports.data import FigureRow
from chotso.reports.overview import Overview
from chotso.reports.registered import feed_name
from chotso.reports.words import day, month, number, shown

_FEW = 4


def week_lines(view: Overview) -> list[str]:
    """Collection of the month, plans, accounts, rows set aside and deliveries; a line for each."""
    return [
        *_collection(view),
        *_plans(view),
        *_accounts(view),
        *_set_aside(view),
        *_deliveries(view),
        *_corrected(view),
    ]


def _collection(view: Overview) -> Iterator[str]:
    """Money of the month against the month before; the release holds no single days."""
    before = (view.month - timedelta(days=1)).replace(day=1)
    own = view.cell(view.whole, "collection_total").get("actual_month")
    earlier = next(
        (
            row.get("actual_month")
            for row in view.release.attainment
            if view.whole
            and (row["agency_code"], row["metric_code"], row["month"])
            == (view.whole.code, "collection_total", before)
        ),
        None,
    )
    if isinstance(own, int):
        then = (
            f"; tháng {month(before)}: {number(earlier)} đồng" if isinstance(earlier, int) else ""
        )
        yield f"Tổng số thu trong tháng {month(view.month)}: {number(own)} đồng{then}."


def _plans(view: Overview) -> Iterator[str]:
    fresh: dict[str, list[FigureRow]] = {}
    for row in view.release.rows("plans"):
        if any(view.is_of_the_last_week(row.get(f"{name}_date"))
               for name in ("signed", "effective_from")):  # fmt: skip
            fresh.setdefault(str(row.get("decision_code") or "không số"), []).append(row)
    if not fresh:
        yield "Kế hoạch: không có quyết định nào ký hoặc bắt đầu hiệu lực."
        return
    told = [
        f"{shown(decision, 60)} ({number(len(rows))} kế hoạch, hiệu lực từ {_starts(rows)})"
        for decision, rows in sorted(fresh.items())
    ]
    more = f" và {len(told) - _FEW} quyết định khác" if len(told) > _FEW else ""
    yield f"Kế hoạch ký hoặc bắt đầu hiệu lực: {'; '.join(told[:_FEW])}{more}."


def _starts(rows: list[FigureRow]) -> str:
    days = [row["effective_from_date"] for row in rows]
    return day(min(each for each in days if isinstance(each, date))) if any(days) else "–"


def _accounts(view: Overview) -> Iterator[str]:
    stated = view.debts.stated_recently
    if stated:
        yield (
            f"Sổ C12 tháng {month(view.month)} kết xuất mới: {number(sum(stated.values()))} đơn vị "
            f"của {len(stated)} cơ quan."
        )
    else:
        yield f"Sổ C12 tháng {month(view.month)}: không có sổ nào kết xuất mới."


def _set_aside(view: Overview) -> Iterator[str]:
    rows = list(view.release.rows("quarantine"))
    fresh = [row for row in rows if view.is_of_the_last_week(row.get("last_seen_at"))]
    if not fresh:
        yield "Dữ liệu bị giữ lại: không có dòng mới nào còn bị giữ."
        return
    feeds = sorted({str(row.get("feed_code")) for row in fresh})
    yield f"Dữ liệu bị giữ lại: còn dòng mới ở nguồn {', '.join(map(feed_name, feeds))}."


def _deliveries(view: Overview) -> Iterator[str]:
    """On how many of the days each feed changed; whole reads would drown the nights' rows."""
    days: dict[str, set[date]] = {}
    for each in view.release.facts.deliveries:
        if view.is_of_the_last_week(each.business_date):
            days.setdefault(each.feed, set()).add(each.business_date)
    if days:
        told = [f"{feed_name(feed)} ({len(on)})" for feed, on in sorted(days.items())]
        yield f"Số ngày có dữ liệu mới hoặc thay đổi, trên 7 ngày: {', '.join(told)}."


def _corrected(view: Overview) -> Iterator[str]:
    if view.release.facts.kind == "corrigendum":
        count = sum(1 for _ in view.release.rows("changes"))
        yield f"So với bản được đính chính: {number(count)} số liệu thay đổi, xem mục Đính chính."
