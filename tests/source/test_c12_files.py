"""C12 files are told apart by what stands where, and refused where nothing fits."""

import csv
import hashlib
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from chotso.contracts import FileSource, contract_of
from chotso.errors import ChotsoError
from chotso.source.drop_folder import DropFolder, RefusedDeliveryError
from chotso.source.files import ParsedFile, parse

C12 = contract_of("c12")
assert isinstance(C12.source, FileSource)
COLUMNS = C12.source.sheet_columns
PATTERN = C12.source.name_pattern
NAME = "C12_202112_20211231T163000"


def account(code: str, **cells: Any) -> dict[str, Any]:
    return {"madvi": code, "thang": "12/2021", "_dk_bhxh": 100, "_ps_bh": 50, "_dt_bhxh": 30,
            "_ck_bhxh": 120, "nguoilh": "Người Liên Hệ", **cells}  # fmt: skip


def cells(row: dict[str, Any], old_layout: bool) -> list[Any]:
    names = [*COLUMNS[:8], "chon", *COLUMNS[8:]] if old_layout else COLUMNS
    return [row.get(name) for name in names]


def workbook(
    folder: Path,
    sheets: dict[str, list[dict[str, Any]]],
    *,
    old_layout: bool = False,
    header: bool = True,
) -> Path:
    path = folder / f"{NAME}.xlsx"
    book = xlsxwriter.Workbook(path)
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        if header:
            sheet.write_row(0, 0, ["chon" if old_layout else "x", *COLUMNS])
        for at, row in enumerate(rows, 2):
            sheet.write_row(at, 0, cells(row, old_layout))
    book.close()
    return path


def text_file(folder: Path, rows: list[dict[str, Any]], delimiter: str, encoding: str) -> Path:
    path = folder / f"{NAME}_07201.csv"
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle, delimiter=delimiter)
        writer.writerow(COLUMNS)
        writer.writerow([])
        writer.writerows([cells(row, old_layout=False) for row in rows])
    return path


def read(path: Path, tmp_path: Path) -> ParsedFile:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    return parse(C12, DropFolder(str(path.parent)).fetch(path.name, PATTERN, scratch))


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


ROWS = [account("AA0001A"), account("AA0002A", _dk_bhxh=None, _ck_bhxh=20)]


@pytest.mark.parametrize("old_layout", [False, True])
@pytest.mark.parametrize("header", [False, True])
def test_both_layouts_with_and_without_header(
    drop: Path, tmp_path: Path, old_layout: bool, header: bool
) -> None:
    path = workbook(drop, {"07201": ROWS, "07202": []}, old_layout=old_layout, header=header)
    parsed = read(path, tmp_path)
    rows = parsed.rows.to_pylist()
    assert [(r["madvi"], r["dk_bhxh"], r["ps_bh"], r["ck_bhxh"]) for r in rows] == [
        ("AA0001A", 100, 50, 120),
        ("AA0002A", 0, 50, 20),
    ]
    assert {r["ma_co_quan"] for r in rows} == {"07201"}
    assert not any("Liên Hệ" in r["extra"] for r in rows)
    assert parsed.scope is not None
    assert parsed.scope.column("ma_co_quan").to_pylist() == ["07201", "07202"]


def test_the_naive_twin_reads_the_old_layout_shifted(drop: Path) -> None:
    """Reading the older layout by the newer one's positions brings other figures."""
    row = cells(ROWS[0], old_layout=True)
    assert row[COLUMNS.index("_ps_bh")] != ROWS[0]["_ps_bh"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_csv_states_what_its_workbook_states(
    drop: Path, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    sheet = read(workbook(drop, {"07201": ROWS}), tmp_path)
    text = read(text_file(drop, ROWS, delimiter, encoding), tmp_path)
    assert sheet.scope is not None
    assert text.scope is not None
    assert text.scope.to_pylist() == sheet.scope.to_pylist()


def test_the_order_of_rows_is_no_content(drop: Path, tmp_path: Path) -> None:
    first = read(workbook(drop, {"07201": ROWS}), tmp_path)
    again = read(workbook(drop, {"07201": ROWS[::-1]}), tmp_path)
    other = read(workbook(drop, {"07201": ROWS[:1]}), tmp_path)
    assert first.scope is not None
    assert again.scope is not None
    assert other.scope is not None
    assert first.scope.to_pylist() == again.scope.to_pylist() != other.scope.to_pylist()


def test_an_unreadable_amount_is_said_of_its_row(drop: Path, tmp_path: Path) -> None:
    rows = [*ROWS, account("AA0003A", _ck_bhxh="12,5")]
    found = read(workbook(drop, {"07201": rows}), tmp_path).rows.to_pylist()
    assert [r["unreadable"] is None for r in found] == [True, True, False]
    assert "ck_bhxh" in found[2]["unreadable"]


def refusal(path: Path, tmp_path: Path) -> str:
    with pytest.raises(RefusedDeliveryError) as refused:
        read(path, tmp_path)
    assert refused.value.kept
    assert refused.value.next_step
    return refused.value.what


def test_an_unknown_layout_is_refused(drop: Path, tmp_path: Path) -> None:
    path = drop / f"{NAME}.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("07201")
    sheet.write_row(2, 5, cells(ROWS[0], old_layout=False))
    book.close()
    assert "in none of the layouts 109, 110" in refusal(path, tmp_path)


def test_a_folder_in_the_drop_folder_is_no_delivery(drop: Path, tmp_path: Path) -> None:
    (drop / f"{NAME}.xlsx").mkdir()
    assert DropFolder(str(drop)).names(PATTERN) == []


def test_a_file_that_was_taken_away_is_named(drop: Path, tmp_path: Path) -> None:
    with pytest.raises(ChotsoError, match="cannot be read"):
        DropFolder(str(drop)).fetch(f"{NAME}.xlsx", PATTERN, tmp_path)


@pytest.mark.parametrize("ending", [".sha256", ".count", ".part", ".tmp"])
def test_what_stands_beside_a_delivery_is_none(drop: Path, ending: str) -> None:
    (drop / f"{NAME}.xlsx{ending}").write_text("")
    assert DropFolder(str(drop)).names(PATTERN) == []


def test_a_truncated_workbook_is_refused(drop: Path, tmp_path: Path) -> None:
    path = workbook(drop, {"07201": ROWS})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "not a readable workbook" in refusal(path, tmp_path)
    (drop / f"{path.name}.sha256").write_text(hashlib.sha256(whole).hexdigest() + "\n")
    assert "truncated or was changed" in refusal(path, tmp_path)


def test_the_manifest_is_checked(drop: Path, tmp_path: Path) -> None:
    path = workbook(drop, {"07201": ROWS})
    (drop / f"{path.name}.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest() + "\n")
    (drop / f"{path.name}.count").write_text("2")
    assert read(path, tmp_path).rows.num_rows == 2
    (drop / f"{path.name}.count").write_text("3")
    assert "it has 2 data rows, its manifest says 3" in refusal(path, tmp_path)
    (drop / f"{path.name}.sha256").write_text("no digest\n")
    assert "64 hex digits" in refusal(path, tmp_path)


def test_a_file_without_rows_needs_a_count_of_zero(drop: Path, tmp_path: Path) -> None:
    path = workbook(drop, {"07201": []})
    assert "no data rows" in refusal(path, tmp_path)
    (drop / f"{path.name}.count").write_text("0")
    parsed = read(path, tmp_path)
    assert parsed.rows.num_rows == 0
    assert parsed.scope is not None
    assert parsed.scope.num_rows == 1
