"""Why every agency met a plan and the province did not, or the other way round."""

from collections.abc import Iterator
from decimal import Decimal

from chotso.reports.overview import Overview, ReportedMetric
from chotso.reports.words import figure, shown

_SHORT = 60


def surprises(view: Overview) -> Iterator[str]:
    """A sentence per metric in which the province's verdict is none of its agencies'."""
    for metric in view.metrics.values():
        met, judged = view.met(metric.code)
        whole = view.cell(view.whole, metric.code).get("is_met")
        if judged < 2 or not isinstance(whole, bool):
            continue
        if met == (0 if whole else judged):
            yield _sentence(view, metric, f"{met}/{judged}", whole)


def _sentence(view: Overview, metric: ReportedMetric, told: str, whole: bool) -> str:
    name = shown(view.whole.label if view.whole else "", _SHORT)
    verdict = "đạt" if whole else "không đạt"
    return f"{metric.name}: {told} cơ quan đạt nhưng {name} {verdict}, vì {_why(view, metric)}."


def _why(view: Overview, metric: ReportedMetric) -> str:
    own = view.cell(view.whole, metric.code)
    if metric.unit == "fraction":
        return (
            "tỷ lệ của tỉnh là tổng nợ chia cho tổng mẫu số, so với chỉ tiêu giao riêng cho tỉnh "
            f"({figure(own.get('plan_in_force'), metric.unit)})"
        )
    parts = ["tỉnh có kế hoạch riêng"]
    for column, what in (("plan_in_force", "kế hoạch"), ("actual_to_date", "thực hiện")):
        added = _added(view, metric, column)
        of_whole = own.get(column)
        if added is not None and of_whole is not None and of_whole != added:
            parts.append(
                f"{what} của tỉnh {figure(of_whole, metric.unit)}, "
                f"cộng các cơ quan {figure(added, metric.unit)}"
            )
    if metric.unit == "person":
        parts.append("người có ở nhiều cơ quan chỉ được đếm một lần ở tỉnh")
    return "; ".join(parts)


def _added(view: Overview, metric: ReportedMetric, column: str) -> Decimal | int | None:
    """The agencies' figures added up; None if one is not known."""
    found = [view.cell(unit, metric.code).get(column) for unit in view.units]
    known = [each for each in found if isinstance(each, int | Decimal)]
    return sum(known) if len(known) == len(found) else None
