"""The release in plain sentences: which plans the whole has met and which not."""

from collections.abc import Iterable
from decimal import Decimal

from chotso.reports.data import FigureRow
from chotso.reports.issues import grouped
from chotso.reports.overview import Overview, ReportedMetric
from chotso.reports.wholes import surprises
from chotso.reports.words import STAKES, figure, number, percent, shown, verdict

_FEW = 6
_SHORT = 60


def sentences(view: Overview) -> list[str]:
    """What the Director should know, most important first; one or two sentences each."""
    told = [*_of_the_whole(view), *_of_the_units(view), *surprises(view), *_of_the_ranking(view)]
    return told + _of_the_warnings(view)


def _of_the_whole(view: Overview) -> Iterable[str]:
    if view.whole is None:
        return
    rows = [(metric, view.cell(view.whole, metric.code)) for metric in view.metrics.values()]
    met = [metric for metric, row in rows if row.get("is_met") is True]
    missed = [(metric, row) for metric, row in rows if row.get("is_met") is False]
    name = shown(view.whole.label, _SHORT)
    if not met and not missed:
        yield f"{name} chưa có chỉ tiêu nào được giao kế hoạch để đánh giá."
        return
    yield f"{name} đạt {len(met)}/{len(met) + len(missed)} chỉ tiêu được giao kế hoạch."
    if missed:
        told = [f"{metric.name} ({_against(metric, row)})" for metric, row in missed]
        yield f"Chưa đạt: {listed(told, 'chỉ tiêu')}."
    yield from _of_the_collection(view)


def _against(metric: ReportedMetric, row: FigureRow) -> str:
    actual, plan = row.get("actual_to_date"), row.get("plan_in_force")
    if metric.unit == "fraction":
        return (
            f"{figure(actual, metric.unit, beside=plan)}, chỉ tiêu dưới {figure(plan, metric.unit)}"
        )
    ratio = row.get("attainment_ratio")
    return f"{percent(ratio, 1)} kế hoạch" if isinstance(ratio, Decimal | int) else "chưa có tỷ lệ"


def _of_the_collection(view: Overview) -> Iterable[str]:
    row = view.cell(view.whole, "collection_total")
    actual, plan = row.get("actual_to_date"), row.get("plan_in_force")
    ratio = row.get("attainment_ratio")
    if isinstance(actual, int) and isinstance(plan, int) and isinstance(ratio, Decimal):
        gap = plan - actual
        rest = f"còn thiếu {number(gap)} đồng" if gap > 0 else f"vượt {number(-gap)} đồng"
        if gap == 0:
            rest = "vừa đủ kế hoạch"
        share = f"{number(actual)} đồng, bằng {percent(ratio, 1)} kế hoạch năm"
        yield f"Tổng số thu đạt {share}; {rest}."


def _of_the_units(view: Overview) -> Iterable[str]:
    for code in ("collection_total", "arrears_ratio_total"):
        met, judged = view.met(code)
        if not judged:
            continue
        metric = view.metrics[code]
        missed = [
            shown(unit.short, _SHORT)
            for unit in view.units
            if view.cell(unit, code).get("is_met") is False
        ]
        rest = f" Chưa đạt: {listed(missed, 'cơ quan')}." if missed else ""
        yield f"{metric.name}: {met}/{judged} cơ quan đạt.{rest}"


def _of_the_ranking(view: Overview) -> Iterable[str]:
    rows = [row for row in view.release.ranking if row.get("participant_type") == "agency"]
    if not rows:
        return
    firsts = [f"{_name(row)} ({_points(row)} điểm)" for row in rows if row.get("rank_number") == 1]
    aside = sum(row.get("is_considered") is False for row in rows)
    yield (
        f"Xếp hạng: dẫn đầu là {listed(firsts, 'cơ quan')}; "
        f"{aside}/{len(rows)} cơ quan không được xét."
        if firsts
        else f"Xếp hạng: không có cơ quan nào được xếp hạng; {aside}/{len(rows)} cơ quan không "
        "được xét."
    )


def _name(row: FigureRow) -> str:
    return shown(str(row.get("participant_name") or row.get("participant_code")), _SHORT)


def _points(row: FigureRow) -> str:
    points = row.get("total_points")
    return number(points, 2) if isinstance(points, Decimal | int) else "chưa có"


def _of_the_warnings(view: Overview) -> list[str]:
    checks = list(view.release.rows("checks"))
    overridden = sum(is_overridden(row) for row in checks)
    unmet = sum(row.get("is_met") is False and not is_overridden(row) for row in checks)
    issues = len(grouped(view))
    rows = sum(_whole_number(row.get("row_count")) for row in view.release.rows("quarantine"))
    told = []
    if rows:
        told.append(
            f"Còn {number(rows)} dòng dữ liệu bị cách ly, chưa tính vào các số liệu này; "
            f"{_money_at_stake(view)}."
        )
    if unmet:
        told.append(f"Có {unmet} điều kiện niêm phong chưa đáp ứng, không được cho phép bỏ qua.")
    if overridden:
        told.append(
            f"Có {overridden} điều kiện niêm phong chưa đáp ứng, được hai người cho phép bỏ qua: "
            "xem mục Kiểm tra trước niêm phong."
        )
    if issues:
        told.append(f"Có {issues} vấn đề đã biết khi niêm phong: xem mục Vấn đề đã biết.")
    return told


def _money_at_stake(view: Overview) -> str:
    """Money in quarantine that could still change a figure to date; each đồng counts once."""
    tops = [view.whole] if view.whole else [a for a in view.agencies.values() if a.parent is None]
    codes = {agency.code for agency in tops}
    money: dict[str, int] = {}
    for row in view.release.rows("money_at_stake"):
        if row["agency_code"] in codes:
            kind = str(row["kind_code"])
            money[kind] = money.get(kind, 0) + _whole_number(row["at_stake_vnd"])
    if not money:
        return "không có khoản tiền nào trong đó có thể làm thay đổi số lũy kế"
    parts = [f"{name} {number(money[kind])}" for kind, name in STAKES.items() if kind in money]
    split = f" ({'; '.join(parts)})" if len(parts) > 1 else ""
    return (
        f"có thể làm thay đổi số lũy kế: {number(sum(money.values()))} đồng, mỗi đồng tính một lần"
        + split
    )


def _whole_number(amount: object) -> int:
    return amount if isinstance(amount, int) and not isinstance(amount, bool) else 0


def is_overridden(row: FigureRow) -> bool:
    """Whether a precondition was not met and was overridden."""
    return row.get("is_overridden") is True


def listed(names: list[str], what: str) -> str:
    """The first few names, and how many more there are."""
    if len(names) <= _FEW + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_FEW])} và {len(names) - _FEW} {what} khác"


def table_of_the_whole(view: Overview) -> list[list[str]]:
    """One row per metric: name, plan, actual, ratio, verdict, units that met it."""
    lines = []
    for metric in view.metrics.values():
        row = view.cell(view.whole, metric.code)
        ratio = row.get("attainment_ratio")
        met, judged = view.met(metric.code)
        below = "< " if metric.direction == "below" and row.get("plan_in_force") is not None else ""
        lines.append(
            [
                metric.name,
                below + figure(row.get("plan_in_force"), metric.unit),
                figure(row.get("actual_to_date"), metric.unit, beside=row.get("plan_in_force")),
                percent(ratio, 1)
                if isinstance(ratio, Decimal | int) and metric.unit != "fraction"
                else "",
                verdict(row.get("is_met"), row.get("plan_status_code")),
                f"{met}/{judged}" if judged else "",
            ]
        )
    return lines
