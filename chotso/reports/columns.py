"""Columns of the workbook's sheets: names before figures, codes last."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chotso.reports.data import FigureRow, FigureValue
from chotso.reports.registered import feed_name, rule_sentence
from chotso.reports.words import (
    DEBT_CLASSES,
    GROUPS,
    NOTHING,
    PARTICIPANTS,
    PLAN_STATUSES,
    STAKES,
    STATUSES,
    UNITS,
    VARIANTS,
    verdict,
)


@dataclass(frozen=True)
class SheetColumn:
    """A column of a sheet: its title, its width in characters, and its field."""

    title: str
    width: int
    get: Callable[[FigureRow], FigureValue]
    source: str
    look: str = ""
    """`percent` for fractions, `money` for whole numbers, `points`, `month`; empty: by value."""


def _as_is(source: str) -> Callable[[FigureRow], FigureValue]:
    return lambda row: row.get(source)


def _said(source: str, words: Mapping[str, str]) -> Callable[[FigureRow], FigureValue]:
    def say(row: FigureRow) -> FigureValue:
        code = row.get(source)
        return words.get(code, code) if isinstance(code, str) else code

    return say


def _named(source: str, name_of: Callable[[str], str]) -> Callable[[FigureRow], FigureValue]:
    return lambda row: None if row.get(source) is None else name_of(str(row[source]))


def _verdict(row: FigureRow) -> FigureValue:
    said = verdict(row.get("is_met"), row.get("plan_status_code"))
    return None if said == NOTHING else said


def _yes(source: str) -> Callable[[FigureRow], FigureValue]:
    return lambda row: {True: "Có", False: "Không"}.get(row.get(source) is True)


def column(source: str, title: str, width: int, look: str = "") -> SheetColumn:
    """A column that shows a field as it is."""
    return SheetColumn(title, width, _as_is(source), source, look)


def _words(source: str, title: str, width: int, words: Mapping[str, str]) -> SheetColumn:
    return SheetColumn(title, width, _said(source, words), source)


MONTH = column("month", "Tháng", 9, "month")
AGENCY_CODE = column("agency_code", "Mã cơ quan", 12)
MET = SheetColumn("Kết quả", 15, _verdict, "is_met")
_PARTICIPANT = _words("participant_type", "Đối tượng", 11, PARTICIPANTS)
_FIGURES = (
    _words("unit_code", "Đơn vị tính", 8, UNITS),
    column("actual_month", "Trong tháng", 19, "figure"),
    column("actual_to_date", "Lũy kế", 19, "figure"),
    column("plan_in_force", "Kế hoạch đang áp dụng", 19, "figure"),
    column("attainment_ratio", "So với kế hoạch", 11, "percent"),
    MET,
)
_PLANS = (
    column("plan_original", "Kế hoạch đầu năm", 20, "figure"),
    column("plan_final", "Kế hoạch sau cùng", 20, "figure"),
    _words("plan_status_code", "Tình trạng kế hoạch", 18, PLAN_STATUSES),
)
_METRIC_CODE = column("metric_code", "Mã chỉ tiêu", 26)
ATTAINMENT = (
    column("metric_name_vi", "Chỉ tiêu", 32),
    MONTH,
    *_FIGURES,
    *_PLANS,
    column("quarantined_money", "Cách ly trong tháng (đồng)", 20, "money"),
    column("quarantined_to_date", "Cách ly lũy kế (đồng)", 20, "money"),
    column("parent_agency_name", "Cơ quan cấp trên", 32),
    AGENCY_CODE,
    _METRIC_CODE,
)
ARREARS = (
    _words("group_code", "Nhóm quỹ", 15, GROUPS),
    MONTH,
    _words("variant_code", "Cách tính", 30, VARIANTS),
    SheetColumn("Cách tính chính thức", 12, _yes("is_official"), "is_official"),
    column("numerator", "Nợ (đồng)", 20, "money"),
    column("denominator", "Mẫu số (đồng)", 21, "money"),
    column("ratio", "Tỷ lệ nợ", 11, "percent"),
    MET,
    SheetColumn(
        "Cách tính quyết định kết quả", 14, _yes("has_differing_verdicts"), "has_differing_verdicts"
    ),
    AGENCY_CODE,
)
EMPLOYERS = (
    column("employer_name", "Đơn vị (trống: tên cá nhân, không nêu)", 46),
    column("arrears_vnd", "Nợ gốc (đồng)", 18, "money"),
    column("months_owed_count", "Số tháng nợ", 8),
    _words("debt_class_code", "Loại nợ", 18, DEBT_CLASSES),
    _words("employer_status_code", "Tình trạng", 16, STATUSES),
    column("employer_code", "Mã đơn vị", 13),
    MONTH,
    column("arrears_si_vnd", "Trong đó BHXH", 18, "money"),
    column("arrears_ui_vnd", "BHTN", 18, "money"),
    column("arrears_hi_vnd", "BHYT", 18, "money"),
    column("interest_bearing_arrears_vnd", "Nợ phải tính lãi (đồng)", 20, "money"),
    column("surplus_vnd", "Số thừa (đồng)", 18, "money"),
    column("interest_closing_vnd", "Lãi cuối kỳ (đồng)", 18, "money"),
    AGENCY_CODE,
)
RANKING = (
    column("rank_number", "Hạng", 7, "plain"),
    column("participant_name", "Tên", 36),
    _PARTICIPANT,
    column("total_points", "Tổng điểm", 11, "points"),
    SheetColumn("Được xét", 9, _yes("is_considered"), "is_considered"),
    SheetColumn("Đồng hạng", 9, _yes("is_rank_shared"), "is_rank_shared"),
    column("explanation_vi", "Giải thích", 74),
    column("full_points", "Điểm tối đa", 12, "points"),
    column("not_considered_reason_vi", "Lý do không xét", 60),
    column("participant_code", "Mã", 14),
    AGENCY_CODE,
)
POINTS = (
    column("metric_name_vi", "Chỉ tiêu", 30),
    column("actual_to_date", "Thực hiện", 19, "figure"),
    column("plan_in_force", "Kế hoạch", 19, "figure"),
    column("attainment_ratio", "So với kế hoạch", 11, "percent"),
    column("weight_points", "Điểm tối đa", 10, "points"),
    column("points", "Điểm", 10, "points"),
    column("explanation_vi", "Giải thích", 60),
    _PARTICIPANT,
    column("participant_code", "Mã", 14),
    _METRIC_CODE,
)
OFFICERS = (
    column("officer_name", "Cán bộ thu", 30),
    column("officer_code", "Mã cán bộ", 12),
    *_FIGURES,
    MONTH,
    *_PLANS,
    AGENCY_CODE,
    _METRIC_CODE,
)
RECONCILIATION = (
    MONTH,
    _words("group_code", "Nhóm quỹ", 15, GROUPS),
    column("category_name_vi", "Kết quả đối chiếu", 36),
    column("row_count", "Số dòng", 10, "money"),
    column("allocated_vnd", "Phân bổ trên C12 (đồng)", 20, "money"),
    column("paid_vnd", "Đã thu (đồng)", 20, "money"),
    column("difference_vnd", "Chênh lệch (đồng)", 20, "money"),
    AGENCY_CODE,
)
QUARANTINE = (
    SheetColumn("Nguồn", 26, _named("feed_code", feed_name), "feed_code"),
    SheetColumn("Quy tắc", 60, _named("rule_id", rule_sentence), "rule_id"),
    column("row_count", "Số dòng", 9, "money"),
    column("money_vnd", "Số tiền (đồng)", 18, "money"),
    column("first_seen_at", "Thấy lần đầu", 19),
    column("last_seen_at", "Thấy lần cuối", 19),
    column("rule_id", "Mã quy tắc", 40),
)
STAKE = (
    _words("kind_code", "Loại", 16, STAKES),
    MONTH,
    column("at_stake_vnd", "Số tiền (đồng)", 22, "money"),
    AGENCY_CODE,
)
CHECKS = (
    column("name_vi", "Điều kiện", 42),
    MET,
    column("observed", "Thực tế", 28),
    column("wanted", "Yêu cầu", 28),
    SheetColumn("Được phép bỏ qua", 10, _yes("is_overridden"), "is_overridden"),
    column("override_reason", "Lý do bỏ qua", 34),
    column("overridden_by", "Hai người cho phép", 28),
    column("check_code", "Mã điều kiện", 32),
)
CHANGES = (
    column("table_name", "Tệp dữ liệu", 22),
    column("row_key", "Dòng", 44),
    column("column_name", "Cột", 22),
    column("value_before", "Trước", 30),
    column("value_after", "Sau", 30),
)
TITLES = {
    each.source: each.title
    for each in (AGENCY_CODE, *ATTAINMENT, *ARREARS, *EMPLOYERS, *RANKING, *QUARANTINE, *CHECKS)
} | {"agency_name": "Cơ quan", "change_code": "Loại thay đổi"}


def columns_of(
    present: list[str], chosen: tuple[SheetColumn, ...], rest: bool
) -> list[SheetColumn]:
    """The chosen columns that the data file has, followed by its other columns if asked.

    Args:
        present: The columns of the data file; none if there is no such file.
        chosen: In the order of the sheet.
        rest: Whether the file's other columns follow.
    """
    kept = [each for each in chosen if each.source in present]
    if rest:
        known = {each.source for each in kept}
        kept += [
            SheetColumn(TITLES.get(name, name), _width(name), _as_is(name), name, _look(name))
            for name in present
            if name not in known and not name.endswith(("_en", "_key"))
        ]
    return kept


def _width(name: str) -> int:
    return 20 if name.endswith(("_vnd", "rows", "_count", "money", "_at")) else 36


def _look(name: str) -> str:
    if name.endswith("_ratio"):
        return "percent"
    return "money" if name.endswith(("_vnd", "rows", "_count", "money")) else ""
