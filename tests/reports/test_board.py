"""The second page, and what papers say of surprises, of plans of 0, and of equal issues."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest

from chotso.reports import write_reports
from chotso.reports.board import MET, MISSED
from chotso.reports.data import InputFile, Release
from chotso.reports.issues import grouped
from chotso.reports.overview import Overview
from chotso.reports.week import week_lines
from chotso.reports.wholes import surprises
from chotso.reports.words import PLAN_OF_ZERO, number, verdict
from tests.worlds import report_worlds as worlds

Change = Callable[[dict[str, str]], None]


def page(folder: Path, words: str) -> str:
    document = pypdfium2.PdfDocument(folder / "report.pdf")
    pages = [" ".join(each.get_textpage().get_text_range().split()) for each in document]
    return next(text for text in pages if words in text)


def changed(folder: Path, table: str, change: Change) -> Overview:
    """A release with the rows of one data file changed."""
    path = folder / "data" / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        change(row)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return Overview(Release(folder, worlds.FACTS))


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = worlds.province(tmp_path_factory.mktemp("province"))
    write_reports(folder, worlds.FACTS)
    return folder


def test_the_second_page_has_a_verdict_per_agency_and_metric(province: Path) -> None:
    second = pypdfium2.PdfDocument(province / "report.pdf")[1]
    told = " ".join(second.get_textpage().get_text_range().split())
    rows = [r for r in worlds.raw(province, "attainment") if r["month"] == "2021-12-01"]
    assert len(rows) == 11 * 13
    letters = told.split("Đ: đạt.")[0].split()
    assert letters.count(MET) == sum(row["is_met"] == "true" for row in rows)
    assert letters.count(MISSED) == sum(row["is_met"] == "false" for row in rows)


def test_without_colour_no_verdict_is_lost(province: Path) -> None:
    """Missed cells are darker than met ones, though both have their letter, too."""
    second = pypdfium2.PdfDocument(province / "report.pdf")[1].render(scale=2).to_pil()
    counts = second.convert("L").histogram()
    filled = sorted(range(120, 240), key=lambda grey: -counts[grey])[:2]  # the two fills
    assert min(counts[grey] for grey in filled) > 10_000
    assert abs(filled[0] - filled[1]) > 20


def test_the_largest_debtors_stand_there_with_their_sum(province: Path) -> None:
    owing = sorted(
        (int(row["arrears_vnd"]) for row in worlds.raw(province, "employer_arrears")
         if row["month"] == "2021-12-01" and row["arrears_vnd"] != "0"),
        reverse=True,
    )  # fmt: skip
    told = page(province, "Nợ nhiều nhất")
    places = [told.index(number(amount)) for amount in owing[:10]]
    assert places == sorted(places)
    assert f"tổng nợ {number(sum(owing))} đồng" in told
    assert "(tên cá nhân, không nêu)" in told


def test_a_plan_of_zero_is_said_the_same_way_everywhere(province: Path) -> None:
    assert verdict(True, "zero") == f"Đạt ({PLAN_OF_ZERO})"
    assert verdict(False, "zero") == f"Không đạt ({PLAN_OF_ZERO})"
    assert (verdict(None, "none"), verdict(None, "in_force")) == ("Chưa giao KH", "–")
    agency, metric = worlds.ZERO_PLAN
    (row,) = (
        row for row in worlds.raw(province, "attainment")
        if (row["agency_code"], row["metric_code"], row["month"]) == (agency, metric, "2021-12-01")
    )  # fmt: skip
    assert (row["is_met"], row["plan_status_code"]) == ("true", "zero")
    assert f"{MET} {PLAN_OF_ZERO}" in page(province, "Toàn cảnh")
    chart = "Số người tham gia BHXH tự nguyện: thực hiện so với kế hoạch"
    assert f"Đạt ({PLAN_OF_ZERO})" in page(province, chart)
    assert f"Đạt ({PLAN_OF_ZERO})" in page(province, "Kết quả theo cơ quan")
    whole = "".join(page(province, words) for words in ("Toàn cảnh", chart, "Tóm tắt"))
    assert "không có kế hoạch" not in whole


def test_all_agencies_met_and_the_province_did_not_is_explained(tmp_path: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["metric_code"] == "participants_hi" and row["month"] == "2021-12-01":
            is_whole = row["agency_code"] == "072"
            row["plan_in_force"] = "5000000" if is_whole else row["actual_to_date"]
            row["actual_to_date"] = "1000" if is_whole else row["actual_to_date"]
            row["is_met"] = "false" if is_whole else "true"

    view = changed(worlds.province(tmp_path), "attainment", change)
    (said,) = surprises(view)
    assert "10/10 cơ quan đạt nhưng Bảo hiểm xã hội tỉnh Tây Ninh không đạt" in said
    assert "tỉnh có kế hoạch riêng" in said
    assert "kế hoạch của tỉnh 5.000.000\u00a0người" in said
    assert "chỉ được đếm một lần ở tỉnh" in said
    write_reports(tmp_path, worlds.FACTS)
    assert said.replace("\u00a0", " ")[:60] in page(tmp_path, "Toàn cảnh")
    assert said.replace("\u00a0", " ")[:60] in page(tmp_path, "Tóm tắt cho Giám đốc")


def test_no_surprise_is_told_where_some_agencies_missed(province: Path) -> None:
    assert list(surprises(Overview(Release(province, worlds.FACTS)))) == []


def test_equal_issues_are_one_line_and_none_is_lost(province: Path) -> None:
    view = Overview(Release(province, worlds.FACTS))
    groups = grouped(view)
    subjects = [subject for group in groups for subject in group.subjects]
    sealed = [row["subject_code"] for row in worlds.raw(province, "known_issues")]
    assert sorted(subjects) == sorted(sealed)
    assert len(sealed) == 34
    assert len(groups) == 2
    (money,) = (group for group in groups if group.code == "quarantined_money")
    assert money.said.startswith("10.768 đồng đang bị giữ lại")
    assert money.where(11) == "Cả 11 cơ quan: Số thu BHYT, Tổng số thu, Tỷ lệ nợ chung"
    assert "34 vấn đề, gộp những điều như nhau thành 2 dòng" in page(province, "Ở đâu Nội dung")


def test_an_issue_of_another_form_stands_alone_and_whole(tmp_path: Path) -> None:
    worlds.hostile(tmp_path)
    groups = grouped(Overview(Release(tmp_path, worlds.FACTS)))
    assert [group.said for group in groups] == list(worlds.HOSTILE)


def test_the_last_week_is_of_the_release_alone(tmp_path: Path) -> None:
    folder = worlds.province(tmp_path)
    plan: dict[str, worlds.Cell] = {
        "object_type_code": "agency", "object_code": "07202", "plan_year": 2021,
        "metric_code": "collection_total", "effective_from_date": date(2021, 12, 28),
        "signed_date": date(2021, 12, 1), "decision_code": "QĐ-77", "plan_value": Decimal(5),
    }  # fmt: skip
    old = plan | {"decision_code": "QĐ-1", "effective_from_date": date(2021, 12, 24)}
    worlds.write(folder, {"plans": worlds.whole("plans", [plan, old])})
    deliveries = (
        InputFile("payments", date(2021, 12, 25), 10, Decimal(1)),
        InputFile("payments", date(2021, 12, 31), 10, Decimal(1)),
        InputFile("c12", date(2021, 12, 24), 10, Decimal(1)),
    )
    facts = replace(worlds.FACTS, deliveries=deliveries)
    told = week_lines(Overview(Release(folder, facts)))
    assert any("QĐ-77 (1 kế hoạch, hiệu lực từ 28/12/2021)" in line for line in told)
    assert not any("QĐ-1 " in line for line in told)
    assert "Số ngày có dữ liệu mới hoặc thay đổi, trên 7 ngày: Chứng từ thu (2)." in told
    assert "Dữ liệu bị giữ lại: còn dòng mới ở nguồn Chứng từ thu." in told


def test_a_ranking_says_why_a_plan_of_zero_is_met_and_not_considered(tmp_path: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["participant_code"] == worlds.ZERO_PLAN[0]:
            row |= {
                "is_considered": "false", "not_considered_code": "plan_zero",
                "not_considered_reason_vi": "Số người: kế hoạch được giao bằng 0",
                "rank_number": "\\N", "total_points": "\\N",
            }  # fmt: skip

    changed(worlds.province(tmp_path), "ranking", change)
    write_reports(tmp_path, worlds.FACTS)
    told = page(tmp_path, "Xếp hạng cơ quan")
    assert f"Không xét: Số người: kế hoạch được giao bằng 0 ({PLAN_OF_ZERO})" in told
    assert f"{PLAN_OF_ZERO}: chỉ tiêu có kế hoạch được giao bằng 0 là đạt" in told
