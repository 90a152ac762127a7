"""The classes of files that are read: right as they are, or with rows set aside."""

import hashlib
import unicodedata
from typing import Any

from tests.malformed.desk import (
    HEADER,
    Delivered,
    Desk,
    FileClass,
    csv_cuts,
    refused,
)
from tests.malformed.writing import (
    OLD,
    delimited_lines,
    head_lines,
    write_workbook,
)
from tests.oracle.hostile.c12_files import COLUMNS

READ: dict[str, FileClass] = {}


def file_class(make: FileClass) -> FileClass:
    """Register a class under its function's name."""
    READ[make.__name__] = make
    return make


@file_class
def layouts_and_headers(desk: Desk) -> list[Delivered]:
    kind, made = "layouts_and_headers", []
    for columns in (COLUMNS, OLD):
        headers: list[dict[int, Any]] = [{}, {0: columns}, {1: columns}]
        headers += [{0: columns, 1: range(1, 110)}, {0: ["x", *COLUMNS]}, {1: ["Mã", "Tên"]}]
        for header in headers:
            made.append(desk.book(kind, columns=columns, header=header))
    made.append(desk.book(kind, header={}, first_row=0))
    return made


@file_class
def delimiters_and_line_ends(desk: Desk) -> list[Delivered]:
    kind = "delimiters_and_line_ends"
    ends = ["\n", "\r\n", "\r"]
    made = [desk.lines(kind, delimiter=d, end=e) for d in ",;\t" for e in ends]
    cases = desk.cases(kind, 4)
    mixed = [
        line.rstrip(b"\n") + end
        for line, end in zip(delimited_lines(cases), (b"\r\n", b"\n", b"\r", b""), strict=True)
    ]
    made.append(desk.text(kind, b"".join([*head_lines(HEADER), *mixed]), cases))
    return made


@file_class
def commas_in_every_amount_of_semicolons(desk: Desk) -> list[Delivered]:
    kind = "commas_in_every_amount_of_semicolons"
    cases = desk.cases(kind)
    for case in cases:
        for name, value in case.cells.items():
            if isinstance(value, int) and abs(value) >= 1_000_000:
                case.cells[name] = f"{value:,}"
        case.cells["ma_quan"] = "," * 200
    return [desk.lines(kind, cases, delimiter=";")]


@file_class
def separator_declared(desk: Desk) -> list[Delivered]:
    cases = desk.cases("separator_declared")
    lines = [b"sep=;\r\n", *head_lines(HEADER, ";"), *delimited_lines(cases, delimiter=";")]
    return [desk.text("separator_declared", b"".join(lines), cases)]


def _tcvn3(text: str) -> bytes:
    """The legacy bytes of the few letters of the names below."""
    letters = {"ô": 0xAB, "ư": 0xAD, "ơ": 0xAC, "ạ": 0xB9, "ớ": 0xED, "Đ": 0xA7, "đ": 0xAE,
               "á": 0xB8, "à": 0xB5, "ẫ": 0xC9}  # fmt: skip
    return bytes(letters.get(letter) or ord(letter) for letter in text)


def _cp1258(text: str) -> bytes:
    """Windows' Vietnamese: the tone follows its letter."""
    raw = bytearray()
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(p for p in parts if p not in tones))
        raw += (base + "".join(tones)).encode("cp1258")
    return bytes(raw)


@file_class
def encodings(desk: Desk) -> list[Delivered]:
    made = []
    for encode in (_tcvn3, _cp1258, str.encode):
        made.append(desk.lines("encodings", encode=encode))
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"),
                           (b"\xfe\xff", "utf-16-be"), (b"", "utf-16-le")):  # fmt: skip
        cases = desk.cases("encodings")
        lines = b"".join([*head_lines(HEADER), *delimited_lines(cases)]).decode()
        made.append(desk.text("encodings", mark + lines.encode(encoding), cases))
    return made


