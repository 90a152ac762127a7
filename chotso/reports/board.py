"""The second page: all verdicts at a glance, the agencies in order, who owes, what is new."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from reportlab.lib.colors import Color
from reportlab.platypus import Flowable, KeepTogether, PageBreak, Paragraph, Spacer, Table
from reportlab.platypus import TableStyle as Looks

from chotso.reports.data import FigureRow
from chotso.reports.grid import grid
from chotso.reports.markup import escaped
from chotso.reports.overview import Overview, ReportedAgency, ReportedMetric, owed
from chotso.reports.page import MARGIN, MM, WIDTH, fitted, style, width_of
from chotso.reports.strip import Strip
from chotso.reports.week import week_lines
from chotso.reports.wholes import surprises
from chotso.reports.words import (
    DEBT_CLASSES,
    NOTHING,
    PLAN_OF_ZERO,
    PLAN_OF_ZERO_LEGEND,
    day,
    month,
    number,
    percent,
    shown,
)

MET, MISSED, NONE = "Đ", "K", NOTHING
_FULL = WIDTH - 2 * MARGIN
_NAME = 36 * MM
_DEBTORS = 10
_LINE = Color(0.55, 0.55, 0.55)
_COLOURS = {True: Color(0.80, 0.91, 0.78), False: Color(0.96, 0.70, 0.66)}
_HEAD = Color(0.9, 0.92, 0.95)
_LEGEND = (
    f"{MET}: đạt. <b>{MISSED}</b>: không đạt. {NONE}: chưa giao kế hoạch, kế hoạch chưa hiệu lực "
    "hoặc chưa có số liệu. Số trong ô, %: thực hiện so với kế hoạch; của nợ là chính tỷ lệ nợ, "
    f"phải thấp hơn chỉ tiêu. {PLAN_OF_ZERO_LEGEND}"
)


def board(view: Overview) -> Iterator[Flowable]:
    """The page's parts; a part that does not fit begins a new page."""
    if not view.agencies or not view.metrics:
        return
    yield PageBreak()
    yield _title(f"Toàn cảnh đến tháng {month(view.month)}: cơ quan và chỉ tiêu", 13)
    yield _lights(view)
    yield Paragraph(_LEGEND, style(7, spaceBefore=1 * MM))
    for said in surprises(view):
        yield Paragraph(escaped(said), style(7.5, True, spaceBefore=1 * MM))
    yield from _in_order(view)
    yield from _debtors(view)
    first, last = view.week
    lines = [
        Paragraph(escaped(line), style(8, leftIndent=4 * MM), bulletText="•")
        for line in week_lines(view)
    ]
    yield KeepTogether([_title(f"Có gì mới trong 7 ngày, {day(first)} – {day(last)}"), *lines])


def _title(text: str, size: float = 10) -> Paragraph:
    return Paragraph(escaped(text), style(size, True, spaceBefore=2.5 * MM, spaceAfter=1.5 * MM))


