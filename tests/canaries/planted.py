"""The canaries: persons and contacts that are invented, many forms, and easy to find again.

Every number holds `NUMBER_MARK`, every name and address `NAME_MARK` (or its decomposed form), every
birth date `BIRTH_MARK`: a scan for the marks finds any of them, whole or cut.
"""

import csv
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import psycopg
import xlsxwriter

from tests.oracle.hostile.c12_files import COLUMNS

NUMBER_MARK = "990417"
NAME_MARK = "Quắcxẩn"
BIRTH_MARK = "qxns"
PERSONS = 500


@dataclass(frozen=True)
class Person:
    """One canary at the source."""

    number: str
    name: str
    birth: str


def persons() -> list[Person]:
    """500 persons; four in five have a well-formed number, the others one of four wrong shapes."""
    return [Person(_number(n), _name(n), _birth(n)) for n in range(PERSONS)]


def _number(n: int) -> str:
    if n % 5:
        return f"{NUMBER_MARK}{n:04d}"
    return (
        f"{NUMBER_MARK}{n:03d}"[:9],  # nine digits: a leading zero eaten
        f" {NUMBER_MARK} {n:04d}",
        f"{NUMBER_MARK}A{n:03d}",
        f"{NUMBER_MARK}{n:04d}7",
    )[n // 5 % 4]


def _name(n: int) -> str:
    name = f"Đoàn Thị {NAME_MARK} Thứ{n:03d}"
    return unicodedata.normalize("NFD" if n % 2 else "NFC", name)


def _birth(n: int) -> str:
    return (f"{n % 28 + 1:02d}/13/1961", "1961", "mùng Một Tết Tân Sửu")[
        n % 3
    ] + f" {BIRTH_MARK}{n}"


def plant_persons(source_admin_url: str) -> int:
    """Give the first spells of the source to the canaries; returns how many rows carry one."""
    with psycopg.connect(source_admin_url) as conn:
        spells = conn.execute("select ma_qua_trinh from tst.tham_gia order by 1").fetchall()
        planted = 0
        with conn.cursor() as cursor:
            for (spell,), person in zip(spells, persons(), strict=False):
                cursor.execute(
                    "update tst.tham_gia set ma_so_bhxh = %s, ho_ten = %s, ngay_sinh = %s, "
                    "ngay_sua = (select bay_gio from tst.dong_ho) where ma_qua_trinh = %s",
                    [person.number, person.name, person.birth, spell],
                )
                planted += 1
    return planted


def contact(n: int) -> dict[str, str]:
    """Contact data of an employer, as C12 carries it."""
    return {
        "diachi": f"Ngõ {NAME_MARK} số {n}",
        "dienthoai": f"0{NUMBER_MARK}{n:03d}"[:10],
        "nguoilh": _name(n),
    }


def account(employer: str, n: int) -> dict[str, object]:
    """An employer's account that adds up, with a canary as contact."""
    money = {"_dk_bhxh": 100, "_ps_bh": 10 + n, "_dt_bhxh": 5, "_ck_bhxh": 105 + n}
    return {"madvi": employer, "tendvi": "Công ty đá", **contact(n), **money}


def write_workbook(path: Path, month: str, rows: list[dict[str, object]], agency: str) -> None:
    """A C12 workbook of one sheet, header in the first row."""
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet(agency)
        sheet.write_row(0, 0, COLUMNS)
        for at, row in enumerate(rows, start=2):
            for index, column in enumerate(COLUMNS):
                value = month if column == "thang" else row.get(column)
                if value is not None:
                    sheet.write(at, index, value)


def write_csv(path: Path, month: str, rows: list[dict[str, object]], *, shifted: bool) -> None:
    """A C12 CSV; `shifted` gives its last row the older layout's extra column."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow([""] * len(COLUMNS))
    for row in rows:
        cells = [str(month if c == "thang" else row.get(c, "")) for c in COLUMNS]
        if shifted and row is rows[-1]:
            cells.insert(3, "x")
        writer.writerow(cells)
    path.write_text(text.getvalue(), encoding="utf-8")
