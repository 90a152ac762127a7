"""The workbook says what the data files say, to the last digit, and runs nothing."""

import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from chotso.reports import write_reports
from chotso.reports.words import REHEARSAL, shown
from tests.worlds import report_worlds as worlds
from tests.worlds.report_worlds import raw

FIGURES = {
    "Trong tháng": "actual_month",
    "Lũy kế": "actual_to_date",
    "Kế hoạch đầu năm": "plan_original",
    "Kế hoạch đang áp dụng": "plan_in_force",
    "Kế hoạch sau cùng": "plan_final",
    "So với kế hoạch": "attainment_ratio",
    "Cách ly trong tháng (đồng)": "quarantined_money",
    "Cách ly lũy kế (đồng)": "quarantined_to_date",
}


def sheet(folder: Path, name: str) -> list[dict[str, Any]]:
    book = CalamineWorkbook.from_path(str(folder / "report.xlsx"))
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    titles = [str(title) for title in rows[2]]
    return [dict(zip(titles, row, strict=True)) for row in rows[3:]]


def number(cell: object) -> Decimal | None:
    return None if cell == "" else Decimal(str(cell))


def parts(path: Path, pattern: str) -> dict[str, str]:
    with zipfile.ZipFile(path) as file:
        return {
            name: file.read(name).decode() for name in file.namelist() if re.search(pattern, name)
        }


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = worlds.province(tmp_path_factory.mktemp("province"))
    write_reports(folder, worlds.FACTS)
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = worlds.hostile(tmp_path_factory.mktemp("hostile"))
    write_reports(folder, worlds.FACTS)
    return folder


