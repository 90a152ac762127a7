"""The classes of malformed files: what is delivered, and whether it is refused or read."""

import hashlib
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.malformed.case import Bytes, Case, Maker
from tests.malformed.writing import (
    OLD,
    delimited_lines,
    head_lines,
    parts_of,
    rezip,
    write_workbook,
)
from tests.oracle.hostile.c12_files import COLUMNS

FIRST = datetime(2021, 12, 1, 8)
HEADER = {1: COLUMNS}
UNREADABLE_BOOK = "not a readable workbook"


@dataclass
class Delivered:
    """One delivered file and what must become of it.

    Attributes:
        kind: The class.
        name: The file's name.
        refusal: What the refusal's reason must contain; None where the file is read.
        cases: The rows that it brings, if it is read.
        torn: How many rows beyond those are set aside without their id.
        may_be_refused: Whether a refusal is right too: damage that hit nothing that counts.
        changes: Whether the rows are new to the warehouse.
    """

    kind: str
    name: str
    refusal: str | None = None
    cases: list[Case] = field(default_factory=list)
    torn: int = 0
    may_be_refused: bool = False
    changes: bool = True


class Desk:
    """Where deliveries are made: each has an export instant of its own, in the order made."""

    def __init__(self, drop: Path, seed: int, steps: int, prefix: str = "f") -> None:
        self.drop = drop
        self.maker = Maker(seed, prefix)
        self.steps = steps
        self._at = FIRST

    def stem(self) -> str:
        """The next name, without its ending."""
        self._at += timedelta(seconds=1)
        return f"C12_202112_{self._at:%Y%m%dT%H%M%S}"

    def cases(self, kind: str, count: int = 3) -> list[Case]:
        """Flawless accounts."""
        return [self.maker.good(kind) for _ in range(count)]

    def book(self, kind: str, cases: list[Case] | None = None, **how: Any) -> Delivered:
        """A workbook of one sheet; flawless where nothing is said."""
        made = Delivered(kind, f"{self.stem()}.xlsx", cases=cases or self.cases(kind))
        how.setdefault("header", HEADER)
        write_workbook(self.drop / made.name, {"07201": made.cases}, **how)
        return made

    def text(self, kind: str, content: bytes, cases: list[Case]) -> Delivered:
        """A CSV file of these bytes."""
        made = Delivered(kind, f"{self.stem()}_07202.csv", cases=cases)
        (self.drop / made.name).write_bytes(content)
        return made

    def lines(self, kind: str, cases: list[Case] | None = None, **how: Any) -> Delivered:
        """A CSV file written line by line."""
        made = cases or self.cases(kind)
        head = head_lines(HEADER, how.get("delimiter", ","), how.get("end", "\n"))
        return self.text(kind, b"".join([*head, *delimited_lines(made, **how)]), made)

    def path(self, made: Delivered) -> Path:
        return self.drop / made.name

    def beside(self, made: Delivered, ending: str, content: str | bytes) -> Delivered:
        """Put a manifest file beside a delivery."""
        raw = content.encode() if isinstance(content, str) else content
        (self.drop / f"{made.name}.{ending}").write_bytes(raw)
        return made

    def parts(self) -> list[int]:
        """The 64ths at which files are cut off; all of them, or `steps` of them."""
        return sorted({64 * n // self.steps for n in range(self.steps)})

    def cuts(self, content: bytes) -> Iterator[bytes]:
        """The content cut off at each of the parts."""
        return (content[: len(content) * part // 64] for part in self.parts())


FileClass = Callable[[Desk], list[Delivered]]
FILES: dict[str, FileClass] = {}


def file_class(make: FileClass) -> FileClass:
    """Register a class under its function's name."""
    FILES[make.__name__.strip("_")] = make
    return make


def refused(made: Delivered, reason: str) -> Delivered:
    """The delivery as one that must be refused."""
    made.refusal, made.cases = reason, []
    return made


# -- read right --
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


# -- read, and set aside --
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
    for cut in _csv_cuts(desk, "csv_cut_at_every_64th"):
        made.append(refused(cut, "") if not cut.cases and not cut.torn else cut)
    return made


def _csv_cuts(desk: Desk, kind: str) -> Iterator[Delivered]:
    """CSV of 12 accounts of its own each, cut off; a row that is cut is torn."""
    head = b"".join(head_lines({0: COLUMNS}))
    for part in desk.parts():
        cases = desk.cases(kind, 12)
        lines = delimited_lines(cases)
        content = head + b"".join(lines)
        cut = content[: len(content) * part // 64]
        whole = _whole_lines(cut[len(head) :], lines)
        rest = cut[len(head) + len(b"".join(lines[:whole])) :].strip(b",\n")
        made = desk.text(kind, cut, cases[:whole])
        made.torn = 1 if rest else 0
        yield made


def _whole_lines(content: bytes, lines: Sequence[bytes]) -> int:
    whole, length = 0, 0
    for line in lines:
        length += len(line)
        # The last field of a line is empty here: only its end may be missing.
        whole += len(content) >= length - 1
    return whole


# -- refused --
@file_class
def workbook_cut_at_every_64th(desk: Desk) -> list[Delivered]:
    made = []
    for cut in desk.cuts(desk_content(desk)):
        each = Delivered("workbook_cut_at_every_64th", f"{desk.stem()}.xlsx")
        desk.path(each).write_bytes(cut)
        made.append(refused(each, UNREADABLE_BOOK))
    return made


def desk_content(desk: Desk) -> bytes:
    """The bytes of a flawless workbook that is not delivered."""
    whole = desk.book("not delivered")
    content = desk.path(whole).read_bytes()
    desk.path(whole).unlink()
    return content


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
    for cut in _csv_cuts(desk, "csv_cut_with_count"):
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
    book = desk_content(desk)
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
    book, form = desk_content(desk), "its name is not of the form"
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
