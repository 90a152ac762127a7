"""Files as offices send them: names, sheets, headers and days that mean what is to be seen."""

import json
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from chotso.contracts import FileSource, contract_of
from chotso.source.drop_folder import DropFolder, RefusedDeliveryError
from chotso.source.files import ParsedFile, parse
from chotso.source.sheets import EMPTY
from chotso.source.workbook import read_workbook
from tests.malformed.packages import SHEET, Written, inline, number, row_of, save

C12, PLANS = contract_of("c12"), contract_of("plans")
assert isinstance(C12.source, FileSource)
COLUMNS = C12.source.sheet_columns
STEM = "C12_202112_20211231T163000"
PLAN_NAMES = list(PLANS.columns)


def account(code: str, **cells: Any) -> dict[str, Any]:
    return {"madvi": code, "thang": "12/2021", "tendvi": "Công ty A", "_dk_bhxh": 100,
            "_ps_bh": 50, "_dt_bhxh": 30, "_ck_bhxh": 120, "nguoilh": "Người Liên Hệ",
            **cells}  # fmt: skip


def lines(*accounts: dict[str, Any], before: Sequence[Any] = ()) -> list[list[Any]]:
    return [[*before, *(cells.get(name) for name in COLUMNS)] for cells in accounts]


def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir(exist_ok=True)
    return folder


def book(
    tmp_path: Path,
    sheets: dict[str, list[list[Any]]],
    *,
    header: Sequence[str] = (),
    hidden: Sequence[str] = (),
    name: str = f"{STEM}.xlsx",
) -> Path:
    path = drop(tmp_path) / name
    with xlsxwriter.Workbook(path) as made:
        for title, rows in sheets.items():
            sheet = made.add_worksheet(title)
            sheet.write_row(0, 0, header)
            for at, row in enumerate(rows, 2):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(at, column, cell)
                    elif cell is not None:
                        sheet.write_number(at, column, cell)
            if title in hidden:
                sheet.hide()
        if hidden:
            shown = next(title for title in sheets if title not in hidden)
            made.get_worksheet_by_name(shown).activate()
    return path


def read(path: Path, feed: str = "c12") -> ParsedFile:
    contract = contract_of(feed)
    assert isinstance(contract.source, FileSource)
    scratch = path.parent.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    return parse(
        contract,
        DropFolder(str(path.parent)).fetch(path.name, contract.source.name_pattern, scratch),
    )


def refusal(path: Path, feed: str = "c12") -> str:
    with pytest.raises(RefusedDeliveryError) as refused:
        read(path, feed)
    return refused.value.what


# -- sheets: names, hidden ones, notes beside --
@pytest.mark.parametrize("name", ["07201\u00a0", "07201\u200b", " 07201 ", "０７２０１", "07201\n"])
def test_a_sheet_is_read_by_the_name_that_is_seen(name: str, tmp_path: Path) -> None:
    cells = enumerate(lines(account("AA0001A"))[0])
    rows = [row_of(3, {at: inline(at, 3, cell) for at, cell in cells if cell is not None})]
    parts = Written({name: rows}).parts()
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b"\n", b"&#10;")
    parsed = read(save(drop(tmp_path) / f"{STEM}.xlsx", parts))
    assert parsed.scope is not None
    assert parsed.scope.column("ma_co_quan").to_pylist() == ["07201"]


@pytest.mark.parametrize("name", ["O7201", "7201", "07201 - Gò Dầu", "07201 (2)", "Sheet1"])
def test_a_misnamed_sheet_of_accounts_is_no_agency_s_and_is_not_lost(
    name: str, tmp_path: Path
) -> None:
    path = book(tmp_path, {"07202": lines(account("AA0001A")), name: lines(account("AA0002A"))})
    parsed = read(path)
    assert parsed.rows.column("ma_co_quan").to_pylist() == ["07202", name]
    assert not parsed.notes


def test_two_sheets_that_look_alike_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path, {"07201": lines(account("AA0001A")), "07201 ": []})
    assert "more than one sheet named 07201" in refusal(path)