@pytest.mark.parametrize("world", ["province", "hostile"])
def test_every_figure_of_the_attainment_is_the_data_files(
    world: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(world)
    expected = {(row["agency_code"], row["month"], row["metric_code"]): row
                for row in raw(folder, "attainment")}  # fmt: skip
    found = sheet(folder, "Kết quả theo cơ quan")
    assert len(found) == len(expected) > 1000
    assert found[0]["Tháng"] == date(2021, 12, 1)
    assert len({cells["Tháng"] for cells in found[: len(found) // 12]}) == 1, "judged month first"
    for cells in found:
        month = cells["Tháng"].isoformat()
        row = expected.pop((cells["Mã cơ quan"], month, cells["Mã chỉ tiêu"]))
        for title, column in FIGURES.items():
            sealed = None if row[column] == "\\N" else Decimal(row[column])
            assert number(cells[title]) == sealed, (title, row)


def test_the_other_sheets_have_the_data_files_figures(province: Path) -> None:
    for name, table, figures in (
        ("Nợ", "arrears_ratio",
         {"Nợ (đồng)": "numerator", "Mẫu số (đồng)": "denominator", "Tỷ lệ nợ": "ratio"}),
        ("Điểm", "ranking_points", {"Điểm": "points", "Thực hiện": "actual_to_date"}),
        ("Đối chiếu", "reconciliation",
         {"Số dòng": "row_count", "Đã thu (đồng)": "paid_vnd",
          "Chênh lệch (đồng)": "difference_vnd"}),
        ("Cách ly", "quarantine", {"Số dòng": "row_count", "Số tiền (đồng)": "money_vnd"}),
    ):  # fmt: skip
        expected, found = raw(province, table), sheet(province, name)
        assert len(found) == len(expected) > 0
        codes = {"Mã cơ quan": "agency_code", "Mã": "participant_code", "Mã quy tắc": "rule_id"}
        keys = {title: column for title, column in codes.items() if title in found[0]}
        assert sorted(
            ([str(cells[title]) for title in keys], [number(cells[title]) for title in figures])
            for cells in found
        ) == sorted(
            (
                [row[column] for column in keys.values()],
                [None if row[column] == "\\N" else Decimal(row[column])
                 for column in figures.values()],
            )
            for row in expected
        ), name  # fmt: skip


def test_long_files_show_the_judged_month_and_debtors_largest_first(province: Path) -> None:
    owing = [
        int(row["arrears_vnd"])
        for row in raw(province, "employer_arrears")
        if row["month"] == "2021-12-01" and row["arrears_vnd"] != "0"
    ]
    found = [int(row["Nợ gốc (đồng)"]) for row in sheet(province, "Nợ theo đơn vị")]
    assert found == sorted(owing, reverse=True)
    months = {row["Tháng"] for row in sheet(province, "Cán bộ")}
    assert months == {date(2021, 12, 1)}


def test_texts_stay_texts_and_nothing_is_a_formula_or_a_link(hostile: Path) -> None:
    names = {row["Cơ quan"] for row in sheet(hostile, "Kết quả theo cơ quan")}
    subjects = {row["Mã"] for row in sheet(hostile, "Vấn đề đã biết")}
    # calamine reads `_x0041_` as Excel does: the escaped form must give the text itself back
    for text in worlds.HOSTILE:
        assert shown(text) in subjects | {""}, text
        assert shown(text or "x") in names, text
    for name, content in parts(hostile / "report.xlsx", r"sheet\d+\.xml$").items():
        assert "<f>" not in content, name
        assert "<hyperlink" not in content, name


def test_a_workbook_written_without_care_would_hold_formulas(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "naive.xlsx") as book:
        careless = book.add_worksheet()
        for row, text in enumerate(worlds.HOSTILE):
            careless.write(row, 0, text)
    assert "<f>" in "".join(parts(tmp_path / "naive.xlsx", r"sheet\d+\.xml$").values())


def test_sheets_can_be_read_and_printed(province: Path) -> None:
    sheets = parts(province / "report.xlsx", r"worksheets/sheet\d+\.xml$")
    assert len(sheets) == 13
    for name, content in sheets.items():
        assert 'state="frozen"' in content, name
        assert 'paperSize="9" orientation="landscape"' in content or (
            'paperSize="9"' in content and 'orientation="landscape"' in content
        ), name
        assert worlds.FACTS.data_root in content, name
    book = parts(province / "report.xlsx", r"xl/workbook\.xml$")["xl/workbook.xml"]
    assert book.count("_xlnm.Print_Titles") == book.count("_xlnm._FilterDatabase") == 11


@pytest.mark.parametrize(
    ("facts", "words"),
    [(worlds.REHEARSAL, REHEARSAL), (worlds.CORRIGENDUM, "thay cho sprint-2021-q4")],
)
def test_every_sheet_says_if_it_is_no_original(tmp_path: Path, facts: Any, words: str) -> None:
    write_reports(worlds.province(tmp_path, months=1), facts)
    book = CalamineWorkbook.from_path(str(tmp_path / "report.xlsx"))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        # the overview begins with the official heading
        assert words in str(rows[5 if name == "Tổng quan" else 1][0]), name


def test_a_corrigendum_says_why_and_who(tmp_path: Path) -> None:
    write_reports(worlds.province(tmp_path, months=1), worlds.CORRIGENDUM)
    book = CalamineWorkbook.from_path(str(tmp_path / "report.xlsx"))
    told = book.get_sheet_by_name("Thông tin bản chốt").to_python()
    facts = {str(row[0]): row[1] for row in told}
    assert facts["Lý do đính chính"] == worlds.CORRIGENDUM.reason
    assert facts["Người lập đính chính"] == worlds.CORRIGENDUM.author


def test_a_number_that_a_double_cannot_hold_keeps_its_digits(hostile: Path) -> None:
    found = {str(row["Lũy kế"]) for row in sheet(hostile, "Kết quả theo cơ quan")}
    assert {str(10**30), str(-(10**30)), str(2**53 + 1)} <= found


def test_names_stand_before_figures_and_codes_after(province: Path) -> None:
    book = CalamineWorkbook.from_path(str(province / "report.xlsx"))
    assert book.sheet_names[:4] == ["Tổng quan", "Kết quả theo cơ quan", "Xếp hạng", "Điểm"]
    for name in book.sheet_names[1:-1]:
        titles = [str(t) for t in book.get_sheet_by_name(name).to_python()[2]]
        assert not titles[0].startswith("Mã"), name
        assert "Mã cơ quan" not in titles[:4], name
    results = sheet(province, "Kết quả theo cơ quan")
    assert results[0]["Cơ quan"] == "Toàn tỉnh Tây Ninh"
    assert {row["Cơ quan"] for row in results} >= {"Dương Minh Châu", "Gò Dầu"}
    assert {row["Tên"] for row in sheet(province, "Điểm")} >= {"BHXH huyện Dương Minh Châu"}
    assert {row["Chỉ tiêu"] for row in sheet(province, "Cán bộ")} >= {"Tổng số thu"}
    rules = {row["Quy tắc"] for row in sheet(province, "Cách ly")}
    assert any(rule.endswith(".") and " " in rule for rule in rules), "a rule's sentence"


def test_a_plan_of_zero_and_equal_issues_read_as_in_the_report(province: Path) -> None:
    verdicts = {row["Kết quả"] for row in sheet(province, "Kết quả theo cơ quan")}
    assert verdicts == {"Đạt", "Không đạt", "Đạt (KH 0)"}
    issues = sheet(province, "Vấn đề đã biết")
    assert [int(row["Số vấn đề"]) for row in issues] == [1, 33]
    overview = CalamineWorkbook.from_path(str(province / "report.xlsx")).get_sheet_by_name(
        "Tổng quan"
    )
    rows = [[str(cell) for cell in row] for row in overview.to_python()]
    assert rows[0][:2] == ["BẢO HIỂM XÃ HỘI VIỆT NAM", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"]
    assert rows[2][1] == "Tây Ninh, ngày 31 tháng 12 năm 2021"


def test_the_file_says_what_it_is_and_who_issues_it(province: Path) -> None:
    said = parts(province / "report.xlsx", r"docProps/.*\.xml$")
    core = said["docProps/core.xml"]
    assert f"<dc:title>Kết quả thi đua: {worlds.FACTS.period_name}</dc:title>" in core
    assert "<dc:creator>Bảo hiểm xã hội tỉnh Tây Ninh</dc:creator>" in core
    assert "vi-VN" in said["docProps/custom.xml"]
