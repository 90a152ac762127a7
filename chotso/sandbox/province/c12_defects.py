"""Defects planted into C12 exports: on chosen nights, a handful of rows and a few whole files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from chotso.sandbox.province.c12_export import (
    MONEY_FIELDS,
    AccountRow,
    Export,
    Sheets,
    closing_total,
)
from chotso.sandbox.province.c12_layout import COLUMNS_110, columns_of, month_cell
from chotso.sandbox.province.defects import NUMERIC_CODE, Defect, Expected
from chotso.sandbox.province.parameters import DefectLevel
from chotso.sandbox.province.timeline import DAY, LOCAL_OFFSET, Timeline, iso
from chotso.sandbox.province.versions import UNKNOWN_AGENCY_CODE
from chotso.sandbox.province.workbook import excel_serial


@dataclass(slots=True)
class Tampering:
    """The defects of one export."""

    file: str
    at: str
    month: date
    sheets: Sheets
    used: set[str] = field(default_factory=set)
    defects: list[Defect] = field(default_factory=list)
    set_aside: list[tuple[str, str]] = field(default_factory=list)

    def next_row(
        self, want: Callable[[AccountRow], bool] = lambda row: True
    ) -> tuple[str, AccountRow]:
        """A row without another defect, from the sheets in turn."""
        fresh = [
            (code, row)
            for code, rows in self.sheets.items()
            for row in rows
            if str(row["madvi"]) not in self.used and want(row)
        ]
        code, row = fresh[len(self.used) * 7 % len(fresh)]
        self.used.add(str(row["madvi"]))
        return code, row

    def note(
        self, kind: str, code: str, row: AccountRow, expected: Expected, reason: str, money: int
    ) -> None:
        """Records a row's defect."""
        key: dict[str, str | int] = {
            "ma_co_quan": code, "madvi": str(row["madvi"]), "thang": self.month.isoformat()
        }  # fmt: skip
        name = f"{kind}-{self.file}-{row['madvi']}-{len(self.defects)}"
        found = Defect(name, kind, "c12", self.at, key, expected, reason, money, self.file)
        self.defects.append(found)
        if expected == "quarantined":
            self.set_aside.append((code, str(row["madvi"])))


def strikes(level: DefectLevel, timeline: Timeline, export: Export) -> bool:
    """Whether an export gets defects: exports of the current month on chosen nights."""
    if level == "none" or not timeline.month_start(export.month) <= export.at:
        return False
    if export.at >= timeline.month_start(export.month + 1):
        return False
    nights = [timeline.month_start(9) - DAY, timeline.month_start(12) - 3 * DAY]
    if level == "all":
        nights.append(timeline.month_start(9) + 9 * DAY)
    return any(night <= export.at < night + DAY for night in nights)


def is_truncated(level: DefectLevel, timeline: Timeline, export: Export) -> bool:
    """Whether the export of this night arrives truncated; the next one arrives complete."""
    night = timeline.month_start(9) + 19 * DAY
    return level == "all" and night <= export.at < night + DAY and export.month == 9


def is_delivered_again(level: DefectLevel, timeline: Timeline, export: Export) -> bool:
    """Whether the export is delivered a second time under another name, and as .csv."""
    night = timeline.month_start(9) + 4 * DAY
    return level != "none" and night <= export.at < night + DAY and export.month == 9