def test_notes_and_summaries_are_told_and_left_out(tmp_path: Path) -> None:
    accounts = lines(account("AA0001A"), account("AA0002A"))
    total = lines({"madvi": "07201", "thang": "12/2021", "_dk_bhxh": 200, "_ps_bh": 100})
    sheets = {"Ghi chú": [["Người lập: A"]], "07201": accounts, "Tổng hợp": accounts[::-1] + total,
              "Trống": []}  # fmt: skip
    path = book(tmp_path, sheets)
    (drop(tmp_path) / f"{path.name}.count").write_text("2")
    parsed = read(path)
    assert parsed.rows.num_rows == 2
    assert parsed.scope is not None
    assert parsed.scope.num_rows == 1
    assert [note.split()[1] for note in parsed.notes] == ["Ghi", "Tổng", "Trống"]


def test_a_shifted_sheet_beside_is_not_taken_for_notes(tmp_path: Path) -> None:
    beside = lines(account("AA0002A"), before=["x"])
    path = book(tmp_path, {"07201": lines(account("AA0001A")), "Gò Dầu": beside})
    assert read(path).rows.column("ma_co_quan").to_pylist() == ["07201", "Gò Dầu"]


def test_a_hidden_agency_is_read_and_told(tmp_path: Path) -> None:
    sheets = {"07201": lines(account("AA0001A")), "07202": lines(account("AA0002A"))}
    parsed = read(book(tmp_path, sheets, hidden=["07202"]))
    assert parsed.rows.num_rows == 2
    assert parsed.notes == ["sheet 07202 is hidden, and was read"]


# -- a column too many --
@pytest.mark.parametrize("first", [[1], ["1"], ["25513"], ["BB0001B"], ["x", "y"]])
@pytest.mark.parametrize("is_headed", [True, False])
def test_a_column_too_many_at_the_head_is_an_unknown_layout(
    first: list[Any], is_headed: bool, tmp_path: Path
) -> None:
    rows = lines(account("AA0001A"), account("AA0002A"), before=first)
    names = [*["stt", "ma_xa"][: len(first)], *COLUMNS] if is_headed else []
    assert "in none of the layouts" in refusal(book(tmp_path, {"07201": rows}, header=names))


@pytest.mark.parametrize("at", [1, 3, 5, 6, 7, 8])
def test_a_column_too_many_anywhere_lets_no_contact_in(at: int, tmp_path: Path) -> None:
    contact = {"diachi": "Ấp Giả Định", "dienthoai": "0900000000", "nguoilh": "Người Liên Hệ"}
    row = lines(account("AA0001A", **contact))[0]
    row.insert(at, "thêm")
    try:
        extra = read(book(tmp_path, {"07201": [row]})).rows.column("extra").to_pylist()
    except RefusedDeliveryError:
        return
    assert not any(value in text for text in extra for value in contact.values())


@pytest.mark.parametrize("name", ["C12_202201_20211231T235959", "C12_209912_20211231T163000"])
def test_a_month_that_had_not_begun_is_told(name: str, tmp_path: Path) -> None:
    rows = lines(account("AA0001A", thang=name[4:10]))
    early = read(book(tmp_path, {"07201": rows}, name=f"{name}.xlsx"))
    assert early.notes == [
        f"the month {name[4:10]} had not begun at the instant of its name; it was read"
    ]
    begun = book(tmp_path, {"07201": rows}, name=f"{name[:11]}{name[4:10]}01T000000.xlsx")
    assert not read(begun).notes


CONTACT = {"diachi": "Ấp Giả Định, xã Giả", "dienthoai": "0900 000 001", "nguoilh": "Lê Giả"}


