"""The sheets of the workbook: their data file, columns and titles."""

from collections.abc import Callable
from dataclasses import dataclass

from chotso.reports.data import Release, Row, Value
from chotso.reports.overview import Overview
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
    get: Callable[[Row], Value]
    source: str
    look: str = ""
    """`percent` for fractions, `money` for whole numbers, `points`, `month`; empty: by value."""


def _as_is(source: str) -> Callable[[Row], Value]:
    return lambda row: row.get(source)


def _said(source: str, words: dict[str, str]) -> Callable[[Row], Value]:
    def say(row: Row) -> Value:
        code = row.get(source)
        return words.get(code, code) if isinstance(code, str) else code

    return say


def _verdict(row: Row) -> Value:
    said = verdict(row.get("is_met"), row.get("plan_status_code"))
    return None if said == NOTHING else said


def _yes(source: str) -> Callable[[Row], Value]:
    return lambda row: {True: "Có", False: "Không"}.get(row.get(source) is True)


def _column(source: str, title: str, width: int, look: str = "") -> SheetColumn:
    return SheetColumn(title, width, _as_is(source), source, look)


def _words(source: str, title: str, width: int, words: dict[str, str]) -> SheetColumn:
    return SheetColumn(title, width, _said(source, words), source)


_AGENCY = (
    _column("agency_code", "Mã cơ quan", 12),
    _column("agency_name", "Cơ quan", 36),
)
_FIGURES = (
    _column("metric_code", "Mã chỉ tiêu", 26),
    _words("unit_code", "Đơn vị tính", 11, UNITS),
    _column("actual_month", "Trong tháng", 20, "figure"),
    _column("actual_to_date", "Lũy kế", 22, "figure"),
    _column("plan_original", "Kế hoạch đầu năm", 22, "figure"),
    _column("plan_in_force", "Kế hoạch đang áp dụng", 22, "figure"),
    _column("plan_final", "Kế hoạch sau cùng", 22, "figure"),
    _words("plan_status_code", "Tình trạng kế hoạch", 18, PLAN_STATUSES),
    _column("attainment_ratio", "So với kế hoạch", 12, "percent"),
    SheetColumn("Kết quả", 11, _verdict, "is_met"),
)
ATTAINMENT = (
    *_AGENCY,
    _column("parent_agency_name", "Cơ quan cấp trên", 32),
    _column("month", "Tháng", 9, "month"),
    _column("metric_name_vi", "Chỉ tiêu", 34),
    *_FIGURES,
    _column("quarantined_money", "Cách ly trong tháng (đồng)", 20, "money"),
    _column("quarantined_to_date", "Cách ly lũy kế (đồng)", 20, "money"),
)
ARREARS = (
    *_AGENCY,
    _column("month", "Tháng", 9, "month"),
    _words("group_code", "Nhóm quỹ", 10, GROUPS),
    _words("variant_code", "Cách tính", 32, VARIANTS),
    SheetColumn("Cách tính chính thức", 12, _yes("is_official"), "is_official"),
    _column("numerator", "Nợ (đồng)", 22, "money"),
    _column("denominator", "Mẫu số (đồng)", 24, "money"),
    _column("ratio", "Tỷ lệ nợ", 11, "percent"),
    SheetColumn("Kết quả", 11, _verdict, "is_met"),
    SheetColumn(
        "Cách tính quyết định kết quả", 14, _yes("has_differing_verdicts"), "has_differing_verdicts"
    ),
)
EMPLOYERS = (
    *_AGENCY,
    _column("employer_code", "Mã đơn vị", 20),
    _column("employer_name", "Đơn vị (trống: tên cá nhân, không nêu)", 40),
    _column("month", "Tháng", 9, "month"),
    _column("arrears_vnd", "Nợ gốc (đồng)", 20, "money"),
    _column("arrears_si_vnd", "Trong đó BHXH", 18, "money"),
    _column("arrears_ui_vnd", "BHTN", 18, "money"),
    _column("arrears_hi_vnd", "BHYT", 18, "money"),
    _column("interest_bearing_arrears_vnd", "Nợ phải tính lãi (đồng)", 20, "money"),
    _column("surplus_vnd", "Số thừa (đồng)", 18, "money"),
    _column("interest_closing_vnd", "Lãi cuối kỳ (đồng)", 18, "money"),
    _column("months_owed_count", "Số tháng nợ", 11),
    _words("debt_class_code", "Loại nợ", 20, DEBT_CLASSES),
    _words("employer_status_code", "Tình trạng", 18, STATUSES),
)
RANKING = (
    _words("participant_type", "Đối tượng", 12, PARTICIPANTS),
    _column("rank_number", "Hạng", 8, "plain"),
    _column("participant_code", "Mã", 14),
    _column("participant_name", "Tên", 40),
    *_AGENCY,
    _column("total_points", "Tổng điểm", 12, "points"),
    _column("full_points", "Điểm tối đa", 12, "points"),
    SheetColumn("Được xét", 10, _yes("is_considered"), "is_considered"),
    _column("not_considered_reason_vi", "Lý do không xét", 60),
    SheetColumn("Đồng hạng", 10, _yes("is_rank_shared"), "is_rank_shared"),
    _column("explanation_vi", "Giải thích", 80),
)
POINTS = (
    _words("participant_type", "Đối tượng", 12, PARTICIPANTS),
    _column("participant_code", "Mã", 14),
    _column("metric_name_vi", "Chỉ tiêu", 34),
    _column("actual_to_date", "Thực hiện", 22, "figure"),
    _column("plan_in_force", "Kế hoạch", 22, "figure"),
    _column("attainment_ratio", "So với kế hoạch", 12, "percent"),
    _column("weight_points", "Điểm tối đa", 12, "points"),
    _column("points", "Điểm", 12, "points"),
    _column("explanation_vi", "Giải thích", 90),
)
OFFICERS = (
    *_AGENCY,
    _column("officer_code", "Mã cán bộ", 16),
    _column("officer_name", "Cán bộ thu", 30),
    _column("month", "Tháng", 9, "month"),
    *_FIGURES,
)
RECONCILIATION = (
    *_AGENCY,
    _column("month", "Tháng", 9, "month"),
    _words("group_code", "Nhóm quỹ", 10, GROUPS),
    _column("category_name_vi", "Kết quả đối chiếu", 30),
    _column("row_count", "Số dòng", 12, "money"),
    _column("allocated_vnd", "Phân bổ trên C12 (đồng)", 22, "money"),
    _column("paid_vnd", "Đã thu (đồng)", 22, "money"),
    _column("difference_vnd", "Chênh lệch (đồng)", 22, "money"),
)
QUARANTINE = (
    _column("feed_code", "Nguồn", 28),
    _column("rule_id", "Quy tắc", 40),
    _column("row_count", "Số dòng", 12, "money"),
    _column("money_vnd", "Số tiền (đồng)", 22, "money"),
    _column("first_seen_at", "Thấy lần đầu", 20),
    _column("last_seen_at", "Thấy lần cuối", 20),
)
STAKE = (
    *_AGENCY,
    _words("kind_code", "Loại", 14, STAKES),
    _column("at_stake_vnd", "Số tiền (đồng)", 22, "money"),
)
ISSUES = (
    _column("issue_code", "Loại vấn đề", 32),
    _column("subject_code", "Mã", 36),
    _column("sentence_vi", "Nội dung", 110),
)
CHECKS = (
    _column("name_vi", "Điều kiện", 52),
    SheetColumn("Kết quả", 12, _verdict, "is_met"),
    _column("observed", "Thực tế", 36),
    _column("wanted", "Yêu cầu", 36),
    SheetColumn("Được phép bỏ qua", 12, _yes("is_overridden"), "is_overridden"),
    _column("override_reason", "Lý do bỏ qua", 50),
    _column("overridden_by", "Hai người cho phép", 36),
    _column("check_code", "Mã điều kiện", 32),
)
CHANGES = (
    _column("table_name", "Tệp dữ liệu", 24),
    _column("row_key", "Dòng", 50),
    _column("column_name", "Cột", 24),
    _column("value_before", "Trước", 34),
    _column("value_after", "Sau", 34),
)
TITLES = {
    column.source: column.title
    for column in (*ATTAINMENT, *ARREARS, *EMPLOYERS, *RANKING, *QUARANTINE, *CHECKS)
} | {"change_code": "Loại thay đổi"}