def _lights(view: Overview) -> Flowable:
    """A line per agency, the whole first, and a column per metric under its group."""
    metrics = [m for _, same in _by_group(view) for m in same]
    table: list[list[Any]] = [[""], [Paragraph("Cơ quan", style(7, True))]]
    looks: list[tuple[Any, ...]] = [
        ("GRID", (0, 0), (-1, -1), 0.4, _LINE),
        ("BACKGROUND", (0, 0), (-1, 1), _HEAD),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 1),
        ("RIGHTPADDING", (0, 0), (-1, -1), 1),
        ("TOPPADDING", (0, 0), (-1, -1), 0.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
    for group, same in _by_group(view):
        start = len(table[0])
        table[0] += [
            Paragraph(escaped(group), style(7, True, alignment=1)),
            *[""] * (len(same) - 1),
        ]
        looks.append(("SPAN", (start, 0), (start + len(same) - 1, 0)))
    table[1] += [Paragraph(escaped(m.short), style(5.8, True, alignment=1)) for m in metrics]
    for agency in ([view.whole] if view.whole else []) + view.units:
        looks += _colours(view, agency, metrics, len(table))
        table.append([_name(agency, agency == view.whole)])
        table[-1] += [_light(metric, view.cell(agency, metric.code)) for metric in metrics]
    width = (_FULL - _NAME) / max(len(metrics), 13)
    made = Table(table, [_FULL - width * len(metrics)] + [width] * len(metrics), repeatRows=2)
    made.setStyle(Looks(looks))
    return made


def _by_group(view: Overview) -> list[tuple[str, list[ReportedMetric]]]:
    metrics = view.metrics.values()
    return [(group, list(same)) for group, same in groupby(metrics, key=lambda each: each.group)]


def _name(agency: ReportedAgency, is_whole: bool) -> Paragraph:
    text = fitted(agency.short, 2 * (_NAME - 4), 7.2, is_whole)
    return Paragraph(escaped(text), style(7.2, is_whole))


def _colours(view: Overview, agency: ReportedAgency, metrics: list[ReportedMetric],
             line: int) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    for column, metric in enumerate(metrics, start=1):
        is_met = view.cell(agency, metric.code).get("is_met")
        if isinstance(is_met, bool):
            yield ("BACKGROUND", (column, line), (column, line), _COLOURS[is_met])


def _light(metric: ReportedMetric, row: FigureRow) -> Paragraph:
    is_met = row.get("is_met")
    letter = {True: MET, False: MISSED}.get(is_met, NONE) if isinstance(is_met, bool) else NONE
    told = PLAN_OF_ZERO if row.get("plan_status_code") == "zero" else _share(metric, row)
    looks = style(6.4, is_met is False, alignment=1)
    return Paragraph(escaped(f"{letter}\n{told}" if told else letter), looks)


def _share(metric: ReportedMetric, row: FigureRow) -> str:
    is_ratio = metric.unit == "fraction"
    amount = row.get("actual_to_date" if is_ratio else "attainment_ratio")
    beside = row.get("plan_in_force") if is_ratio else 1
    if not isinstance(amount, int | Decimal):
        return ""
    said = percent(amount, beside).removesuffix("\u00a0%")
    return said if len(said) < 9 else "> 9999" if amount > 0 else "< 0"


def _in_order(view: Overview) -> Iterator[Flowable]:
    """The agencies from the largest share of the plan for all collection to the smallest."""
    code = "collection_total"
    if code not in view.metrics:
        return
    shares = []
    for unit in view.units:
        row = view.cell(unit, code)
        ratio, is_met = row.get("attainment_ratio"), row.get("is_met")
        if isinstance(ratio, Decimal):
            shares.append((ratio, unit.short, is_met if isinstance(is_met, bool) else None))
    if shares:
        shares.sort(key=lambda each: -each[0])
        told = f"{view.metrics[code].name} so với kế hoạch, cơ quan từ cao đến thấp"
        tiles = [(name, percent(ratio, 1), is_met) for ratio, name, is_met in shares]
        yield KeepTogether([_title(told), Strip(tiles, _COLOURS), Spacer(0, 1 * MM)])


def _debtors(view: Overview) -> Iterator[Flowable]:
    owing = view.debts.owing
    if not owing:
        return
    top = owing[:_DEBTORS]
    total = sum(owed(row) for row in owing)
    said = (
        f"Nợ nhiều nhất tháng {month(view.month)}: {len(top)} trên {number(len(owing))} đơn vị còn "
        f"nợ gốc, tổng nợ {number(total)} đồng"
    )
    titles = ("", "Đơn vị", "Cơ quan", "Nợ gốc (đồng)", "Số tháng", "Loại nợ")
    table = [[_cell(title, True, place in {0, 3, 4}) for place, title in enumerate(titles)]]
    for place, row in enumerate(top, start=1):
        table.append(_debtor(view, place, row))
    widths = [8 * MM, 74 * MM, 32 * MM, 27 * MM, 15 * MM]
    yield KeepTogether([_title(said), grid(table, [*widths, _FULL - sum(widths)], header=True)])


def _debtor(view: Overview, place: int, row: FigureRow) -> list[Paragraph]:
    name = str(row.get("employer_name") or "(tên cá nhân, không nêu)")
    code = f" – {fitted(str(row.get('employer_code')), 30 * MM, 7.5)}"
    room = 72 * MM - width_of(code, 7.5)
    months, kind = row.get("months_owed_count"), str(row.get("debt_class_code"))
    told = number(months, 1) if isinstance(months, int | Decimal) else NOTHING
    return [
        _cell(str(place), right=True),
        _cell(fitted(name, room, 7.5) + code),
        _cell(fitted(view.short(row.get("agency_code")), 30 * MM, 7.5)),
        _cell(number(owed(row)), right=True),
        _cell(told, right=True),
        _cell(DEBT_CLASSES.get(kind, shown(kind, 30))),
    ]


def _cell(text: str, bold: bool = False, right: bool = False) -> Paragraph:
    return Paragraph(escaped(text), style(7.5, bold, alignment=2 if right else 0))