def morning_after(at: int) -> int:
    """08:15 local on the next day."""
    return ((at + LOCAL_OFFSET) // DAY + 1) * DAY - LOCAL_OFFSET + 8 * 3_600 + 900


def tamper(timeline: Timeline, export: Export, file: str, sheets: Sheets) -> Tampering:
    """Plants every kind of row defect into the sheets, in place."""
    work = Tampering(file, iso(export.at), timeline.month_date(export.month), sheets)
    for plant in (
        _eaten_zeros, _nulls, _written_amounts, _months, _fraction, _broken_identity,
        _duplicates, _other_year, _unknown_sheet, _old_layout,
    ):  # fmt: skip
        plant(work)
    return work


def _eaten_zeros(work: Tampering) -> None:
    for code, rows in work.sheets.items():
        for row in rows:
            if row["madvi"] == NUMERIC_CODE:
                row["madvi"] = int(NUMERIC_CODE)
                work.used.add(str(row["madvi"]))
                work.note("leading_zeros_eaten", code, row, "quarantined",
                          "malformed_employer_code", closing_total(row))  # fmt: skip
                work.set_aside[-1] = (code, NUMERIC_CODE)


def _nulls(work: Tampering) -> None:
    code, row = work.next_row(lambda row: any(row[name] == 0 for name in MONEY_FIELDS))
    work.note("null_for_zero", code, row, "accepted", "null_is_zero", closing_total(row))
    row.update({name: None for name in MONEY_FIELDS if row[name] == 0})


def _written_amounts(work: Tampering) -> None:
    for kind, ending in (("thousand_dots", ""), ("decimal_comma", ",00")):
        code, row = work.next_row()
        work.note(kind, code, row, "accepted", "amount_as_text", closing_total(row))
        for name in MONEY_FIELDS:
            row[name] = f"{row[name]:,}".replace(",", ".") + ending


def _months(work: Tampering) -> None:
    for kind in ("month_dd_mm_yyyy", "month_excel_serial"):
        code, row = work.next_row()
        work.note(kind, code, row, "accepted", "month_written_otherwise", closing_total(row))
        first_day = work.month
        is_serial = kind == "month_excel_serial"
        row["thang"] = excel_serial(first_day) if is_serial else f"{first_day:%d/%m/%Y}"


def _fraction(work: Tampering) -> None:
    code, row = work.next_row(lambda row: row["_ps_bh"] != 0)
    work.note("fraction_of_dong", code, row, "quarantined", "fraction_of_dong", closing_total(row))
    row["_ps_bh"] = f"{row['_ps_bh']},5" if isinstance(row["_ps_bh"], str) else _half(row)


def _half(row: AccountRow) -> float:
    payable = row["_ps_bh"]
    assert isinstance(payable, int)
    return payable + 0.5


def _broken_identity(work: Tampering) -> None:
    code, row = work.next_row()
    closing = row["_ck_bhyt"]
    assert isinstance(closing, int)
    row["_ck_bhyt"] = closing + 1_234_567
    work.note("identity_broken", code, row, "quarantined", "identity_broken", closing_total(row))


def _duplicates(work: Tampering) -> None:
    code, row = work.next_row()
    work.sheets[code].append(dict(row))
    work.note("identical_duplicate", code, row, "accepted", "identical_duplicate",
              closing_total(row))  # fmt: skip
    code, row = work.next_row()
    other = dict(row)
    for name in ("_ps_bh", "_ck_bhxh"):
        value = row[name]
        assert isinstance(value, int)
        other[name] = value + 1_000
    work.sheets[code].append(other)
    for each in (row, other):
        work.note("differing_duplicate", code, each, "quarantined", "differing_duplicate",
                  closing_total(each))  # fmt: skip


def _other_year(work: Tampering) -> None:
    code, row = work.next_row()
    stray = dict(row)
    stray["thang"] = month_cell(code, date(work.month.year - 1, 12, 1))
    work.sheets[code].append(stray)
    work.note("row_of_another_year", code, stray, "quarantined", "month_not_of_file",
              closing_total(stray))  # fmt: skip
    work.set_aside.pop()  # the employer's own row of the month is valid


def _unknown_sheet(work: Tampering) -> None:
    template = next(rows[0] for rows in work.sheets.values() if rows)
    rows = []
    for number in (1, 2):
        row = {**template, "madvi": f"ZZ{number:04d}Z", "tendvi": f"Đơn vị giả định lạ {number}",
               "thang": month_cell(UNKNOWN_AGENCY_CODE, work.month)}  # fmt: skip
        rows.append(row)
        work.note("sheet_of_unknown_agency", UNKNOWN_AGENCY_CODE, row, "quarantined",
                  "unknown_agency", closing_total(row))  # fmt: skip
    work.sheets[UNKNOWN_AGENCY_CODE] = rows


def _old_layout(work: Tampering) -> None:
    for code in work.sheets:
        if columns_of(code, 99) == COLUMNS_110:
            key: dict[str, str | int] = {"ma_co_quan": code, "thang": work.month.isoformat()}
            work.defects.append(
                Defect(f"layout_of_110_columns-{work.file}-{code}", "layout_of_110_columns", "c12",
                       work.at, key, "accepted", "known_layout", 0, work.file)
            )  # fmt: skip
