"""The workbook of an agency, cell by cell: types, safe texts, order, and the same bytes again."""

import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from chotso.errors import ChotsoError
from chotso.paper_register import MOTTO, NATION
from chotso.quarantine.rows import AsideRow
from chotso.quarantine.stake import FeedSum, MonthAtStake, Stake
from chotso.quarantine.workbook import (
    HEADER_ROW,
    NO_AGENCY,
    ROWS_HEADER,
    ROWS_SHEET,
    STAKE_HEADER,
    STAKE_SHEET,
    write_workbooks,
)
from tests.worlds.office import needs_office, printed

SEEN = datetime(2021, 11, 1, 18, 30, 15, tzinfo=UTC)  # 02/11 at 01:30 local
CLOCK = datetime(2021, 11, 11, 17, 5, tzinfo=UTC)  # 12/11 at 00:05 local
PAYLOADS = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "{=1+1}",
    "http://example.invalid/x",
    "mailto:x",
    "\t=1+1",
    "_x003D_1",
    "a\x01b",
]


def row(number: int = 1, agency: str | None = "07201", **changes: Any) -> AsideRow:
    values: dict[str, Any] = {
        "id": number,
        "feed": "payments",
        "rule_id": "payments.agency_known",
        "rule_ids": ["payments.agency_known", "payments.form_known"],
        "detail": None,
        "row_key": f"D{number}",
        "row": {"so_chung_tu": f"D{number}", "so_tien": 500, "ma_co_quan": agency},
        "money": Decimal(500),
        "first_seen": SEEN,
        "last_seen": SEEN + timedelta(days=1),
        "status": "open",
        "resolved_at": None,
        "resolution": None,
        "resolved_by": None,
        "batch_id": "b",
        "agency_code": agency,
        "agency_name": "BHXH thử",
    }
    return AsideRow(**values | changes)


NOTHING = Stake(None, [], [])


def whole_sheet(path: Path, name: str) -> list[list[Any]]:
    rows: list[list[Any]] = (
        CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name).to_python()
    )
    return rows


def sheet(path: Path, name: str) -> list[list[Any]]:
    """The header and what follows; the official heading, title and note stand above."""
    return whole_sheet(path, name)[HEADER_ROW:]


def formulas(path: Path) -> int:
    """Formula cells of all sheets, in the file's own XML."""
    with zipfile.ZipFile(path) as book:
        sheets = [n for n in book.namelist() if n.startswith("xl/worksheets/sheet")]
        return sum(len(re.findall(rb"<f[ >]", book.read(n))) for n in sheets)


def links(path: Path) -> int:
    with zipfile.ZipFile(path) as book:
        return sum(b"hyperlink" in book.read(name) for name in book.namelist())


