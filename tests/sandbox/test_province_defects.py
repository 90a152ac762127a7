"""Planted defects are where the right answers say, and nothing else is wrong."""

import codecs
import hashlib
import io
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from chotso.sandbox.province.c12_export import CLOSINGS, MONEY_FIELDS
from chotso.sandbox.province.c12_layout import COLUMNS_109, columns_of
from chotso.sandbox.province.defects import Defect, load_defects, save_defects
from chotso.sandbox.province.deliveries import ArrivingFile, deliveries
from chotso.sandbox.province.parameters import DefectLevel, Parameters
from chotso.sandbox.province.tcvn3 import can_encode, encode
from chotso.sandbox.province.world import World, make_world
from chotso.source.tcvn3 import decode

TONES = "\u0300\u0309\u0303\u0301\u0323"


def world_with(level: DefectLevel) -> World:
    return make_world(Parameters(3_000, 90, 2021, 4, level), lambda _: None)


def delivered(world: World) -> list[ArrivingFile]:
    until = world.parameters.timeline.horizon
    return list(deliveries(world.parameters, world.book, world.plans, None, until))


@pytest.fixture(scope="module")
def world() -> World:
    return world_with("all")


@pytest.fixture(scope="module")
def files(world: World) -> list[ArrivingFile]:
    return delivered(world)


def rows_of(world: World, table: str) -> dict[Any, dict[str, Any]]:
    versions = next(v for v in world.tables if v.table.name == table)
    newest = versions.newest(None, world.parameters.timeline.horizon)
    keys = versions.table.key_columns
    return {
        row[:keys]: dict(zip(versions.table.names, row, strict=True))
        for _, columns in versions.chunks(newest)
        for row in zip(*columns, strict=True)
    }


def of_kind(defects: list[Defect], kind: str) -> list[Defect]:
    found = [defect for defect in defects if defect.kind == kind]
    assert found
    return found


def test_none_plants_none() -> None:
    world = world_with("none")
    assert world.defects == []
    assert [each for each in delivered(world) if each.defects] == []


def test_more_is_planted_with_all_than_with_some(world: World) -> None:
    assert 0 < len(world_with("some").defects) < len(world.defects)


def test_names_and_codes_are_planted(world: World) -> None:
    employers = rows_of(world, "don_vi")
    for defect in of_kind(world.defects, "name_not_nfc"):
        name = employers[(defect.key["ma_don_vi"],)]["ten"]
        assert unicodedata.normalize("NFC", name) != name
    for defect in of_kind(world.defects, "name_like_formula"):
        assert employers[(defect.key["ma_don_vi"],)]["ten"][0] in "=+-@"
    planted = {d.key["ma_don_vi"] for d in world.defects if d.kind == "name_not_nfc"}
    for (code,), row in employers.items():
        assert (unicodedata.normalize("NFC", row["ten"]) != row["ten"]) == (code in planted)


def test_malformed_numbers_are_planted_and_no_others(world: World) -> None:
    planted = {
        defect.key["ma_qua_trinh"]
        for defect in world.defects
        if defect.reason == "malformed_person_number"
    }
    found = {
        key
        for (key,), row in rows_of(world, "tham_gia").items()
        if not (len(row["ma_so_bhxh"]) == 10 and row["ma_so_bhxh"].isdecimal())
    }
    assert found == planted


def test_documents_are_planted_and_no_others(world: World) -> None:
    documents, lines = rows_of(world, "chung_tu"), rows_of(world, "phan_bo")
    unknown = {number for (number,), row in documents.items() if row["ma_co_quan"] == "07299"}
    entries = of_kind(world.defects, "document_of_unknown_agency")
    assert unknown == {d.key["so_chung_tu"] for d in entries if d.feed == "payments"}
    for defect in entries:
        if defect.feed == "payments":
            assert documents[(defect.key["so_chung_tu"],)]["so_tien"] == defect.money_vnd
    sums: dict[str, int] = {}
    for (number, _), row in lines.items():
        sums[number] = sums.get(number, 0) + row["tien_goc"] + row["tien_lai"]
    exceeding = {n for n, total in sums.items() if abs(total) > abs(documents[(n,)]["so_tien"])}
    entries = of_kind(world.defects, "lines_exceed_document")
    assert exceeding == {defect.key["so_chung_tu"] for defect in entries}
    for defect in entries:
        line = lines[(defect.key["so_chung_tu"], defect.key["so_dong"])]
        assert line["tien_goc"] + line["tien_lai"] == defect.money_vnd


