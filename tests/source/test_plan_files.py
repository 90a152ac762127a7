"""Plan workbooks are read by their header; codes and values exactly or not at all."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from chotso.contracts import FileSource, contract_of
from chotso.source.drop_folder import DropFolder, RefusedDeliveryError
from chotso.source.files import parse

PLANS = contract_of("plans")
assert isinstance(PLANS.source, FileSource)
PATTERN = PLANS.source.name_pattern
HEADER = list(PLANS.columns)
LINE: dict[str, Any] = {
    "so_quyet_dinh": "10/QĐ-BHXH", "ngay_ky": date(2021, 1, 4), "don_vi_giao": "BHXH Việt Nam",
    "nam": 2021, "loai_doi_tuong": "CO_QUAN", "ma_doi_tuong": "07201", "chi_tieu": "NGUOI_BHYT",
    "gia_tri": 190_000, "hieu_luc_tu": date(2021, 1, 1),
}  # fmt: skip


def read(folder: Path, header: list[str], name: str = "KE_HOACH_1.xlsx", **cells: Any) -> Any:
    drop = folder / "drop"
    drop.mkdir()
    with xlsxwriter.Workbook(drop / name) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet("Kế hoạch")
        sheet.write_row(0, 0, header)
        line = LINE | cells
        for at, column in enumerate(header):
            value = line.get(column.strip().lower())
            if isinstance(value, date):
                sheet.write_datetime(1, at, value, day)
            elif value is not None:
                sheet.write(1, at, value)
    (row,) = parse(PLANS, DropFolder(str(drop)).fetch(name, PATTERN, folder)).rows.to_pylist()
    return row


def test_columns_in_any_order_and_a_new_one_beside_them(tmp_path: Path) -> None:
    row = read(tmp_path, [" GIA_TRI ", "ghi_chu", *reversed(HEADER[:-2]), "hieu_luc_tu"])
    assert (row["ma_doi_tuong"], row["gia_tri"], row["unreadable"]) == ("07201", "190000", None)
    assert row["hieu_luc_tu"] == date(2021, 1, 1)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ([n for n in HEADER if n != "gia_tri"], "its header lacks gia_tri; found: so_quyet_dinh"),
        (["giá trị" if n == "gia_tri" else n for n in HEADER], "its header lacks gia_tri"),
        ([*HEADER, "nam"], "has nam more than once"),
    ],
)
def test_a_lost_or_doubled_column_is_refused(
    tmp_path: Path, header: list[str], reason: str
) -> None:
    with pytest.raises(RefusedDeliveryError) as refused:
        read(tmp_path, header)
    assert reason in refused.value.what


def test_a_code_in_a_number_cell_may_have_lost_zeros(tmp_path: Path) -> None:
    row = read(tmp_path, HEADER, ma_doi_tuong=7201)
    assert row["ma_doi_tuong"] == "7201"  # so that the rules of codes see it too
    assert "lost zeros" in json.loads(row["unreadable"])["ma_doi_tuong"]


@pytest.mark.parametrize("value", ["190.000", "190,000", "1e3", "NaN", "", "190 000", "0.9 %"])
def test_a_value_that_could_be_two_is_set_aside(tmp_path: Path, value: str) -> None:
    row = read(tmp_path, HEADER, gia_tri=value)
    assert row["gia_tri"] is None
    assert (row["unreadable"] is None) == (value == "")


def test_a_name_that_only_looks_right_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedDeliveryError, match="its name is not of the form KE_HOACH_"):
        read(tmp_path, HEADER, name="ke_hoach_2021.xlsx")
