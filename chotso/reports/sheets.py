"""The sheets of the workbook in reading order: rows, columns, and what of them is printed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from chotso.reports import columns as of
from chotso.reports.columns import SheetColumn, columns_of
from chotso.reports.data import FigureRow
from chotso.reports.issues import grouped
from chotso.reports.overview import Overview
from chotso.reports.words import PLAN_OF_ZERO_RANKED


@dataclass(frozen=True)
class WorkbookSheet:
    """A sheet with a line per row; what is not printed stands to the right or below."""

    name: str
    note: str
    columns: list[SheetColumn]
    rows: Iterable[FigureRow]
    printed_columns: int
    is_printed: Callable[[FigureRow], bool] = lambda _: True
    """Whether a row is printed; rows that are come first."""


def sheets(view: Overview) -> Iterator[WorkbookSheet]:
    """The sheets that the release has data for, after the overview and before the facts."""
    for made in (_corrected, _results, _ranking, _points, _arrears, _debtors, _officers,
                 _reconciled, _at_stake, _set_aside, _issues, _checks):  # fmt: skip
        sheet = made(view)
        if sheet is not None:
            yield sheet


def _agency(view: Overview) -> SheetColumn:
    return SheetColumn("Cơ quan", 29, view.name_in, "agency_name")


def _metric(view: Overview) -> SheetColumn:
    """A metric's name for files that have its code alone."""

    def name(row: FigureRow) -> str:
        metric = view.metrics.get(str(row.get("metric_code")))
        return metric.name if metric else str(row.get("metric_code"))

    return SheetColumn("Chỉ tiêu", 32, name, "metric_code")


def _made(view: Overview, name: str, table: str, note: str, chosen: tuple[SheetColumn, ...],
          printed: int = 99, rows: Iterable[FigureRow] | None = None,
          is_printed: Callable[[FigureRow], bool] = lambda _: True,
          rest: bool = False) -> WorkbookSheet | None:  # fmt: skip
    """A sheet of a data file; None if the release has no such file."""
    present = view.release.columns(table)
    if not present:
        return None
    kept = columns_of(present, chosen, rest)
    shown = columns_of(present, chosen[:printed], False)
    rows = view.release.rows(table) if rows is None else rows
    return WorkbookSheet(name, note, kept, rows, len(shown) if not rest else len(kept), is_printed)


def _newest(view: Overview) -> str:
    return f"tháng {view.month.month:02d}/{view.month.year}"


def _printed(view: Overview) -> str:
    return f"Bản in: {_newest(view)}; các tháng khác ở dưới."


def _of_month(view: Overview) -> Callable[[FigureRow], bool]:
    return lambda row: row.get("month") == view.month


def _newest_first(view: Overview, rows: Iterable[FigureRow]) -> list[FigureRow]:
    """The judged month's rows first, then the others from the newest; otherwise in their order."""

    def place(row: FigureRow) -> tuple[bool, int]:
        month = row.get("month")
        days = month.toordinal() if isinstance(month, date) else 0
        return month != view.month, -days

    return sorted(rows, key=place)


def _results(view: Overview) -> WorkbookSheet | None:
    metrics = {code: place for place, code in enumerate(view.metrics)}
    whole = view.whole.code if view.whole else None

    def place(row: FigureRow) -> tuple[bool, str, int]:
        code = row["agency_code"]
        return code != whole, str(code), metrics.get(str(row["metric_code"]), len(metrics))

    rows = _newest_first(view, sorted(view.release.attainment, key=place))
    return _made(
        view, "Kết quả theo cơ quan", "attainment",
        f"Từng cơ quan, từng chỉ tiêu, từng tháng. {_printed(view)}",
        (_agency(view), *of.ATTAINMENT), 9, rows, _of_month(view),
    )  # fmt: skip


def _ranking(view: Overview) -> WorkbookSheet | None:
    chosen = (*of.RANKING[:2], _agency(view), *of.RANKING[2:])
    note = "Thứ hạng, hoặc lý do không xét."
    if any(row.get("not_considered_code") == "plan_zero" for row in view.release.ranking):
        note += f" {PLAN_OF_ZERO_RANKED}"
    return _made(view, "Xếp hạng", "ranking", note, chosen, 8, view.release.ranking)


def _points(view: Overview) -> WorkbookSheet | None:
    names = {
        (row.get("participant_type"), row.get("participant_code")): row.get("participant_name")
        for row in view.release.ranking
    }

    def name(row: FigureRow) -> str | None:
        found = names.get((row.get("participant_type"), row.get("participant_code")))
        return None if found is None else str(found)

    named = SheetColumn("Tên", 34, name, "participant_code")
    note = "Điểm từng chỉ tiêu và cách tính ra điểm."
    return _made(view, "Điểm", "ranking_points", note, (named, *of.POINTS), 8)