def text_file(tmp_path: Path, *rows: Sequence[Any]) -> Path:
    path = drop(tmp_path) / f"{STEM}_07201.csv"
    path.write_text("".join(";".join(str(cell or "") for cell in row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("by", [-7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5])
def test_a_shifted_row_lands_no_contact_anywhere(by: int, tmp_path: Path) -> None:
    whole = lines(*(account(f"AA{at:04d}A") for at in range(4)))
    (row,) = lines(account("BB0001B", **CONTACT))
    row = [None] * by + row[:-by] if by > 0 else row[-by:] + [None] * -by
    landed = read(text_file(tmp_path, COLUMNS, [], *whole, row)).rows.to_pylist()
    assert [line["madvi"] for line in landed[:4]] == [cells[0] for cells in whole]
    assert not any(shown in str(landed) for shown in CONTACT.values())


def test_the_end_of_a_torn_address_is_no_employer_code(tmp_path: Path) -> None:
    (whole, torn) = lines(account("AA0001A"), account("BB0001B", **CONTACT))
    at = COLUMNS.index("diachi")
    head, tail = [*torn[:at], "Ấp Giả Định"], ["xã Giả", *torn[at + 1 :]]
    rows = read(text_file(tmp_path, COLUMNS, [], whole, head, tail)).rows.to_pylist()
    assert [row["madvi"] for row in rows] == ["AA0001A", "BB0001B", None]
    assert "no code: 'xx xxx'" in json.loads(rows[2]["unreadable"])["madvi"]
    assert not any(shown in str(rows) for shown in CONTACT.values())


def test_a_file_of_another_kind_is_not_quoted_as_a_header(tmp_path: Path) -> None:
    (row,) = lines(account("AA0001A", ghichu="Nam", **CONTACT))  # a man, or the column of the year
    told = refusal(book(tmp_path, {"07201": [row]}, name="KE_HOACH_1.xlsx"), "plans")
    assert "its header lacks so_quyet_dinh" in told
    assert not any(shown in told for shown in CONTACT.values())


# -- blanks, days, per cent --
def test_rows_may_end_as_their_header_does_in_empty_fields(tmp_path: Path) -> None:
    whole = lines(account("AA0001A"), account("AA0002A"))
    ended = [[*COLUMNS, "", ""], *([*row, None, " "] for row in whole)]
    rows = read(text_file(tmp_path, *ended, whole[0])).rows.to_pylist()
    assert [row["unreadable"] is None for row in rows] == [True, True, False]


def test_a_field_too_many_is_no_empty_end_where_no_header_shows_it(tmp_path: Path) -> None:
    rows = [[*row, None] for row in lines(account("AA0001A"), account("AA0002A"))]
    for header in ([], [COLUMNS]):
        found = read(text_file(tmp_path, *header, *rows)).rows.to_pylist()
        assert all("110 fields" in row["unreadable"] for row in found)


SCALED: dict[str, str | None] = {
    code: "set aside"
    for code in (
        '0" triệu"',
        "#,##0\\ \\t\\r",
        "0‰",
        '#,##0"000"',
        'General" tỷ đồng"',
        '0.0," triệu"',
    )
}
SCALED |= dict.fromkeys((
    '0.0,," triệu"', '[>=1000000]0.0,," tr";[>=1000]0,\\k;0', '0" đ"', "#,##0,", '0" người"',
    '_-* #,##0\\ _₫_-;\\-* #,##0\\ "₫";_-* "-"_-', "[$₫-42A] #,##0", "0.00E+00"))  # fmt: skip


@pytest.mark.parametrize("code", SCALED)
def test_a_cell_that_shows_a_unit_is_not_read_without_it(code: str, tmp_path: Path) -> None:
    quoted = code.replace('"', "&quot;").replace(">", "&gt;")
    styles = f'<numFmts><numFmt numFmtId="170" formatCode="{quoted}"/></numFmts>'
    styles += '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>'
    cells = [{"gia_tri": f'<c r="H{{row}}" s="1"><v>{value}</v></c>'} for value in (200, 0)]
    rows = read(plan(tmp_path, PLAN_NAMES, *cells, styles=styles), "plans").rows.to_pylist()
    assert [row["gia_tri"] for row in rows] == [None if SCALED[code] else "200", "0"]
    if SCALED[code]:
        told = "a cell that shows digits or a unit of its format: '200'"
        assert json.loads(rows[0]["unreadable"])["gia_tri"] == told


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u200b", "\ufeff\n", "\u2003\u3000"])
def test_blanks_beyond_the_data_are_nothing(blank: str, tmp_path: Path) -> None:
    rows = [*lines(account("AA0001A")), [None, None, blank], [blank] * 120]
    rows[0] += [None, blank]
    path = book(tmp_path, {"07201": rows})
    (drop(tmp_path) / f"{path.name}.count").write_text("1")
    (row,) = read(path).rows.to_pylist()
    assert row["unreadable"] is None


def plan(tmp_path: Path, header: Sequence[str], *rows: dict[str, str], **how: Any) -> Path:
    """A plan's workbook; `rows` are cells as they are written, by column."""
    above = how.pop("above", [])
    names = row_of(
        len(above) + 1, {at: inline(at, len(above) + 1, n) for at, n in enumerate(header)}
    )
    written = [*above, names]
    for row, cells in enumerate(rows, len(above) + 2):
        base = {"so_quyet_dinh": "10/QĐ", "don_vi_giao": "BHXH", "loai_doi_tuong": "CO_QUAN",
                "ma_doi_tuong": "07201", "chi_tieu": "NO_TONG", "gia_tri": "0,9",
                "ngay_ky": "04/01/2021", "hieu_luc_tu": "01/01/2021", "nam": "2021"}  # fmt: skip
        texts = {at: inline(at, row, base[name]) for at, name in enumerate(PLAN_NAMES)}
        own = {PLAN_NAMES.index(n): c.replace("{row}", str(row)) for n, c in cells.items()}
        written.append(row_of(row, texts | own))
    return save(drop(tmp_path) / "KE_HOACH_1.xlsx", Written({"KH": written}, **how).parts())


def test_days_are_counted_as_the_workbook_does(tmp_path: Path) -> None:
    serial = (date(2021, 9, 15) - date(1904, 1, 1)).days
    styled = {"styles": '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'}
    cells = [
        {"ngay_ky": number(1, 0, serial).replace('r="B0"', 'r="B{row}"')},
        {"ngay_ky": number(1, 0, serial, ' s="1"').replace('r="B0"', 'r="B{row}"')},
        {"ngay_ky": inline(1, 0, serial).replace('r="B0"', 'r="B{row}"')},
    ]
    path = plan(tmp_path, PLAN_NAMES, *cells, book='<workbookPr date1904="true"/>', **styled)
    rows = read(path, "plans").rows.to_pylist()
    assert [row["ngay_ky"] for row in rows] == [date(2021, 9, 15), date(2021, 9, 15), None]
    assert "1904" in json.loads(rows[2]["unreadable"])["ngay_ky"]


def test_a_month_of_a_workbook_from_1904(tmp_path: Path) -> None:
    path = book(tmp_path, {"07201": lines(account("AA0001A", thang=44531 - 1462))})
    parts = {m: zipfile.ZipFile(path).read(m) for m in zipfile.ZipFile(path).namelist()}
    told = parts["xl/workbook.xml"].replace(b"<workbookPr", b'<workbookPr date1904="1"')
    save(path, parts | {"xl/workbook.xml": told})
    assert read(path).rows.column("thang").to_pylist() == [date(2021, 12, 1)]


def test_a_per_cent_cell_never_counts_as_its_hundredth(tmp_path: Path) -> None:
    cell = '<c r="H{row}" s="1"><v>0.009</v></c>'
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="10"/></cellXfs>'
    path = plan(tmp_path, PLAN_NAMES, {"gia_tri": cell}, {}, styles=styles)
    rows = read(path, "plans").rows.to_pylist()
    assert [row["gia_tri"] for row in rows] == [None, "0.9"]
    assert "per cent" in json.loads(rows[0]["unreadable"])["gia_tri"]


VALUES = {"4,200,000,000": "4200000000", "4.200.000.000": "4200000000", "1,234.5": "1234.5",
          "4\u00a0200\u00a0000": "4200000", "4.200.000,50": "4200000.5", "0,9": "0.9", "-1": "-1",
          "190.000": None, "190,000": None, "1,5 tỷ": None, "0,9%": None, "4 200 000": None,
          "1,2,3": None, "1.234,567.8": None}  # fmt: skip


def test_every_written_form_of_a_plan_s_value(tmp_path: Path) -> None:
    cells = [
        {"gia_tri": f'<c r="H{{row}}" t="inlineStr"><is><t>{text}</t></is></c>'} for text in VALUES
    ]
    rows = read(plan(tmp_path, PLAN_NAMES, *cells), "plans").rows.to_pylist()
    assert dict(zip(VALUES, (row["gia_tri"] for row in rows), strict=True)) == VALUES


# -- a plan's header and sheet --
@pytest.mark.parametrize(
    "write",
    ["\ufeff{}", "{}\u200b", "{}\u00a0", "{}\n", "{} *", "{} (*)", "* {}", "{}:", "\u2060{} "],
)
def test_a_header_is_read_as_it_is_seen(write: str, tmp_path: Path) -> None:
    header = [write.format(name.upper() if at % 2 else name) for at, name in enumerate(PLAN_NAMES)]
    (row,) = read(plan(tmp_path, header, {}), "plans").rows.to_pylist()
    assert (row["ma_doi_tuong"], row["gia_tri"], row["unreadable"]) == ("07201", "0.9", None)


def test_a_title_may_stand_above_the_header(tmp_path: Path) -> None:
    above = [row_of(1, {0: inline(0, 1, "KẾ HOẠCH NĂM 2021")}), row_of(2, {})]
    path = plan(tmp_path, PLAN_NAMES, {}, above=above, beside={"KH":
                '<mergeCells><mergeCell ref="A1:I1"/></mergeCells>'})  # fmt: skip
    assert read(path, "plans").rows.num_rows == 1


def test_what_is_unseen_in_a_wrong_header_is_spelled_out(tmp_path: Path) -> None:
    header = [n if n != "gia_tri" else "gia\u200btrị" for n in PLAN_NAMES]
    assert "gia\\u200btr\\u1ecb" in refusal(plan(tmp_path, header, {}), "plans").replace(
        "ị", "\\u1ecb"
    )


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_plan_is_told_and_not_taken(state: str, tmp_path: Path) -> None:
    path = plan(tmp_path, PLAN_NAMES, {})
    parts = {m: zipfile.ZipFile(path).read(m) for m in zipfile.ZipFile(path).namelist()}
    old = parts[SHEET].replace(b"0,9", b"5,5")
    two = Written({"KH cũ": [], "KH": []}, states={"KH cũ": f'state="{state}"'}).parts()
    save(path, two | {SHEET: old, "xl/worksheets/sheet2.xml": parts[SHEET]})
    parsed = read(path, "plans")
    assert parsed.rows.column("gia_tri").to_pylist() == ["0.9"]
    assert parsed.notes == ["sheet KH was read, these were not: KH cũ (hidden)"]


# -- what a file really is --
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
DISGUISED = {
    "HTML": b"\xef\xbb\xbf<HTML xmlns:x='urn:schemas-microsoft-com:office:excel'><table></table>",
    "XML Spreadsheet 2003": b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:"
    b"office:spreadsheet'/>",
    "old form .xls": OLE + "Workbook".encode("utf-16-le") + bytes(40),
    "password": OLE + "EncryptedPackage".encode("utf-16-le") + bytes(40),
    "PDF": b"%PDF-1.7\n",
    "text": b"madvi,thang\nAA0001A,12/2021\n",
    "empty": b"",
    "zeros": bytes(2_000),
    "rich text": b"{\\rtf1}",
}  # fmt: skip


@pytest.mark.parametrize("kind", DISGUISED)
def test_a_refusal_names_what_the_file_really_is(kind: str, tmp_path: Path) -> None:
    path = drop(tmp_path) / f"{STEM}.xlsx"
    path.write_bytes(DISGUISED[kind])
    assert kind in refusal(path)


ARCHIVES = {
    "opendocument": {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"},
    ".xlsb": {"[Content_Types].xml": b"<x/>", "xl/workbook.bin": b"x"},
    "Word": {"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"},
    "archive of other files (c12.csv)": {"C12.csv": b"a,b"},
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_refusal_names_what_the_archive_really_is(kind: str, tmp_path: Path) -> None:
    assert kind in refusal(save(drop(tmp_path) / f"{STEM}.xlsx", ARCHIVES[kind]))


def test_a_csv_that_is_none_is_named(tmp_path: Path) -> None:
    path = drop(tmp_path) / f"{STEM}_07201.csv"
    path.write_bytes(b"<html><table></table></html>\n")
    assert "HTML" in refusal(path)


# -- texts, ends and empty rows --
NAMES = {"C«ng ty Th\u00ad¬ng m¹i Ph\u00adíc §«ng": "Công ty Thương mại Phước Đông",
         "Coâng ty Thöông maïi Phöôùc Ñoâng": "Công ty Thương mại Phước Đông",
         "Tân Hoà": "Tân Hoà", "Công ty © 2021": "Công ty © 2021", "Müller": "Müller",
         "Trường mẫu giáo": "Trường mẫu giáo"}  # fmt: skip


def test_texts_of_older_fonts_are_read_as_they_are_shown(tmp_path: Path) -> None:
    rows = lines(*(account(f"AA{at:04d}A", tendvi=name) for at, name in enumerate(NAMES)))
    found = read(book(tmp_path, {"07201": rows})).rows.column("extra").to_pylist()
    assert [json.loads(extra)["tendvi"] for extra in found] == list(NAMES.values())


@pytest.mark.parametrize(
    "end", ["\x1a", "\r\n\x1a", "\x1a\x1a\r\n", "\x1a" + "\0" * 300, "\r\n" + "\0" * 512]
)
def test_the_end_of_a_text_of_dos_is_no_row(end: str, tmp_path: Path) -> None:
    fields = [str(cell or "") for cell in lines(account("AA0001A"))[0]]
    path = drop(tmp_path) / f"{STEM}_07201.csv"
    path.write_bytes(("\r\n\r\n" + ",".join(fields) + end).encode())
    (row,) = read(path).rows.to_pylist()
    assert row["unreadable"] is None


def test_many_zeros_at_the_end_are_a_file_not_written_to_its_end(tmp_path: Path) -> None:
    fields = [str(cell or "") for cell in lines(account("AA0001A"))[0]]
    path = drop(tmp_path) / f"{STEM}_07201.csv"
    path.write_bytes(("\r\n\r\n" + ",".join(fields) + "\r\n" + "\0" * 4096).encode())
    assert [row["unreadable"] is None for row in read(path).rows.to_pylist()] == [True, False]


def test_formatted_rows_that_hold_nothing_take_no_memory(tmp_path: Path) -> None:
    """A table of every row that has a format would be three gigabytes of nothing."""
    blank = [
        f'<row r="{n}" s="1" customFormat="1"><c r="A{n}" s="0"/></row>' for n in range(4, 60_000)
    ]
    full = row_of(3, {0: inline(0, 3, "AA0001A")})
    path = save(tmp_path / "blank.xlsx", Written({"07201": [full, *blank]}).parts())
    sheets, _ = read_workbook(path, only_first=False)
    assert len(sheets[0].rows) == 3
    assert all(row is EMPTY for row in sheets[0].rows[:2])


@pytest.mark.lengthy
@pytest.mark.parametrize(
    "content",
    [b"\n" * 1_100_000, b"ab," * 400_000, b'a,"\n",' * 200_000],
    ids=["lines", "line", "quotes"],
)
def test_a_text_that_would_fill_the_memory_is_refused(content: bytes, tmp_path: Path) -> None:
    path = drop(tmp_path) / f"{STEM}_07201.csv"
    path.write_bytes(content)
    assert "not readable CSV" in refusal(path)
