"""What a workbook stores is read, or said to be unreadable; nothing of it becomes a zero."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from chotso.contracts import FileSource, contract_of
from chotso.source.drop_folder import DropFolder, RefusedDeliveryError
from chotso.source.files import ParsedFile, parse
from chotso.source.worksheet import cells_in
from tests.malformed.packages import (
    MAIN,
    OFFICE,
    SHEET,
    STRICT,
    STRICT_OFFICE,
    Written,
    inline,
    letters,
    number,
    row_of,
    save,
)

C12 = contract_of("c12")
assert isinstance(C12.source, FileSource)
COLUMNS = C12.source.sheet_columns
AT = {name: at for at, name in enumerate(COLUMNS)}
NAME = "C12_202112_20211231T163000.xlsx"
WAGES = AT["_tql"]


def account(row: int, **cells: str) -> str:
    """An account that adds up; cells by name are written as given, after `{at}` and `{row}`."""
    made = {
        AT["madvi"]: inline(AT["madvi"], row, f"AA{row:04d}A"),
        AT["tendvi"]: inline(AT["tendvi"], row, "Công ty A"),
        AT["thang"]: inline(AT["thang"], row, "12/2021"),
        **{AT[n]: number(AT[n], row, v) for n, v in {"_dk_bhxh": 100, "_ps_bh": 50,
           "_dt_bhxh": 30, "_ck_bhxh": 120, "_tql": 900}.items()},
    }  # fmt: skip
    for name, cell in cells.items():
        made[AT[name]] = cell.replace("{at}", f"{letters(AT[name])}{row}")
    return row_of(row, made)


def parsed(tmp_path: Path, parts: dict[str, bytes]) -> ParsedFile:
    drop, scratch = tmp_path / "drop", tmp_path / "scratch"
    drop.mkdir(exist_ok=True)
    scratch.mkdir(exist_ok=True)
    save(drop / NAME, parts)
    assert isinstance(C12.source, FileSource)
    return parse(C12, DropFolder(str(drop)).fetch(NAME, C12.source.name_pattern, scratch))


def rows(tmp_path: Path, parts: dict[str, bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parsed(tmp_path, parts).rows.to_pylist()
    return found


def refusal(tmp_path: Path, parts: dict[str, bytes]) -> str:
    with pytest.raises(RefusedDeliveryError) as refused:
        parsed(tmp_path, parts)
    return refused.value.what


def one(cell: str, **how: Any) -> dict[str, bytes]:
    """A workbook of three accounts, of which the second has this cell for its wage fund."""
    return Written({"07201": [account(3), account(4, _tql=cell), account(5)]}, **how).parts()


NO_STYLE = '<cellXfs><xf numFmtId="0"/></cellXfs>'
Stored = dict[str, tuple[str, dict[str, Any]]]
READ: Stored = {
    "cdata": ('<c r="{at}"><v><![CDATA[700]]></v></c>', {}),
    "comment in the number": ('<c r="{at}"><v>7<!-- 9 -->00</v></c>', {}),
    "exponent": ('<c r="{at}"><v>7.0E2</v></c>', {}),
    "blanks round the number": ('<c r="{at}"><v>\n 700 </v></c>', {}),
    "blanks round the place": ('<c r=" {at} "><v>700</v></c>', {}),
    "text of runs": ('<c r="{at}" t="inlineStr"><is><r><rPr><b/></rPr><t>7</t></r>'
                     "<r><t>00</t></r></is></c>", {}),
    "read aloud beside": ('<c r="{at}" t="inlineStr"><is><t>700</t><rPh sb="0" eb="1"><t>x</t>'
                          "</rPh></is></c>", {}),
    "index with blanks": ('<c r="{at}" t="s"><v> 0 </v></c>', {"strings": ["<t>700</t>"]}),
    "formula with a value": ('<c r="{at}"><f>1+1</f><v>700</v></c>', {}),
    "computed later, with a value": ('<c r="{at}"><f>1+1</f><v>700</v></c>',
                                     {"after_list": '<calcPr fullCalcOnLoad="1"/>'}),
    "quoted per cent": ('<c r="{at}" s="0"><v>700</v></c>', {
        "styles": '<numFmts><numFmt numFmtId="170" formatCode="0&quot;%&quot;"/></numFmts>'
                  '<cellXfs><xf numFmtId="170"/></cellXfs>'}),
    "extension of the cell": ('<c r="{at}"><v>700</v><extLst><ext><x xmlns="u">5</x></ext></extLst>'
                              "</c>", {}),
}  # fmt: skip
ASIDE: Stored = {
    "error": ('<c r="{at}" t="e"><v>#REF!</v></c>', {}),
    "error of another program": ('<c r="{at}" t="e"><v>#SPILL!</v></c>', {}),
    "error in Vietnamese": ('<c r="{at}" t="e"><v>#GIÁTRỊ!</v></c>', {}),
    "error without its name": ('<c r="{at}" t="e"/>', {}),
    "formula never computed": ('<c r="{at}"><f>1+1</f></c>', {}),
    "formula with an empty value": ('<c r="{at}"><f>1+1</f><v/></c>', {}),
    "formula of text never computed": ('<c r="{at}" t="str"><f>A1</f></c>', {}),
    "formula of text, empty": ('<c r="{at}" t="str"><f>A1</f><v></v></c>', {}),
    "formula shared": ('<c r="{at}"><f t="shared" si="0"/></c>', {}),
    "zero to be computed": ('<c r="{at}"><f>1+1</f><v>0</v></c>',
                            {"after_list": '<calcPr fullCalcOnLoad="1"/>'}),
    "zero, computing not completed": ('<c r="{at}"><f>1+1</f><v>0.0</v></c>',
                                      {"after_list": '<calcPr calcCompleted="0"/>'}),
    "index of no text": ('<c r="{at}" t="s"><v>1</v></c>', {"strings": ["<t>700</t>"]}),
    "index below zero": ('<c r="{at}" t="s"><v>-1</v></c>', {"strings": ["<t>700</t>"]}),
    "no texts at all": ('<c r="{at}" t="s"><v>0</v></c>', {}),
    "number that is none": ('<c r="{at}"><v>7OO</v></c>', {}),
    "decimal comma in a number": ('<c r="{at}"><v>700,0</v></c>', {}),
    "infinity": ('<c r="{at}"><v>INF</v></c>', {}),
    "truth value of none": ('<c r="{at}" t="b"><v>7</v></c>', {}),
    "day": ('<c r="{at}" t="d"><v>2021-12-01</v></c>', {}),
    "unknown kind": ('<c r="{at}" t="money"><v>700</v></c>', {}),
    "text in place of a value": ('<c r="{at}">700</c>', {}),
    "text beside a value": ('<c r="{at}"><v>7</v>00</c>', {}),
    "element inside the value": ('<c r="{at}"><v>7<x/>00</v></c>', {}),
    "two values": ('<c r="{at}"><v>7</v><v>00</v></c>', {}),
    "inline text as a value": ('<c r="{at}" t="inlineStr"><v>700</v></c>', {}),
    "number as inline text": ('<c r="{at}"><is><t>700</t></is></c>', {}),
    "unknown element": ('<c r="{at}"><value>700</value></c>', {}),
    "foreign element": ('<c r="{at}"><v xmlns="urn:other">700</v></c>', {}),
    "shared text of an unknown kind": ('<c r="{at}" t="s"><v>0</v></c>', {"strings": ["<u>7</u>"]}),
    "per cent": ('<c r="{at}" s="0"><v>7</v></c>',
                 {"styles": '<cellXfs><xf numFmtId="10"/></cellXfs>'}),
    "per cent below zero": ('<c r="{at}" s="1"><v>7</v></c>', {
        "styles": '<numFmts><numFmt numFmtId="170" formatCode="[Red]0.0%;-0.0%"/></numFmts>'
                  '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/></cellXfs>'}),
    "format that is not there": ('<c r="{at}" s="9"><v>7</v></c>', {"styles": NO_STYLE}),
    "duration": ('<c r="{at}" s="1"><v>700</v></c>', {
        "styles": '<cellXfs><xf numFmtId="0"/><xf numFmtId="46"/></cellXfs>'}),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_what_says_a_number_is_that_number(kind: str, tmp_path: Path) -> None:
    cell, how = READ[kind]
    found = rows(tmp_path, one(cell, **how))
    assert [row["tql"] for row in found] == [900, 700, 900]
    assert not any(row["unreadable"] for row in found)


@pytest.mark.parametrize("kind", ASIDE)
def test_what_says_none_sets_its_row_aside_and_no_other(kind: str, tmp_path: Path) -> None:
    cell, how = ASIDE[kind]
    if kind == "per cent":  # every cell without a style has the first one
        how = {"styles": '<cellXfs><xf numFmtId="0"/><xf numFmtId="10"/></cellXfs>'}
        cell = cell.replace('s="0"', 's="1"')
    found = rows(tmp_path, one(cell, **how))
    assert [row["unreadable"] is None for row in found] == [True, False, True]
    assert list(json.loads(found[1]["unreadable"])) == ["tql"]
    assert found[1]["tql"] is None


def test_a_naive_reader_takes_many_of_these_for_nothing(tmp_path: Path) -> None:
    """What the library gives as empty would be read as an amount of zero."""
    empty = set()
    for kind, (cell, how) in (READ | ASIDE).items():
        path = save(tmp_path / "naive.xlsx", one(cell, **how))
        try:
            found = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
            value = found.to_python(skip_empty_area=False)[3][WAGES]
        except Exception:
            continue
        if value in ("", 0):
            empty.add(kind)
    assert {"error", "formula never computed", "zero to be computed"} <= empty
    assert len(empty) >= 8


def test_the_values_of_an_array_formula_are_computed_too(tmp_path: Path) -> None:
    cell = '<c r="{at}"><f t="array" ref="AF4:AF5">{{1}}</f><v>5</v></c>'
    sheet = [account(3), account(4, _tql=cell), account(5, _tql='<c r="{at}"><v>0</v></c>')]
    told = '<calcPr fullCalcOnLoad="1"/>'
    found = rows(tmp_path, Written({"07201": sheet}, after_list=told).parts())
    assert [row["unreadable"] is None for row in found] == [True, True, False]


SAME: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "backslashes": lambda p: {n.replace("/", "\\"): c for n, c in p.items()},
    "leading slashes": lambda p: {f"/{n}": c for n, c in p.items()},
    "capital letters": lambda p: {n.upper(): c for n, c in p.items()},
    "utf-16 sheet": lambda p: p | {SHEET: p[SHEET].decode().encode("utf-16")},
    "utf-16 without a mark": lambda p: p | {SHEET: p[SHEET].decode().encode("utf-16-be")},
    "utf-32 sheet": lambda p: p | {SHEET: p[SHEET].decode().encode("utf-32")},
    "utf-32 without a mark": lambda p: p | {SHEET: p[SHEET].decode().encode("utf-32-be")},
    "utf-16 everywhere": lambda p: {n: c.decode().encode("utf-16") for n, c in p.items()},
    "latin-1, declared": lambda p: p | {SHEET: b"<?xml version='1.0' encoding='ISO-8859-1'?>"
                                        + p[SHEET].decode().encode("latin-1")},
    "another main part": lambda p: {
        n.replace("workbook.xml", "book2.xml"): c.replace(b"xl/workbook.xml", b"xl/book2.xml")
        for n, c in p.items()},
    "absolute targets": lambda p: {n: c.replace(b'"worksheets/', b'"/xl/worksheets/')
                                   for n, c in p.items()},
    "prefixed names": lambda p: p | {SHEET: _prefixed(p[SHEET])},
    "rows out of order": lambda p: p | {SHEET: _reversed(p[SHEET])},
    "no places": lambda p: p | {SHEET: _without_places(p[SHEET])},
}  # fmt: skip


def _prefixed(sheet: bytes) -> bytes:
    text = sheet.decode().replace("xmlns=", "xmlns:x=").replace("</", "</x:")
    return text.replace("<", "<x:").replace("<x:/x:", "</x:").encode()


def _reversed(sheet: bytes) -> bytes:
    head, *found = sheet.decode().split("<row ")
    last, end = found[-1].split("</sheetData>")
    turned = [last, *reversed(found[:-1])]
    return (head + "".join(f"<row {row}" for row in turned) + "</sheetData>" + end).encode()


def _without_places(sheet: bytes) -> bytes:
    """Rows and cells that say nothing of where they stand follow one another."""
    lines = ["<row/><row/>"]
    for row in (3, 4, 5):
        cells = ["<c/>"] * len(COLUMNS)
        amounts = {"_dk_bhxh": 100, "_ps_bh": 50, "_dt_bhxh": 30, "_ck_bhxh": 120, "_tql": 900}
        texts = {"madvi": f"AA{row:04d}A", "tendvi": "Công ty A", "thang": "12/2021"}
        written = {name: inline(0, row, text) for name, text in texts.items()}
        written |= {name: number(0, row, amount) for name, amount in amounts.items()}
        for name, cell in written.items():
            cells[AT[name]] = cell.replace(f' r="A{row}"', "")
        lines.append(f"<row>{''.join(cells)}</row>")
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'.encode()


@pytest.mark.parametrize("kind", SAME)
def test_the_same_workbook_said_otherwise_is_the_same(kind: str, tmp_path: Path) -> None:
    whole = Written({"07201": [account(3), account(4), account(5)]}).parts()
    due = sorted(map(str, [{**r, "row_no": 0} for r in rows(tmp_path, whole)]))
    found = rows(tmp_path, SAME[kind](whole))
    assert sorted(map(str, [{**r, "row_no": 0} for r in found])) == due


def test_the_strict_dialect_has_the_same_faults(tmp_path: Path) -> None:
    cell = ASIDE["error"][0]
    sheet = [account(3), account(4, _tql=cell), account(5)]
    found = rows(tmp_path, Written({"07201": sheet}, main=STRICT, office=STRICT_OFFICE).parts())
    assert [row["unreadable"] is None for row in found] == [True, False, True]


WHOLE = [account(3), account(4)]
ROW_4 = '<row r="4"'
REFUSED: dict[str, tuple[Callable[[str], str], str]] = {
    "row twice": (lambda s: s.replace(ROW_4, '<row r="3"').replace('4"><', '3"><'), "two rows"),
    "cell twice": (lambda s: s.replace("</row>", '<c r="A3"><v>1</v></c></row>', 1), "two cells"),
    "cell of another row": (lambda s: s.replace('r="A4"', 'r="A5"'), "stands in row 4"),
    "place that is none": (lambda s: s.replace('r="A4"', 'r="4A"'), "the place"),
    "row that is none": (lambda s: s.replace(ROW_4, '<row r="four"'), "the number"),
    "two tables": (lambda s: s.replace(ROW_4, '</sheetData><sheetData>' + ROW_4), "two"),
    "row outside": (lambda s: s.replace("</sheetData>", "").replace(ROW_4,
                    "</sheetData>" + ROW_4), "stands in <worksheet>"),
    "cut": (lambda s: s[: len(s) * 2 // 3], "no whole XML"),
    "cut, without its end": (lambda s: s.replace("</sheetData></worksheet>", ""), "no whole XML"),
    "more after the end": (lambda s: s + "<worksheet/>", "no whole XML"),
    "choice of two": (lambda s: s.replace(ROW_4, "<a:Choice xmlns:a='u'>" + ROW_4)
                      .replace("</sheetData>", "</a:Choice></sheetData>"), "stands in"),
    "cells in a comment": (lambda s: s.replace(ROW_4, "<!-- <c r='A9'/> -->" + ROW_4),
                           "cells stand"),
    "text among rows": (lambda s: s.replace(ROW_4, "1234" + ROW_4), "text stands"),
    "document type": (lambda s: "<!DOCTYPE x [<!ENTITY a 'b'>]>" + s, "entities"),
    "bytes of no text": (lambda s: s.replace("12/2021", "12/2021\udcff"), "no text in utf-8"),
    "unknown encoding": (lambda s: "<?xml version='1.0' encoding='EBCDIC-1'?>" + s, "EBCDIC-1"),
    "not a sheet": (lambda s: s.replace("worksheet", "chartsheet"), "no worksheet"),
    "stray corner": (lambda s: s.replace("</sheetData>", '<row r="1048576"><c r="XFD1048576"><v>1'
                     "</v></c></row></sheetData>"), "spans more than"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("main", [MAIN, STRICT])
def test_a_sheet_that_cannot_be_read_whole_is_refused(kind: str, main: str, tmp_path: Path) -> None:
    change, reason = REFUSED[kind]
    office = STRICT_OFFICE if main == STRICT else OFFICE
    parts = Written({"07201": WHOLE}, main=main, office=office).parts()
    changed = change(parts[SHEET].decode())
    told = refusal(tmp_path, parts | {SHEET: changed.encode("utf-8", "surrogateescape")})
    assert reason in told
    assert "07201" in told or SHEET in told


def test_a_sheet_without_its_part_is_refused(tmp_path: Path) -> None:
    parts = Written({"07201": WHOLE, "07202": WHOLE}).parts()
    del parts["xl/worksheets/sheet2.xml"]
    assert "xl/worksheets/sheet2.xml" in refusal(tmp_path, parts)


@pytest.mark.parametrize(
    "bare",
    [
        '<row r="1"><c r="A1"/><c><v>1</v></c><c\n r="C1"></c><col/><cols></cols></row>',
        '<x:row><x:c r="A1"/><x:c><x:v>:c</x:v></x:c><c/><x:col/></x:row>',
        "<c><v>Điểm a:c</v></c><a.b-c:c/><a:b:c/><c",
        "<!-- <c/> --><is><t><![CDATA[<c ]]></t></is><C/>",
        "",
    ],
)
def test_cells_are_counted_in_the_bare_text_with_and_without_a_prefix(bare: str) -> None:
    for text in (bare, bare.replace(":c", "c")):
        assert cells_in(text) == len(re.findall(r"<(?:[\w.-]+:)?c(?=[\s/>])", text))