@file_class
def empty_statement_with_count(desk: Desk) -> list[Delivered]:
    made = [Delivered("empty_statement_with_count", f"{desk.stem()}.xlsx")]
    write_workbook(desk.path(made[0]), {"07201": []}, header=HEADER)
    for content in (b"", b"".join(head_lines(HEADER)), b"\n\n\n"):
        made.append(desk.text("empty_statement_with_count", content, []))
    return [desk.beside(each, "count", "0\n") for each in made]


@file_class
def sheets_hidden_charts_and_empty_ones(desk: Desk) -> list[Delivered]:
    kind = "sheets_hidden_charts_and_empty_ones"
    made = Delivered(kind, f"{desk.stem()}.xlsx", cases=desk.cases(kind, 4))

    def after(book: Any) -> None:
        book.add_worksheet("07204")
        book.add_chartsheet("Biểu đồ").set_chart(_chart(book))
        book.get_worksheet_by_name("07202").hide()
        book.get_worksheet_by_name("07203").very_hidden()

    sheets = {"07201": made.cases[:1], "07202": made.cases[1:2], "07203": made.cases[2:]}
    write_workbook(desk.path(made), sheets, header=HEADER, after=after)
    return [made]


def _chart(book: Any) -> Any:
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": "='07201'!$A$1:$A$2"})
    return chart


@file_class
def manifests_that_agree(desk: Desk) -> list[Delivered]:
    made = [desk.book("manifests_that_agree"), desk.lines("manifests_that_agree")]
    for each in made:
        digest = hashlib.sha256(desk.path(each).read_bytes()).hexdigest()
        desk.beside(each, "sha256", f"{digest.upper()}\r\n")
        desk.beside(each, "count", f"{len(each.cases)}\r\n")
    return made


@file_class
def sheet_of_an_unknown_agency(desk: Desk) -> list[Delivered]:
    kind, made = "sheet_of_an_unknown_agency", []
    for sheet in ("99999", "7201", "Sheet1", "07201x"):
        each = Delivered(kind, f"{desk.stem()}.xlsx", cases=desk.cases(kind, 2))
        write_workbook(desk.path(each), {sheet: each.cases}, header=HEADER)
        made.append(each)
    wrong = desk.lines(kind)
    renamed = wrong.name.replace("_07202", "_70202")
    desk.path(wrong).rename(desk.drop / renamed)
    wrong.name = renamed
    for case in (case for each in [*made, wrong] for case in each.cases):
        case.rule = "c12.agency_known"
    return [*made, wrong]


@file_class
def malformed_row_where_a_header_may_stand(desk: Desk) -> list[Delivered]:
    kind = "malformed_row_where_a_header_may_stand"
    cases = desk.cases(kind, 4)
    cases[0].cells["_ps_bh"] = "1e3"
    cases[0].rule = "c12.readable"
    return [desk.text(kind, b"".join(delimited_lines(cases)), cases)]


@file_class
def lone_end_of_copy(desk: Desk) -> list[Delivered]:
    cases = desk.cases("lone_end_of_copy", 4)
    lines = delimited_lines(cases)
    content = b"".join([*head_lines(HEADER), *lines[:2], b"\\.\n", *lines[2:]])
    made = desk.text("lone_end_of_copy", content, cases)
    made.torn = 1
    return [made]


@file_class
def csv_column_lost_or_added_without_header(desk: Desk) -> list[Delivered]:
    kind, made = "csv_column_lost_or_added_without_header", []
    lost = [name for name in COLUMNS if name != "lktql"]
    more = [*COLUMNS[:70], "mới", *COLUMNS[70:]]
    for columns in (lost, more):
        cases = desk.cases(kind)
        for case in cases:
            case.rule = "c12.readable"
        lines = [b"\n\n", *delimited_lines(cases, columns=columns)]
        each = desk.text(kind, b"".join(lines), cases)
        made.append(each)
    return made


@file_class
def csv_cut_at_every_64th(desk: Desk) -> list[Delivered]:
    """Without a count: whole lines count, a cut one is set aside."""
    made = []
    for cut in csv_cuts(desk, "csv_cut_at_every_64th"):
        made.append(refused(cut, "") if not cut.cases and not cut.torn else cut)
    return made
