"""The report's tables: figures per agency, the ranking, overrides and known issues."""

from collections.abc import Iterator
from decimal import Decimal

from reportlab.platypus import Flowable, KeepTogether, PageBreak, Paragraph, Spacer

from chotso.reports.columns import TITLES
from chotso.reports.data import FigureRow
from chotso.reports.grid import grid
from chotso.reports.issues import grouped
from chotso.reports.markup import escaped
from chotso.reports.overview import Overview, ReportedMetric
from chotso.reports.page import MARGIN, MM, WIDTH, style
from chotso.reports.summary import is_overridden
from chotso.reports.words import (
    NOTHING,
    PLAN_OF_ZERO,
    PLAN_OF_ZERO_LEGEND,
    PLAN_OF_ZERO_RANKED,
    figure,
    month,
    number,
    percent,
    shown,
    verdict,
)

_FULL = WIDTH - 2 * MARGIN
_LONGEST = 500
_AT_ONCE = 5
_MOST_ROWS = 200
_TOLD_ELSEWHERE = {"check_code", "name_vi", "name_en", "is_met"}


def _cell(text: str, bold: bool = False, size: float = 8, right: bool = False) -> Paragraph:
    looks = style(size, bold, alignment=2 if right else 0)
    return Paragraph(escaped(shown(text, _LONGEST)), looks)


def _heading(text: str) -> Paragraph:
    return Paragraph(escaped(text), style(13, True, spaceBefore=4 * MM, spaceAfter=2.5 * MM))


def attainment_tables(view: Overview) -> Iterator[Flowable]:
    """Every agency's figures for the judged month, a few metrics per table."""
    if not view.agencies:
        return
    yield PageBreak()
    yield _heading(f"Kết quả theo cơ quan, lũy kế đến tháng {month(view.month)}")
    said = (
        "Dưới mỗi số: tỷ lệ so với kế hoạch, hoặc chỉ tiêu phải thấp hơn. Chữ đậm: không đạt. "
        + PLAN_OF_ZERO_LEGEND
    )
    yield Paragraph(said, style(8, spaceAfter=2 * MM))
    metrics = list(view.metrics.values())
    for metrics_here in _parts(metrics):
        yield KeepTogether([_attainment_table(view, metrics_here), Spacer(0, 5 * MM)])


def _parts(metrics: list[ReportedMetric]) -> Iterator[list[ReportedMetric]]:
    """Groups of a few metrics with the same unit."""
    here: list[ReportedMetric] = []
    for metric in metrics:
        if here and (len(here) == _AT_ONCE or here[0].unit != metric.unit):
            yield here
            here = []
        here.append(metric)
    if here:
        yield here


def _attainment_table(view: Overview, metrics: list[ReportedMetric]) -> Flowable:
    table = [[_cell("Cơ quan", True)] + [_cell(each.name, True, 7.5, True) for each in metrics]]
    agencies = ([view.whole] if view.whole else []) + view.units
    for agency in agencies:
        line = [_cell(agency.short, agency == view.whole)]
        for metric in metrics:
            row = view.cell(agency, metric.code)
            text = (
                figure(row.get("actual_to_date"), metric.unit, False, row.get("plan_in_force"))
                + "\n"
                + _below(metric, row)
            )
            line.append(_cell(text, row.get("is_met") is False, 7.5, True))
        table.append(line)
    name = 48 * MM
    width = (_FULL - name) / _AT_ONCE
    return grid(table, [_FULL - width * len(metrics)] + [width] * len(metrics), header=True)


def _below(metric: ReportedMetric, row: FigureRow) -> str:
    if metric.unit == "fraction":
        plan = row.get("plan_in_force")
        zero = f" ({PLAN_OF_ZERO})" if row.get("plan_status_code") == "zero" else ""
        return f"< {figure(plan, metric.unit)}{zero}" if plan is not None else NOTHING
    ratio = row.get("attainment_ratio")
    if isinstance(ratio, Decimal | int):
        return percent(ratio, 1)
    return verdict(row.get("is_met"), row.get("plan_status_code"))


