"""The classes of files that are refused whole, and the words that say why."""

import hashlib
import zipfile
from pathlib import Path

from tests.malformed.case import Bytes
from tests.malformed.desk import (
    HEADER,
    Delivered,
    Desk,
    FileClass,
    book_bytes,
    csv_cuts,
    refused,
)
from tests.malformed.writing import (
    OLD,
    delimited_lines,
    parts_of,
    rezip,
    write_workbook,
)
from tests.oracle.hostile.c12_files import COLUMNS

UNREADABLE_BOOK = "not a readable workbook"
REFUSED: dict[str, FileClass] = {}


def file_class(make: FileClass) -> FileClass:
    """Register a class under its function's name."""
    REFUSED[make.__name__] = make
    return make


@file_class
def workbook_cut_at_every_64th(desk: Desk) -> list[Delivered]:
    made = []
    for cut in desk.cuts(book_bytes(desk)):
        each = Delivered("workbook_cut_at_every_64th", f"{desk.stem()}.xlsx")
        desk.path(each).write_bytes(cut)
        made.append(refused(each, UNREADABLE_BOOK))
    return made


@file_class
def workbook_with_one_byte_changed(desk: Desk) -> list[Delivered]:
    kind, made = "workbook_with_one_byte_changed", []
    for number in range(desk.steps):
        each = desk.book(kind)
        content = bytearray(desk.path(each).read_bytes())
        content[len(content) * number // desk.steps] ^= 0x55
        desk.path(each).write_bytes(content)
        each.may_be_refused = True
        made.append(each)
    return made


@file_class
def csv_cut_with_count(desk: Desk) -> list[Delivered]:
    made = []
    for cut in csv_cuts(desk, "csv_cut_with_count"):
        desk.beside(cut, "count", "12")
        has_all = len(cut.cases) + cut.torn == 12  # the twelfth is there, if torn
        made.append(
            cut
            if has_all
            else refused(cut, "its manifest says 12" if cut.cases or cut.torn else "")
        )
    return made


@file_class
def cut_with_sha256(desk: Desk) -> list[Delivered]:
    made = []
    for whole in (desk.lines("cut_with_sha256"), desk.book("cut_with_sha256")):
        content = desk.path(whole).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        ending = whole.name.partition("_2021120")[2][8:]
        for cut in desk.cuts(content):
            each = Delivered("cut_with_sha256", f"{desk.stem()}{ending}")
            desk.path(each).write_bytes(cut)
            made.append(refused(desk.beside(each, "sha256", digest), "truncated or was changed"))
        made.append(desk.beside(whole, "sha256", digest))
    return made


@file_class
def manifest_malformed(desk: Desk) -> list[Delivered]:
    made = []
    for content in ("", "no digest", "ab" * 31, "00" * 33, f"{'00' * 32}  C12.xlsx", b"\xff\xfe0"):
        each = desk.beside(desk.book("manifest_malformed"), "sha256", content)
        made.append(refused(each, "64 hex digits"))
    for content in ("", "three", "-3", "3.0", "٣", "9" * 5_000, "3 rows", b"\xff\xfe3"):
        each = desk.beside(desk.book("manifest_malformed"), "count", content)
        made.append(refused(each, "does not hold a number"))
    for content in ("2", "4", "0"):
        each = desk.beside(desk.book("manifest_malformed"), "count", content)
        made.append(refused(each, "its manifest says"))
    return made


@file_class
def no_rows_and_no_count(desk: Desk) -> list[Delivered]:
    empty = Delivered("no_rows_and_no_count", f"{desk.stem()}.xlsx")
    write_workbook(desk.path(empty), {"07201": [], "07202": []}, header=HEADER)
    texts = [desk.text(empty.kind, content, []) for content in (b"", b"\n\n", b"\xef\xbb\xbf")]
    return [refused(each, "no data rows") for each in (empty, *texts)]


@file_class
def wrong_kind_of_file(desk: Desk) -> list[Delivered]:
    kind, made = "wrong_kind_of_file", []
    book = book_bytes(desk)
    for content in (b"", b"madvi,thang\n", b"%PDF-1.7", b"\xd0\xcf\x11\xe0" + bytes(5_000),
                    b"PK\x05\x06" + bytes(18), b"<html></html>"):  # fmt: skip
        each = Delivered(kind, f"{desk.stem()}.xlsx")
        desk.path(each).write_bytes(content)
        made.append(refused(each, UNREADABLE_BOOK))
    made.append(refused(desk.text(kind, book, []), "a workbook"))
    made.append(refused(desk.text(kind, bytes(range(256)) * 40, []), ""))
    return made


@file_class
def archive_that_hurts(desk: Desk) -> list[Delivered]:
    """Bombs, entities, doubled members, a cell in the last corner."""
    kind = "archive_that_hurts"
    made = {name: desk.book(kind) for name in ("bomb", "entity", "corner", "twice", "sheets")}
    paths = {name: desk.path(each) for name, each in made.items()}
    sheet = "xl/worksheets/sheet1.xml"
    parts = {name: parts_of(path) for name, path in paths.items()}
    entity = b'?>\n<!DOCTYPE x [<!ENTITY a "b">]>'
    declared = parts["entity"][sheet].replace(b"?>", entity, 1)
    rezip(paths["entity"], parts["entity"] | {sheet: declared})
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    rezip(
        paths["corner"],
        parts["corner"] | {sheet: parts["corner"][sheet].replace(b"</sheetData>", far)},
    )
    _swell(paths["bomb"])
    with zipfile.ZipFile(paths["twice"], "a") as book:
        book.writestr(sheet.replace("sheet1", "SHEET1"), parts["twice"][sheet])
    write_workbook(paths["sheets"], {"07201": [], "07203": []}, header=HEADER)
    again = parts_of(paths["sheets"])
    named = again["xl/workbook.xml"].replace(b'"07203"', b'"07201"')
    rezip(paths["sheets"], again | {"xl/workbook.xml": named})
    reasons = {"bomb": "gibibyte", "entity": "entities", "corner": "cells", "twice": "twice",
               "sheets": "more than one sheet named 07201"}  # fmt: skip
    return [refused(made[name], reason) for name, reason in reasons.items()]


def _swell(path: Path) -> None:
    """Make an archive say that it unpacks to more than it may."""
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x01\x02")
    content[at + 24 : at + 28] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(content)


@file_class
def columns_moved_under_a_header(desk: Desk) -> list[Delivered]:
    """A header that contradicts the positions is believed: moved, added, lost, renamed."""
    moved = list(COLUMNS)
    moved[18], moved[19] = moved[19], moved[18]
    lost = [name for name in COLUMNS if name != "_bst_yt"]
    added = [*COLUMNS[:30], "_moi", *COLUMNS[30:]]
    named = ["_khac" if name == "_tql" else name for name in COLUMNS]
    made = []
    for columns in (moved, lost, added, named):
        made.append(desk.book("columns_moved_under_a_header", columns=columns, header={0: columns}))
        cases = desk.cases("columns_moved_under_a_header")
        lines = [
            ",".join(columns).encode() + b"\n\n",
            *delimited_lines(cases, columns=columns),
        ]
        made.append(desk.text("columns_moved_under_a_header", b"".join(lines), cases))
    return [refused(each, "in the order of none of the layouts") for each in made]


@file_class
def columns_moved_without_header(desk: Desk) -> list[Delivered]:
    made = []
    for columns in (["stt", *COLUMNS], COLUMNS[1:], ["a", "b", "c", *OLD], COLUMNS[::-1]):
        each = desk.book("columns_moved_without_header", columns=columns, header={})
        made.append(refused(each, "in none of the layouts"))
    wider = desk.cases("columns_moved_without_header")
    for case in wider:
        case.beyond = (1, 2)
    each = desk.book("columns_moved_without_header", wider, header={})
    return [*made, refused(each, "beyond the 109 columns")]


@file_class
def quotes_that_do_not_balance(desk: Desk) -> list[Delivered]:
    kind, made = "quotes_that_do_not_balance", []
    for opened, closed in (({1}, set()), ({1}, {2}), ({0}, {3}), ({3}, set())):
        cases = desk.cases(kind, 4)
        for at in opened | closed:
            name = b'"C\xc3\xb4ng ty A' if at in opened else b'C\xc3\xb4ng ty B"'
            cases[at].cells["tendvi"] = Bytes(name)
        made.append(desk.lines(kind, cases))
    late = desk.cases(kind, 3)  # opened in one column and closed in another
    late[0].cells["ghichu"], late[1].cells["tendvi"] = Bytes(b'"x'), Bytes(b'B"')
    made.append(desk.lines(kind, late))
    return [refused(each, "not readable CSV") for each in made]


@file_class
def names_that_only_look_right(desk: Desk) -> list[Delivered]:
    kind, made = "names_that_only_look_right", []
    book, form = book_bytes(desk), "its name is not of the form"
    names = {
        "C12_202113_20211231T080000.xlsx": "no instant or month",
        "C12_202100_20211231T080000.xlsx": "no instant or month",
        "C12_202112_20211331T080000.xlsx": "no instant or month",
        "C12_202112_20211231T250000.xlsx": "no instant or month",
        "C12_202112_20210229T080000.xlsx": "no instant or month",
        "C12_202112_20211231T080000 (1).xlsx": form,
        "C12_202112_20211231T080001.XLSX": form,
        "c12_202112_20211231T080002.xlsx": form,
        "C12_202112_20211231T080003.xls": form,
        "C12_202112.xlsx": form,
        "C12 tháng 12.xlsx": form,
        "C12_202112_20211231T080004.csv": form,
        "C12_202112_20211231T080005.xlsx.zip": form,
    }
    for name, reason in names.items():
        each = Delivered(kind, name)
        desk.path(each).write_bytes(book)
        made.append(refused(each, reason))
    return made
