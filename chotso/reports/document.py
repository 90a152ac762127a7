"""`report.pdf`: the content of a release, in reading order."""

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepInFrame,
    KeepTogether,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
)

from chotso.reports.board import board
from chotso.reports.charts import PER_CHART, Bar, BarChart, PaceChart
from chotso.reports.data import FigureRow, Release
from chotso.reports.facts import told_facts
from chotso.reports.grid import grid
from chotso.reports.heading import OfficialHeading
from chotso.reports.lists import (
    attainment_tables,
    changes_part,
    checks_part,
    issues_part,
    ranking_part,
)
from chotso.reports.markup import escaped
from chotso.reports.overview import Overview, ReportedMetric
from chotso.reports.page import (
    BOTTOM,
    HEIGHT,
    MARGIN,
    MM,
    TOP,
    WIDTH,
    canvas_maker,
    load_fonts,
    metadata,
    style,
    watermark,
)
from chotso.reports.summary import sentences, table_of_the_whole
from chotso.reports.words import (
    PLAN_OF_ZERO_LEGEND,
    REHEARSAL,
    figure,
    in_fours,
    month,
    percent,
    verdict,
)

_FULL = WIDTH - 2 * MARGIN
_ROOM = HEIGHT - TOP - BOTTOM
_TWICE = Decimal(2)
_COVER_NOTE = (
    "Báo cáo này được lập chỉ từ các tệp dữ liệu của bản chốt. Mã dữ liệu in ở chân mỗi trang là "
    "mã băm của các tệp đó; mã gốc để ký và kiểm tra nằm trên trang ký (signature.pdf)."
)