def ranking_part(view: Overview) -> Iterator[Flowable]:
    """The ranking of agencies and of officers: rank and points, or why there is none."""
    for kind, title in (("agency", "Xếp hạng cơ quan"), ("officer", "Xếp hạng cán bộ thu")):
        rows = [row for row in view.release.ranking if row.get("participant_type") == kind]
        if not rows:
            continue
        yield PageBreak()
        yield _heading(title)
        if any(row.get("is_at_cutoff") is False for row in rows):
            said = "Xếp hạng tạm thời: số liệu chưa ở thời điểm chốt."
            yield Paragraph(said, style(9, True, spaceAfter=2 * MM))
        if any(row.get("not_considered_code") == "plan_zero" for row in rows):
            yield Paragraph(PLAN_OF_ZERO_RANKED, style(8, spaceAfter=2 * MM))
        titles = ("Hạng", "Tên", "Điểm", "Giải thích, hoặc lý do không xét")
        table = [[_cell(each, True, right=each == "Điểm") for each in titles]]
        table += [_ranking_line(view, row) for row in rows]
        yield grid(table, [13 * MM, 54 * MM, 22 * MM, _FULL - 89 * MM], header=True)
        yield from _points_part(view, kind)


def _ranking_line(view: Overview, row: FigureRow) -> list[Paragraph]:
    rank, points = row.get("rank_number"), row.get("total_points")
    is_aside = row.get("is_considered") is False
    reason = str(row.get("not_considered_reason_vi") or row.get("explanation_vi") or "")
    reason += f" ({PLAN_OF_ZERO})" if row.get("not_considered_code") == "plan_zero" else ""
    why = f"Không xét: {reason}" if is_aside else str(row.get("explanation_vi") or "")
    shared = " (đồng hạng)" if row.get("is_rank_shared") is True else ""
    name = str(row.get("participant_name") or row.get("participant_code") or "")
    code = str(row.get("participant_code") or "")
    told = name if code in name else f"{name}\n{code}"
    if row.get("participant_type") == "officer" and row.get("agency_name"):
        told += f"\n{view.short(row.get('agency_code'))}"
    return [
        _cell(number(rank) + shared if isinstance(rank, int | Decimal) else NOTHING, True),
        _cell(told),
        _cell(number(points, 4) if isinstance(points, Decimal | int) else NOTHING, False, 8, True),
        _cell(why, False, 7.5),
    ]


def _points_part(view: Overview, kind: str) -> Iterator[Flowable]:
    """The points per metric, so that a reader can add up the total."""
    points: dict[str, dict[str, str]] = {}
    codes: list[str] = []
    for row in view.release.rows("ranking_points"):
        if row.get("participant_type") != kind:
            continue
        got, code = row.get("points"), str(row.get("metric_code"))
        codes += [code] if code not in codes else []
        said = number(got, 4) if isinstance(got, Decimal | int) else NOTHING
        points.setdefault(str(row.get("participant_code")), {})[code] = said
    if not points:
        return
    codes = [code for code in view.metrics if code in codes] + sorted(
        set(codes) - set(view.metrics)
    )
    names = {str(row.get("participant_code")): row for row in view.release.ranking}
    yield _heading("Điểm từng chỉ tiêu")
    titles = [view.metrics[code].name if code in view.metrics else code for code in codes]
    table = [[_cell("Tên", True)] + [_cell(title, True, 7, True) for title in titles]]
    for who in [str(row.get("participant_code")) for row in view.release.ranking]:
        if who in points and names[who].get("participant_type") == kind:
            name = str(names[who].get("participant_name") or who)
            line = [_cell(name, False, 7.5)]
            line += [_cell(points[who].get(code, NOTHING), False, 7.5, True) for code in codes]
            table.append(line)
    width = min(24 * MM, (_FULL - 44 * MM) / len(codes))
    yield grid(table, [_FULL - width * len(codes)] + [width] * len(codes), header=True)