def columns_of(
    release: Release, table: str, chosen: tuple[SheetColumn, ...], rest: bool
) -> list[SheetColumn]:
    """The chosen columns that the data file has, followed by its other columns if asked."""
    present = release.columns(table)
    kept = [column for column in chosen if column.source in present]
    if rest:
        known = {column.source for column in kept}
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


def tables(view: Overview) -> list[tuple[str, str, str, tuple[SheetColumn, ...], bool]]:
    """Sheets that show a data file: sheet, file, note, columns, and whether to add the rest."""
    newest = f"tháng {view.month.month:02d}/{view.month.year}"
    return [
        ("Kết quả theo cơ quan", "attainment",
         "Từng cơ quan, từng tháng, từng chỉ tiêu.", ATTAINMENT, False),
        ("Nợ", "arrears_ratio",
         "Tỷ lệ nợ theo bốn cách tính; cách tính chính thức được đánh dấu.", ARREARS, False),
        ("Nợ theo đơn vị", "employer_arrears",
         f"Đơn vị còn nợ gốc, {newest}; các tháng khác: data/employer_arrears.csv.", EMPLOYERS,
         False),
        ("Xếp hạng", "ranking", "Thứ hạng, hoặc lý do không xét.", RANKING, False),
        ("Điểm", "ranking_points", "Điểm từng chỉ tiêu và cách tính ra điểm.", POINTS, False),
        ("Cán bộ", "officer_attainment",
         f"Từng cán bộ thu, {newest}; các tháng khác: data/officer_attainment.csv.", OFFICERS,
         False),
        ("Đối chiếu", "reconciliation",
         "Sổ C12 đối chiếu với chứng từ thu, theo cơ quan, tháng, nhóm quỹ.", RECONCILIATION,
         False),
        ("Cách ly", "quarantine",
         "Dữ liệu bị giữ lại khi niêm phong, theo nguồn và quy tắc, như đã nhận: chứng từ và các "
         "dòng của nó là một khoản, không cộng với nhau.", QUARANTINE, False),
        ("Tiền cách ly", "money_at_stake",
         f"Tiền bị giữ lại có thể làm thay đổi số lũy kế {newest}, mỗi đồng tính một lần.",
         STAKE, False),
        ("Vấn đề đã biết", "known_issues",
         "Điều đã biết về các số liệu khi niêm phong.", ISSUES, False),
        ("Kiểm tra trước niêm phong", "checks",
         "Điều kiện để niêm phong; điều kiện được bỏ qua có tên hai người.", CHECKS, False),
        ("Đính chính", "changes",
         "Số liệu trước và sau đính chính.", CHANGES, True),
    ]  # fmt: skip