def test_every_cell_has_its_type_and_its_words(tmp_path: Path) -> None:
    (path,) = write_workbooks(tmp_path, [row()], NOTHING, CLOCK)
    header, cells = sheet(path, ROWS_SHEET)
    assert path.name == "07201.xlsx"
    assert header == list(ROWS_HEADER)
    told = dict(zip(header, cells, strict=True))
    assert told["Mã"] == 1.0
    assert told["Nguồn"] == "Chứng từ thu"
    assert told["Khóa"] == "D1"
    assert told["Quy tắc"].count("\n") == 1
    assert told["Số tiền (đồng)"] == 500.0
    assert told["Ngày phát hiện"] == datetime(2021, 11, 2, 1, 30)
    assert told["Lần thấy cuối"] == datetime(2021, 11, 3, 1, 30)
    assert told["Số ngày tồn"] == 10.0, "local midnights from 02/11 to 12/11"
    assert told["Việc cần làm"]
    assert "Số chứng từ: D1; " in told["Nội dung dòng"]
    assert "Số tiền (đồng): 500; " in told["Nội dung dòng"]
    assert "Hình thức nộp: (trống)" in told["Nội dung dòng"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_text_becomes_a_formula_or_a_link(tmp_path: Path, payload: str) -> None:
    content = {"so_chung_tu": payload, "ma_don_vi": payload, "ma_co_quan": payload}
    (path,) = write_workbooks(tmp_path, [row(row_key=payload, row=content)], NOTHING, CLOCK)
    assert formulas(path) == 0
    assert links(path) == 0
    assert sheet(path, ROWS_SHEET)[1][2] == payload


def test_the_naive_twin_writes_formulas(tmp_path: Path) -> None:
    path = tmp_path / "naive.xlsx"
    with xlsxwriter.Workbook(path) as book:
        naive = book.add_worksheet(ROWS_SHEET)
        for number, payload in enumerate(PAYLOADS):
            naive.write(number, 0, payload)
    assert formulas(path) > 0
    assert links(path) > 0


def test_what_is_at_stake_is_told_per_metric_and_month_and_per_feed(tmp_path: Path) -> None:
    stake = Stake(
        CLOCK,
        [
            MonthAtStake("07201", "collection_hi", date(2021, 10, 1), Decimal(700)),
            MonthAtStake("07202", "collection_hi", date(2021, 10, 1), Decimal(1)),
        ],
        [FeedSum("07201", "plans", 2, Decimal("0.5")), FeedSum(None, "c12", 1, Decimal(9))],
    )
    files = write_workbooks(tmp_path, [row(), row(2, None)], stake, CLOCK)
    header, *cells = sheet(files[0], STAKE_SHEET)
    assert header == list(STAKE_HEADER)
    assert cells == [
        ["Theo chỉ tiêu", "Số thu BHYT", date(2021, 10, 1), "", 700.0],
        ["Theo nguồn", "Kế hoạch được giao", "", 2.0, 0.5],
    ]
    assert [line[4] for line in sheet(files[1], STAKE_SHEET)[1:]] == [9.0]


def test_money_that_a_number_cannot_hold_stays_exact_as_text(tmp_path: Path) -> None:
    exact, larger, finer = Decimal(2**53), Decimal(2**53 + 1), Decimal("12345678901234567.25")
    rows = [row(n, money=m) for n, m in enumerate((exact, larger, finer, -exact), start=1)]
    (path,) = write_workbooks(tmp_path, rows, NOTHING, CLOCK)
    assert [line[4] for line in sheet(path, ROWS_SHEET)[1:]] == [
        float(2**53), "9007199254740993", "12345678901234567.25", -float(2**53),
    ]  # fmt: skip


def test_rows_go_to_the_workbook_of_their_agency(tmp_path: Path) -> None:
    rows = [row(1), row(2, None), row(3, "07202"), row(4, "../07203"), row(5, status="waived")]
    files = write_workbooks(tmp_path / "new", rows, NOTHING, CLOCK)
    assert {f.name for f in files} == {"07201.xlsx", "07202.xlsx", f"{NO_AGENCY}.xlsx"}
    assert {f.parent for f in files} == {tmp_path / "new"}
    found = {f.stem: [line[0] for line in sheet(f, ROWS_SHEET)[1:]] for f in files}
    assert found == {"07201": [1.0], "07202": [3.0], NO_AGENCY: [2.0, 4.0]}


def test_a_person_is_a_mask_alone(tmp_path: Path) -> None:
    content = {
        "ma_qua_trinh": 1234567890,
        "person_pseudonym": "ab" * 32,
        "number_shape": "9 digits",
        "number_mask": "79********",
        "key_id": "0123456789abcdef",
        "loai": "BHYT",
        "ma_don_vi": "7912345678",  # a number in the wrong cell
        "unreadable": '{"tu_thang": "not a date: \'7912345678\'"}',
    }
    spell = row(feed="participations", row_key="1234567890", row=content, money=Decimal(0))
    (path,) = write_workbooks(tmp_path, [spell], NOTHING, CLOCK)
    told = sheet(path, ROWS_SHEET)[1][9]
    assert "Mã số đã che: 79********" in told
    assert "Mã đơn vị: 79********" in told
    assert "Từ tháng: (không đọc được)" in told
    assert "Mã quá trình: 1234567890" in told
    with zipfile.ZipFile(path) as book:
        everything = b"".join(book.read(name) for name in book.namelist())
    for secret in ("ab" * 32, "0123456789abcdef", "7912345678"):
        assert secret.encode() not in everything


def test_a_rule_that_the_register_no_longer_has_is_named(tmp_path: Path) -> None:
    gone = row(rule_id="payments.gone", rule_ids=["payments.gone"])
    (path,) = write_workbooks(tmp_path, [gone], NOTHING, CLOCK)
    assert sheet(path, ROWS_SHEET)[1][3] == "payments.gone"


def test_a_long_text_is_cut_and_says_so(tmp_path: Path) -> None:
    (path,) = write_workbooks(tmp_path, [row(row_key="k" * 40_000)], NOTHING, CLOCK)
    shown = sheet(path, ROWS_SHEET)[1][2]
    assert len(shown) == 32_000
    assert shown.endswith("…")


def test_header_stays_in_view_and_can_be_filtered(tmp_path: Path) -> None:
    (path,) = write_workbooks(tmp_path, [row(1), row(2)], NOTHING, CLOCK)
    with zipfile.ZipFile(path) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
    assert '<pane ySplit="7" topLeftCell="A8" activePane="bottomLeft" state="frozen"/>' in xml
    assert '<autoFilter ref="A7:J9"/>' in xml


def test_each_sheet_says_who_issues_it_when_and_what_may_not_be_added(tmp_path: Path) -> None:
    (path,) = write_workbooks(tmp_path, [row(1), row(2)], NOTHING, CLOCK)
    for name in (ROWS_SHEET, STAKE_SHEET):
        told = whole_sheet(path, name)[:HEADER_ROW]
        words = {cell for line in told for cell in line if cell}
        assert {"BẢO HIỂM XÃ HỘI TỈNH TÂY NINH", NATION, MOTTO, name.upper()} <= words
        assert "Tây Ninh, ngày 12 tháng 11 năm 2021" in words, "the clock's local day"
    assert "12/11/2021 00:05 (giờ Việt Nam)" in whole_sheet(path, ROWS_SHEET)[HEADER_ROW - 1][0]
    assert "không cộng với nhau" in whole_sheet(path, STAKE_SHEET)[HEADER_ROW - 1][0]


@needs_office
@pytest.mark.timeout(300)
def test_five_rows_are_printed_on_a_page_a_sheet(tmp_path: Path) -> None:
    (path,) = write_workbooks(tmp_path, [row(n) for n in range(1, 6)], NOTHING, CLOCK)
    pages = printed(path, tmp_path)
    assert len(pages) == 2  # 7 before the sheets were set up for paper
    for number, text in enumerate(pages, start=1):
        assert f"Trang {number}/2" in text


def test_the_same_rows_make_the_same_bytes_whenever_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = write_workbooks(tmp_path / "one", [row()], NOTHING, CLOCK)
    monkeypatch.setattr("time.time", lambda: 0.0)
    (two,) = write_workbooks(tmp_path / "two", [row()], NOTHING, CLOCK)
    (later,) = write_workbooks(tmp_path / "later", [row()], NOTHING, CLOCK + timedelta(days=1))
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes() != later.read_bytes()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(ChotsoError, match="could not be written"):
        write_workbooks(blocked, [row()], NOTHING, CLOCK)