def _arrears(view: Overview) -> WorkbookSheet | None:
    rows = sorted(
        view.release.rows("arrears_ratio"), key=lambda row: row["is_official"] is not True
    )
    is_of_month = _of_month(view)
    return _made(
        view, "Nợ", "arrears_ratio",
        f"Tỷ lệ nợ theo bốn cách tính. Bản in: cách tính chính thức, {_newest(view)}; các cách "
        "tính và các tháng khác ở dưới.",
        (_agency(view), *of.ARREARS), 9, _newest_first(view, rows),
        lambda row: is_of_month(row) and row["is_official"] is True,
    )  # fmt: skip


def _debtors(view: Overview) -> WorkbookSheet | None:
    return _made(
        view, "Nợ theo đơn vị", "employer_arrears",
        f"Đơn vị còn nợ gốc, {_newest(view)}; các tháng khác: data/employer_arrears.csv.",
        (_agency(view), *of.EMPLOYERS), 7, view.debts.owing,
    )  # fmt: skip


def _officers(view: Overview) -> WorkbookSheet | None:
    """The judged month; figures with a plan first, which alone are printed."""
    is_of_month = _of_month(view)
    metrics = {code: place for place, code in enumerate(view.metrics)}

    def place(row: FigureRow) -> tuple[bool, str, str, int]:
        metric = metrics.get(str(row["metric_code"]), len(metrics))
        return not _has_plan(row), str(row["agency_code"]), str(row["officer_code"]), metric

    rows = [row for row in view.release.rows("officer_attainment") if is_of_month(row)]
    return _made(
        view, "Cán bộ", "officer_attainment",
        f"Từng cán bộ thu, {_newest(view)}; các tháng khác: data/officer_attainment.csv. Bản in: "
        "chỉ tiêu được giao kế hoạch; các số khác ở dưới.",
        (_agency(view), *of.OFFICERS[:2], _metric(view), *of.OFFICERS[2:]), 10,
        sorted(rows, key=place), _has_plan,
    )  # fmt: skip


def _has_plan(row: FigureRow) -> bool:
    return row.get("plan_in_force") is not None


def _reconciled(view: Overview) -> WorkbookSheet | None:
    return _made(
        view, "Đối chiếu", "reconciliation",
        "Sổ C12 đối chiếu với chứng từ thu, theo cơ quan, tháng, nhóm quỹ. " + _printed(view),
        (_agency(view), *of.RECONCILIATION), 8,
        _newest_first(view, view.release.rows("reconciliation")), _of_month(view),
    )  # fmt: skip


def _at_stake(view: Overview) -> WorkbookSheet | None:
    return _made(
        view, "Tiền cách ly", "money_at_stake",
        f"Tiền bị giữ lại có thể làm thay đổi số lũy kế {_newest(view)}, mỗi đồng tính một lần. "
        "Dòng toàn tỉnh đã gồm các cơ quan, không cộng với nhau.",
        (_agency(view), *of.STAKE),
    )  # fmt: skip


def _set_aside(view: Overview) -> WorkbookSheet | None:
    return _made(
        view, "Cách ly", "quarantine",
        "Dữ liệu bị giữ lại khi niêm phong, theo nguồn và quy tắc, như đã nhận: chứng từ và các "
        "dòng của nó là một khoản, không cộng với nhau. Tiền tính một lần: xem Tiền cách ly.",
        of.QUARANTINE, 6,
    )  # fmt: skip


def _issues(view: Overview) -> WorkbookSheet | None:
    """Groups of equal issues as rows."""
    if not view.release.columns("known_issues"):
        return None
    count = len(view.agencies)
    rows: list[FigureRow] = [
        {
            "where": group.where(count),
            "sentence_vi": group.said,
            "count": len(group.subjects),
            "issue_code": group.code,
            "subject_code": ", ".join(group.subjects),
        }
        for group in grouped(view)
    ]
    columns = [
        of.column("where", "Ở đâu", 44),
        of.column("sentence_vi", "Nội dung", 90),
        of.column("count", "Số vấn đề", 9),
        of.column("issue_code", "Loại vấn đề", 32),
        of.column("subject_code", "Mã", 36),
    ]
    note = "Điều đã biết về các số liệu khi niêm phong; điều như nhau ở nhiều nơi là một dòng."
    return WorkbookSheet("Vấn đề đã biết", note, columns, rows, 3)


def _checks(view: Overview) -> WorkbookSheet | None:
    note = "Điều kiện để niêm phong; điều kiện được bỏ qua có tên hai người."
    return _made(view, "Kiểm tra trước niêm phong", "checks", note, of.CHECKS, 7)


def _corrected(view: Overview) -> WorkbookSheet | None:
    note = "Số liệu trước và sau đính chính."
    return _made(view, "Đính chính", "changes", note, of.CHANGES, rest=True)