def checks_part(view: Overview) -> Iterator[Flowable]:
    """The preconditions that were not met when the release was sealed, and who overrode them."""
    rows = list(view.release.rows("checks"))
    if not rows:
        return
    yield PageBreak()
    yield _heading("Kiểm tra trước niêm phong")
    unmet = [row for row in rows if row.get("is_met") is False or is_overridden(row)]
    met = sum(row.get("is_met") is True for row in rows)
    yield Paragraph(f"Đáp ứng {met}/{len(rows)} điều kiện.", style(9.5, spaceAfter=2 * MM))
    if not unmet:
        yield Paragraph("Không có điều kiện nào được cho phép bỏ qua.", style(9.5))
        return
    yield Paragraph("Điều kiện chưa đáp ứng:", style(9.5, True))
    for row in unmet:
        yield Paragraph(escaped(shown(_check_name(row), 200)),
                        style(9.5, True, spaceBefore=2 * MM))  # fmt: skip
        for name, told in row.items():
            if name not in _TOLD_ELSEWHERE and told is not None:
                word = "có" if told is True else "không"
                said = word if isinstance(told, bool) else shown(str(told), _LONGEST)
                text = f"{TITLES.get(name, name)}: {said}"
                yield Paragraph(escaped(text), style(9, leftIndent=5 * MM))


def _check_name(row: FigureRow) -> str:
    return str(row.get("name_vi") or row.get("check_code") or "")


def issues_part(view: Overview) -> Iterator[Flowable]:
    """The known issues of the figures when they were sealed; equal ones are one line."""
    groups = grouped(view)
    yield _heading("Vấn đề đã biết")
    if not groups:
        yield Paragraph("Không có vấn đề nào được ghi nhận khi niêm phong.", style(9.5))
        return
    count = sum(len(group.subjects) for group in groups)
    if count > len(groups):
        said = f"{number(count)} vấn đề, gộp những điều như nhau thành {number(len(groups))} dòng."
        yield Paragraph(said, style(8, spaceAfter=1.5 * MM))
    table = [[_cell("Ở đâu", True), _cell("Nội dung", True)]]
    for group in groups[:_MOST_ROWS]:
        where = group.where(len(view.agencies)) or ", ".join(group.subjects)
        table.append([_cell(where), _cell(group.said)])
    yield grid(table, [70 * MM, _FULL - 70 * MM], header=True)
    if len(groups) > _MOST_ROWS:
        said = f"Còn {len(groups) - _MOST_ROWS} vấn đề khác: xem report.xlsx."
        yield Paragraph(said, style(9))


def changes_part(view: Overview) -> Iterator[Flowable]:
    """The values that a corrigendum changed, before and after."""
    if view.release.facts.kind != "corrigendum":
        return
    rows = list(view.release.rows("changes"))
    yield PageBreak()
    yield _heading("Đính chính: số liệu trước và sau")
    if not rows:
        yield Paragraph("Không có số liệu nào thay đổi.", style(9.5))
        return
    titles = ("Tệp", "Dòng", "Cột", "Trước", "Sau")
    table = [[_cell(each, True) for each in titles]]
    names = ("table_name", "row_key", "column_name", "value_before", "value_after")
    for row in rows[:_MOST_ROWS]:
        table.append([_cell(str(row.get(name) or NOTHING), False, 7.5) for name in names])
    widths = [28 * MM, 50 * MM, 30 * MM]
    rest = (_FULL - sum(widths)) / 2
    yield grid(table, [*widths, rest, rest], header=True)
    if len(rows) > _MOST_ROWS:
        yield Paragraph(f"Còn {len(rows) - _MOST_ROWS} thay đổi khác: xem report.xlsx.", style(9))
