"""C12 exports as files: whole workbooks and per-agency CSV, in the layouts that circulate."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from random import Random
from typing import Any

import xlsxwriter

from tests.oracle.model import Row, Statement

_NAMES = (
    "madvi makhoi tendvi mavung tgbhyt diachi dienthoai nguoilh ma_quan dsnv thang ghichu du_dk "
    "_dk_bhxh _dk_bhyt _dk_bhtn _dk_lai _tien_dk _ps_bh _ps_yt _ps_tn _bst_bh _bst_yt _bst_tn "
    "_bsg_bh _bsg_yt _bsg_tn sopn _dc01_bh _dc01_yt _dc01_tn _tql _tqlyt _tqltn sld sldtn pst "
    "pstTn pt1 pt2 pt3 thanght thanghttn sothang sothangtn tyleno tylenotn _pt_tudv _qt_tudv "
    "_thu_tudv _lk_tudv _tien_unc _dc_unc _dc_qtc _dc_lai nopthem _dt_bhxh _dt_bhyt _dt_bhtn "
    "_noqh _laiqh _dcbst_lai _dcbsg_lai _dt_lai du_ck _ck_bhxh _ck_bhyt _ck_bhtn _ck_lai _tien_ck "
    "lktql lktqlyt lktqltn lkpt_bhxh lkpt_bhyt lkpt_bhtn sld_dk sldtn_dk _sldtang _sldgiam "
    "_sldtntang _sldtngiam _pst_bh _psg_bh _pst_yt _psg_yt _pst_tn _psg_tn _lsbh _lsyt _lstn "
    "_tientlbh _tientlyt _tientltn _lai1_ps _lai2_ps _lai3_ps _lai1_dt _lai2_dt _lai3_dt _dk_lai1 "
    "_dk_lai2 _dk_lai3 _ck_lai1 _ck_lai2 _ck_lai3 thanghtyt sothangyt tylenoyt"
)
COLUMNS = tuple(_NAMES.split())
CHON_AT = 8
"""Where the older layout has its extra column `chon` (index from 0)."""

TCVN3 = str.maketrans({"ô": "\xab", "đ": "\xae", "á": "\xb8", "à": "\xb5"})
"""The few letters of the legacy encoding that the names below use, as latin-1 characters."""


def write_statement(rng: Random, drop: Path, statement: Statement, *, as_csv: bool) -> None:
    """Deliver a statement: one workbook, or one CSV file per agency."""
    stamp = _stem(statement)
    if not as_csv:
        path = drop / f"{stamp}.xlsx"
        _write_workbook(rng, path, statement)
        _write_manifest(rng, path, statement.sheets.values())
        return
    for agency, rows in statement.sheets.items():
        path = drop / f"{stamp}_{agency}.csv"
        path.write_bytes(_csv_bytes(rng, statement.month, rows))
        _write_manifest(rng, path, [rows])


def _write_workbook(rng: Random, path: Path, statement: Statement) -> None:
    columns = _layout(rng)
    header_at = rng.choice((0, 1, None))
    month_form = rng.choice(("text", "date", "number", "yyyymm"))
    with xlsxwriter.Workbook(path) as book:
        as_date = book.add_format({"num_format": "mm/yyyy"})
        for agency, rows in statement.sheets.items():
            sheet = book.add_worksheet(agency)
            if header_at is not None:
                sheet.write_row(header_at, 0, columns)
            for number, row in enumerate(rows, start=2):
                for index, column in enumerate(columns):
                    value = _cell(row, column)
                    if column == "thang" and month_form == "date":
                        first = datetime.combine(statement.month, datetime.min.time())
                        sheet.write_datetime(number, index, first, as_date)
                    elif column == "thang":
                        sheet.write(number, index, _month(statement.month, month_form))
                    elif isinstance(value, str):
                        sheet.write_string(number, index, value)
                    elif value is not None:
                        sheet.write_number(number, index, value)


def _csv_bytes(rng: Random, month: date, rows: Sequence[Row]) -> bytes:
    columns = _layout(rng)
    header_at = rng.choice((0, 1, None))
    month_form = rng.choice(("text", "yyyymm"))
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=rng.choice(",;\t"), lineterminator=rng.choice(("\n", "\r\n"))
    )
    for number in range(2):
        writer.writerow(columns if number == header_at else [""] * len(columns))
    for row in rows:
        cells = ["" if (value := _cell(row, c)) is None else str(value) for c in columns]
        cells[columns.index("thang")] = str(_month(month, month_form))
        writer.writerow(cells)
    if rng.random() < 0.5:
        return text.getvalue().translate(TCVN3).encode("latin-1")
    return text.getvalue().encode()


def _layout(rng: Random) -> list[str]:
    older = [*COLUMNS[:CHON_AT], "chon", *COLUMNS[CHON_AT:]]
    return older if rng.random() < 0.4 else list(COLUMNS)


def _cell(row: Row, column: str) -> Any:
    # `chon` is looked up like any column and stays empty: it carries nothing.
    return row.get(column)


def _month(month: date, form: str) -> str | int:
    if form == "number":
        return int(f"{month:%Y%m}")
    return f"{month:%Y%m}" if form == "yyyymm" else f"{month:%m/%Y}"


def _write_manifest(rng: Random, path: Path, sheets: Any) -> None:
    count = sum(len(rows) for rows in sheets)
    if rng.random() < 0.5:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_name(f"{path.name}.sha256").write_text(f"{digest}\n")
    # A file without any row is valid only with a count that says so.
    if count == 0 or rng.random() < 0.5:
        path.with_name(f"{path.name}.count").write_text(f"{count}")


def same_in_csv(rng: Random, drop: Path, statement: Statement) -> None:
    """Deliver one agency's part of a workbook a second time, in the other format."""
    agency = rng.choice(list(statement.sheets))
    if not (drop / f"{_stem(statement)}_{agency}.csv").exists():
        part: Mapping[str, Sequence[Row]] = {agency: statement.sheets[agency]}
        again = Statement(statement.name, statement.month, statement.stated_at, part)
        write_statement(rng, drop, again, as_csv=True)


def _stem(statement: Statement) -> str:
    return f"C12_{statement.month:%Y%m}_{statement.stated_at:%Y%m%dT%H%M%S}"