def cells_of(each: ArrivingFile) -> dict[str, list[dict[str, Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(each.content))
    month = int(each.name[8:10]) - 1
    found = {}
    for sheet in book.sheet_names:
        lines = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)[2:]
        columns = columns_of(sheet, month)
        found[sheet] = [dict(zip(columns, line, strict=False)) for line in lines]
    return found


def test_rows_of_workbooks_are_planted(files: list[ArrivingFile]) -> None:
    struck = [each for each in files if len(each.defects) > 5]
    assert len(struck) == 3
    for each in struck:
        sheets = cells_of(each)
        kinds = {defect.kind for defect in each.defects}
        assert len(kinds) == 13
        for defect in each.defects:
            if "madvi" not in defect.key:
                continue
            code = str(defect.key["madvi"])
            rows = [
                row
                for row in sheets[str(defect.key["ma_co_quan"])]
                if row["madvi"] == code or (isinstance(row["madvi"], float) and code.isdecimal())
            ]
            check(defect, rows)


def identity_gap(row: dict[str, Any]) -> float:
    due = row["_dk_bhyt"] + row["_ps_yt"] + row["_bst_yt"] - row["_bsg_yt"]
    return float(row["_ck_bhyt"] - (due - row["_dt_bhyt"]))


# What the only row with the employer's code must look like.
LOOKS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "leading_zeros_eaten": lambda row: row["madvi"] == 12345,
    "null_for_zero": lambda row: any(row[name] == "" for name in MONEY_FIELDS),
    "thousand_dots": lambda row: all(isinstance(row[name], str) for name in MONEY_FIELDS),
    "decimal_comma": lambda row: all(row[name].endswith(",00") for name in MONEY_FIELDS),
    "month_dd_mm_yyyy": lambda row: row["thang"].startswith("01/") and len(row["thang"]) == 10,
    "month_excel_serial": lambda row: isinstance(row["thang"], float) and row["thang"] > 44_000,
    "fraction_of_dong": lambda row: row["_ps_bh"] % 1 == 0.5,
    "identity_broken": lambda row: identity_gap(row) == 1_234_567,
    "sheet_of_unknown_agency": lambda row: row["madvi"].startswith("ZZ"),
}
DOUBLES = ("identical_duplicate", "differing_duplicate", "row_of_another_year")


def check(defect: Defect, rows: list[dict[str, Any]]) -> None:
    if defect.kind in DOUBLES:
        assert len(rows) == 2
        assert (rows[0] == rows[1]) == (defect.kind == "identical_duplicate")
        return
    [row] = rows
    assert LOOKS[defect.kind](row)
    if all(isinstance(row[name], float | int) for name in CLOSINGS):
        assert sum(row[name] for name in CLOSINGS) == defect.money_vnd


def test_whole_files_are_planted(files: list[ArrivingFile]) -> None:
    [cut] = [each for each in files if each.logged.get("is_refused")]
    assert cut.stated is not None
    assert hashlib.sha256(cut.stated).digest() != hashlib.sha256(cut.content).digest()
    assert cut.stated.startswith(cut.content)
    again = [each for each in files if any(d.reason == "same_content" for d in each.defects)]
    [workbook] = [each for each in again if each.name.endswith(".xlsx")]
    assert [each.content for each in files].count(workbook.content) == 2
    modern, old = sorted(
        (each for each in again if each.name.endswith(".csv")),
        key=lambda each: not each.content.startswith(codecs.BOM_UTF8),
    )
    lines = modern.content.decode("utf-8-sig").splitlines()
    assert lines[1].split(";") == list(COLUMNS_109)
    assert len(lines) == modern.row_count + 2
    assert decode(old.content).splitlines()[1].startswith("Số liệu giả định,")


def test_every_small_letter_survives_the_old_encoding() -> None:
    letters = [unicodedata.normalize("NFC", a + t) for a in "aăâeêioôơuưy" for t in ("", *TONES)]
    text = "".join([*letters, "đĐĂÂÊÔƠƯ", "Hợp tác xã Giả định 0123"])
    assert can_encode(text)
    assert decode(encode(text)) == text
    assert not can_encode("GIẢ")
    with pytest.raises(ValueError, match="no code"):
        encode("GIẢ")


def test_right_answers_are_kept_by_instant(world: World, tmp_path: Path) -> None:
    save_defects(tmp_path, world.defects)
    assert load_defects(tmp_path, "9999") == world.defects
    early = load_defects(tmp_path, "2021-10-01T00:00:00+07:00")
    assert 0 < len(early) < len(world.defects)