def write_document(path: Path, view: Overview) -> None:
    """Write the report; equal releases give equal bytes.

    Args:
        path: The file to write.
        view: The release, and its judged month.

    Raises:
        ValueError: A data file is not canonical.
    """
    load_fonts()
    facts = view.release.facts
    memory = io.BytesIO()
    title = f"Báo cáo kết quả thi đua {facts.release_id}"
    # the template would write its own defaults over the canvas's
    document = BaseDocTemplate(memory, **metadata(facts, title))
    frame = Frame(
        MARGIN, BOTTOM, _FULL, _ROOM,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    document.addPageTemplates(
        PageTemplate("page", [frame], onPage=lambda canvas, _: watermark(canvas, facts))
    )
    document.build(list(_story(view)), canvasmaker=canvas_maker(facts, title))
    path.write_bytes(memory.getvalue())


def _story(view: Overview) -> Iterator[Flowable]:
    yield from _cover(view.release)
    yield from board(view)
    yield PageBreak()
    yield _summary(view)
    yield PageBreak()
    yield from _charts(view)
    yield from _pace(view)
    yield from attainment_tables(view)
    yield from ranking_part(view)
    yield from checks_part(view)
    yield from issues_part(view)
    yield from changes_part(view)


def _cover(release: Release) -> Iterator[Flowable]:
    facts = release.facts
    yield OfficialHeading(facts)
    yield Spacer(0, 12 * MM)
    if facts.is_rehearsal:
        yield Paragraph(REHEARSAL, style(18, True, alignment=1, spaceAfter=8 * MM))
    yield Paragraph("BÁO CÁO KẾT QUẢ THI ĐUA", style(24, True, alignment=1))
    yield Spacer(0, 5 * MM)
    told = dict(told_facts(release))
    name = escaped(told.pop("Đợt thi đua"))
    yield KeepInFrame(_FULL, 45 * MM, [Paragraph(name, style(15, alignment=1))], "shrink")
    yield Spacer(0, 10 * MM)
    told["Mã dữ liệu"] = in_fours(facts.data_root, 8)
    cells = [[_cell(title, True, 10), _cell(said, False, 10)] for title, said in told.items()]
    yield KeepInFrame(_FULL, 100 * MM, [grid(cells, [52 * MM, _FULL - 52 * MM])], "shrink")
    yield Spacer(0, 10 * MM)
    yield Paragraph(_COVER_NOTE, style(9.5, alignment=1))


def _cell(text: str, bold: bool = False, size: float = 8.5, right: bool = False) -> Paragraph:
    return Paragraph(escaped(text), style(size, bold, alignment=2 if right else 0))


def heading(text: str) -> Paragraph:
    """The heading of a part."""
    return Paragraph(escaped(text), style(13, True, spaceBefore=2 * MM, spaceAfter=3 * MM))


def _summary(view: Overview) -> Flowable:
    """The first page; the text is made smaller if it does not fit."""
    parts: list[Any] = [heading(f"Tóm tắt cho Giám đốc – lũy kế đến tháng {month(view.month)}")]
    told = sentences(view) or ["Bản chốt này không có số liệu nào để đánh giá."]
    for sentence in told:
        looks = style(10, leftIndent=5 * MM, bulletIndent=1 * MM, spaceAfter=1.6 * MM)
        parts.append(Paragraph(escaped(sentence), looks, bulletText="•"))
    lines = table_of_the_whole(view)
    if lines:
        titles = ["Chỉ tiêu", "Kế hoạch", "Thực hiện", "Tỷ lệ", "Kết quả", "Cơ quan đạt"]
        table = [_summary_line(titles, True)]
        table += [_summary_line(line, line[4].startswith("Không đạt")) for line in lines]
        widths = [52 * MM, 38 * MM, 38 * MM, 17 * MM, 18 * MM, _FULL - 163 * MM]
        parts += [Spacer(0, 3 * MM), grid(table, widths, header=True)]
        whole = view.whole.label if view.whole else ""
        note = f"Số liệu của {whole}. " if whole else "Không có một cơ quan cấp trên chung. "
        note += "Chỉ tiêu tỷ lệ nợ đạt khi thấp hơn hẳn mức giao. Chữ đậm: không đạt. "
        note += PLAN_OF_ZERO_LEGEND
        parts.append(Paragraph(escaped(note), style(8, spaceBefore=1.5 * MM)))
    return KeepInFrame(_FULL, _ROOM - 1, parts, "shrink")


def _summary_line(texts: list[str], bold: bool) -> list[Paragraph]:
    return [_cell(text, bold, right=place in {1, 2, 3, 5}) for place, text in enumerate(texts)]


def _charts(view: Overview) -> Iterator[Flowable]:
    for metric in view.judged_metrics("at_least"):
        bars = [_share(unit.short, view.cell(unit, metric.code)) for unit in view.units]
        yield from _chart(view, f"{metric.name}: thực hiện so với kế hoạch", bars, _TWICE)
    for metric in view.judged_metrics("below"):
        bars = [_ratio(metric, unit.short, view.cell(unit, metric.code)) for unit in view.units]
        targets = [bar.target for bar in bars if bar.target is not None]
        top = max(targets, default=Decimal("0.01")) * 4
        yield from _chart(view, f"{metric.name}: so với chỉ tiêu (phải thấp hơn)", bars, top)


def _chart(view: Overview, title: str, bars: list[Bar], most: Decimal) -> Iterator[Flowable]:
    longest = max((bar.length for bar in bars if bar.length is not None), default=Decimal(1))
    wanted = [bar.target for bar in bars if bar.target is not None]
    scale = min(max([longest, *wanted]) * Decimal("1.05"), most)
    for start in range(0, len(bars), PER_CHART):
        part = bars[start : start + PER_CHART]
        more = f" ({start + 1}–{start + len(part)}/{len(bars)})" if len(bars) > PER_CHART else ""
        said = f"{title}, lũy kế đến {month(view.month)}{more}"
        title_here = Paragraph(escaped(said), style(11, True, spaceAfter=1.5 * MM))
        yield KeepTogether([title_here, BarChart(part, scale), Spacer(0, 5 * MM)])


def _share(name: str, row: FigureRow) -> Bar:
    ratio, is_met = row.get("attainment_ratio"), row.get("is_met")
    if not isinstance(ratio, Decimal):
        return Bar(name, None, None, None, verdict(is_met, row.get("plan_status_code")))
    said = f"{percent(ratio, 1)}{_said(row)}"
    return Bar(name, ratio, Decimal(1), is_met if isinstance(is_met, bool) else None, said)


def _ratio(metric: ReportedMetric, name: str, row: FigureRow) -> Bar:
    actual, plan, is_met = row.get("actual_to_date"), row.get("plan_in_force"), row.get("is_met")
    target = plan if isinstance(plan, Decimal) else None
    verdict = is_met if isinstance(is_met, bool) else None
    if not isinstance(actual, Decimal):
        return Bar(name, None, target, None, "không có số liệu")
    goal = f" / {figure(plan, metric.unit)}" if target is not None else ""
    return Bar(name, actual, target, verdict, f"{percent(actual, target)}{goal}{_said(row)}")


def _said(row: FigureRow) -> str:
    """What a figure does not say by itself: that a plan was missed, or that it is 0."""
    is_met, status = row.get("is_met"), row.get("plan_status_code")
    said = verdict(is_met, status)
    return f" – {said[0].lower()}{said[1:]}" if is_met is False or status == "zero" else ""


def _pace(view: Overview) -> Iterator[Flowable]:
    code = "collection_total"
    if code not in view.metrics:
        return
    shares: dict[str, dict[date, Decimal]] = {}
    for row in view.release.attainment:
        at, plan, actual = row["month"], row.get("plan_in_force"), row.get("actual_to_date")
        if (
            row["metric_code"] == code
            and isinstance(at, date)
            and at.year == view.month.year
            and isinstance(plan, int | Decimal)
            and isinstance(actual, int | Decimal)
            and plan > 0
        ):
            shares.setdefault(str(row["agency_code"]), {})[at] = Decimal(actual) / Decimal(plan)
    months = [view.month.replace(month=each) for each in range(1, view.month.month + 1)]
    if not shares:
        return
    yield PageBreak()
    yield heading("Nhịp thực hiện tổng số thu đến thời điểm chốt")
    if view.whole and view.whole.code in shares:
        found = shares[view.whole.code]
        yield Paragraph(escaped(view.whole.label), style(10, True))
        yield PaceChart([found.get(at) for at in months], [f"T{at.month}" for at in months])
        yield Spacer(0, 4 * MM)
    yield Paragraph("Lũy kế so với kế hoạch đang áp dụng của từng tháng, %:", style(9))
    yield Spacer(0, 1.5 * MM)
    yield _pace_table(view, months, shares)


def _pace_table(
    view: Overview, months: list[date], shares: dict[str, dict[date, Decimal]]
) -> Flowable:
    table = [[_cell("Cơ quan", True, 7.5)]]
    table[0] += [_cell(f"T{at.month}", True, 7.5, right=True) for at in months]
    for unit in view.units:
        line = [_cell(unit.short, False, 7.5)]
        for at in months:
            share = shares.get(unit.code, {}).get(at)
            line.append(_cell(percent(share)[:-2] if share is not None else "–", False, 6.8, True))
        table.append(line)
    name = 46 * MM
    return grid(table, [name] + [(_FULL - name) / len(months)] * len(months), header=True)
