"""The classes of malformed rows: what is wrong with a row, and where it must end.

`ANYWHERE` can stand in a workbook and in CSV; the others in one of them alone.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal

from tests.malformed.case import (
    AMOUNTS,
    CLOSINGS,
    GROUPS,
    ID,
    MONTH,
    Bytes,
    Case,
    ErrorCell,
    FormulaCell,
    Maker,
    Merged,
    move,
    spoil,
)
from tests.oracle.hostile.c12_files import COLUMNS

Class = Callable[[Maker], list[Case]]

ANYWHERE: dict[str, Class] = {}
WORKBOOK: dict[str, Class] = {}
DELIMITED: dict[str, Class] = {}


def _one(where: dict[str, Class], kind: str, change: Callable[[Maker, Case], object]) -> None:
    def make(maker: Maker) -> list[Case]:
        case = maker.good(kind)
        change(maker, case)
        return [case]

    where[kind] = make


def _unreadable_amount(where: dict[str, Class], kind: str, write: Callable[[int], object]) -> None:
    def change(maker: Maker, case: Case) -> None:
        name = maker.amount(case)
        spoil(case, name, write(case.cells[name]))

    _one(where, kind, change)


def _written_amounts(kind: str, write: Callable[[int], object]) -> None:
    def change(maker: Maker, case: Case) -> None:
        for name in AMOUNTS:
            case.cells[name] = write(case.cells[name])

    _one(ANYWHERE, kind, change)


def _cell(where: dict[str, Class], kind: str, name: str, cell: object, rule: str | None) -> None:
    def change(maker: Maker, case: Case) -> None:
        case.cells[name] = cell
        case.rule = rule
        if name == "sothang" and rule is None:
            case.values[name] = Decimal(str(cell).replace(",", "."))

    _one(where, kind, change)


def _dots(amount: int) -> str:
    return f"{amount:,}".replace(",", ".")


def _null_for_zero(maker: Maker, case: Case) -> None:
    for name in AMOUNTS:
        if case.cells[name] == 0:
            case.cells[name] = None


def _minus_zero(maker: Maker, case: Case) -> None:
    move(case, "_bst_bh", 0)
    case.cells["_bst_bh"] = "-0"


def _payable_of_three_digits(maker: Maker, case: Case) -> None:
    move(case, "_ps_bh", maker.rng.randrange(1, 900) * 1_000 + 125)
    amount = case.cells["_ps_bh"]
    spoil(case, "_ps_bh", f"{amount // 1_000},{amount % 1_000}")


# -- accepted: read as what they mean --
_one(ANYWHERE, "flawless", lambda maker, case: None)
_one(ANYWHERE, "null_for_zero", _null_for_zero)
_one(ANYWHERE, "minus_zero", _minus_zero)
_written_amounts("thousand_dots", _dots)
_written_amounts("thousand_dots_and_comma_zeros", lambda n: f"{_dots(n)},00")
_written_amounts("thousand_no_break_spaces", lambda n: f"{n:,}".replace(",", "\u00a0"))
_written_amounts("decimal_comma_of_zero", lambda n: f"{n},0")
_written_amounts("trailing_zeros_after_point", lambda n: f"{n}.00")
_written_amounts("text_with_spaces_around", lambda n: f"  {n}\u00a0 ")
_written_amounts("leading_zeros_of_an_amount", lambda n: f"{n:012d}")
_cell(ANYWHERE, "month_as_yyyymm_text", "thang", f"{MONTH:%Y%m}", None)
_cell(ANYWHERE, "month_as_iso", "thang", f"{MONTH:%Y-%m}", None)
_cell(ANYWHERE, "month_day_first", "thang", "31/12/2021", None)
_cell(ANYWHERE, "month_without_leading_zero", "thang", "1/12/2021", None)
_cell(ANYWHERE, "formula_payload_equals", "tendvi", "=cmd|' /C calc'!A0", None)
_cell(ANYWHERE, "formula_payload_plus", "tendvi", "+1+cmd|' /C calc'!A0", None)
_cell(ANYWHERE, "formula_payload_minus", "tendvi", "-2+3+cmd|' /C calc'!A0", None)
_cell(ANYWHERE, "formula_payload_at", "tendvi", "@SUM(1+1)*cmd|' /C calc'!A0", None)
_cell(ANYWHERE, "name_decomposed", "tendvi",
      unicodedata.normalize("NFD", "Trường mẫu giáo Hoà Thành"), None)  # fmt: skip
_cell(ANYWHERE, "name_with_quotes_and_delimiters", "tendvi", 'Công ty "A", B; C\tD', None)
_cell(ANYWHERE, "name_with_line_break", "tendvi", "Công ty A\nChi nhánh B, Tây Ninh", None)
_cell(ANYWHERE, "name_of_10_kb", "tendvi", "Phước Đông " * 1_000, None)
_cell(ANYWHERE, "name_right_to_left_and_zero_width", "tendvi", "A\u202eB\u200bC\u2066D", None)
_cell(ANYWHERE, "name_that_says_null", "tendvi", "NULL", None)
_cell(ANYWHERE, "name_of_a_lone_end_mark", "tendvi", "\\.", None)
_cell(ANYWHERE, "months_owed_with_decimal_comma", "sothang", "1,5", None)
_cell(ANYWHERE, "months_owed_with_three_decimals", "sothang", "1.125", None)

# -- set aside: amounts that have no exact reading --
_unreadable_amount(ANYWHERE, "fraction_with_decimal_comma", lambda n: f"{n},5")
_unreadable_amount(ANYWHERE, "fraction_as_number", lambda n: n // 1_000 + 0.5)
_unreadable_amount(ANYWHERE, "three_decimals", lambda n: f"{abs(n) + 1_000}.125")
_unreadable_amount(ANYWHERE, "three_decimals_below_one", lambda n: "0.125")
_one(ANYWHERE, "one_comma_before_three_digits", _payable_of_three_digits)
_unreadable_amount(ANYWHERE, "brackets_for_minus", lambda n: f"({abs(n)})")
_unreadable_amount(ANYWHERE, "unicode_minus", lambda n: f"\u2212{abs(n)}")
_unreadable_amount(ANYWHERE, "minus_behind", lambda n: f"{abs(n)}-")
_unreadable_amount(ANYWHERE, "space_in_number", lambda n: f"{abs(n) + 10} {abs(n)}")
_unreadable_amount(ANYWHERE, "unit_behind", lambda n: f"{n} đồng")
_unreadable_amount(ANYWHERE, "nan_text", lambda n: "NaN")
_unreadable_amount(ANYWHERE, "infinity_text", lambda n: "inf")
_unreadable_amount(ANYWHERE, "exponent_text", lambda n: "1e3")
_unreadable_amount(ANYWHERE, "null_text", lambda n: "NULL")
_unreadable_amount(ANYWHERE, "dash_for_nothing", lambda n: "-")
_unreadable_amount(ANYWHERE, "error_as_text", lambda n: "#N/A")
_unreadable_amount(ANYWHERE, "formula_as_text", lambda n: f"={n}+1")
_unreadable_amount(ANYWHERE, "hexadecimal", lambda n: f"0x{abs(n):x}")
_unreadable_amount(ANYWHERE, "underscores", lambda n: f"{abs(n):_}_0")
_unreadable_amount(ANYWHERE, "other_digits", lambda n: "\u0661\u0662\u0663")
_unreadable_amount(ANYWHERE, "groups_of_two_digits", lambda n: "1.23.456")
_unreadable_amount(ANYWHERE, "both_marks_mixed", lambda n: "1,234.567,8")
_unreadable_amount(ANYWHERE, "overflow_of_bigint", lambda n: str(2**63))
_unreadable_amount(ANYWHERE, "five_thousand_digits", lambda n: "9" * 5_000)
_cell(ANYWHERE, "months_owed_nan", "sothang", "NaN", "c12.readable")
_cell(ANYWHERE, "months_owed_of_forty_digits", "sothang", "1." + "3" * 40, "c12.readable")

# -- set aside: months and codes --
_cell(ANYWHERE, "month_13", "thang", "13/2021", "c12.readable")
_cell(ANYWHERE, "month_00", "thang", "202100", "c12.readable")
_cell(ANYWHERE, "month_first", "thang", "12/31/2021", "c12.readable")
_cell(ANYWHERE, "29_february_2021", "thang", "29/02/2021", "c12.readable")
_cell(ANYWHERE, "day_before_month_is_another_month", "thang", "12/01/2021", "c12.month_as_reported")
_cell(ANYWHERE, "month_in_words", "thang", "tháng 12", "c12.readable")
_cell(ANYWHERE, "month_missing", "thang", None, "c12.key_present")
_cell(ANYWHERE, "row_of_another_year", "thang", "12/2020", "c12.month_as_reported")
_cell(ANYWHERE, "row_of_another_month", "thang", "11/2021", "c12.month_as_reported")
_cell(ANYWHERE, "code_missing", "madvi", None, "c12.key_present")
_cell(ANYWHERE, "code_blank", "madvi", " \u00a0 ", "c12.key_present")


def _code(kind: str, write: Callable[[str], object], where: dict[str, Class] = ANYWHERE) -> None:
    def change(maker: Maker, case: Case) -> None:
        case.cells["madvi"] = write(case.cells["madvi"])
        case.rule = "c12.employer_code_well_formed"

    _one(where, kind, change)


_code("code_too_short", lambda code: code[1:])
_code("code_too_long", lambda code: code + "A")
_code("code_with_vietnamese_letter", lambda code: "Đ" + code[1:])
_code("code_with_zero_width_space", lambda code: code + "\u200b")
_code("code_with_wide_letters", lambda code: chr(ord(code[0]) + 0xFEE0) + code[1:])
_cell(ANYWHERE, "code_of_3_kb", "madvi", "".join(map(chr, range(0x4E00, 0x5200))), "c12.readable")
_code("leading_zeros_eaten", lambda code: int(code[2:6]) + 1)


# -- set aside: accounts that do not add up --
def _identity(group: str) -> None:
    def change(maker: Maker, case: Case) -> None:
        case.cells[GROUPS[group][-1]] += 1_000_001
        case.money += 1_000_001
        case.rule = f"c12.closing_identity_{group}"

    _one(ANYWHERE, f"identity_broken_{group}", change)


for _group in GROUPS:
    _identity(_group)


def _interest(maker: Maker, case: Case) -> None:
    case.cells["_ck_lai"] += 7
    case.rule = "c12.interest_identity"


def _swapped(maker: Maker, case: Case) -> None:
    cells = case.cells
    cells["_ps_bh"], cells["_dt_bhxh"] = cells["_dt_bhxh"] + 1_000_000_000, cells["_ps_bh"]
    case.rule = "c12.closing_identity_si"


def _too_large(maker: Maker, case: Case) -> None:
    case.cells["_tql"] = "20000000000000000"
    case.rule = "c12.amounts_in_range"


def _negative_heads(maker: Maker, case: Case) -> None:
    case.cells["sld"] = -1
    case.rule = "c12.head_counts_not_negative"


_one(ANYWHERE, "interest_identity_broken", _interest)
_one(ANYWHERE, "amounts_swapped", _swapped)
_one(ANYWHERE, "amount_out_of_range", _too_large)
_one(ANYWHERE, "negative_head_count", _negative_heads)


def _identical(maker: Maker) -> list[Case]:
    first = maker.good("identical_duplicate")
    return [first, replace(first, values={})]  # merged into the first one


def _differing(maker: Maker) -> list[Case]:
    pair = [maker.good("differing_duplicate"), maker.good("differing_duplicate")]
    pair[1].cells["madvi"] = pair[0].cells["madvi"]
    for case in pair:
        case.rule = "c12.key_unique_or_identical"
    return pair


ANYWHERE["identical_duplicate"] = _identical
ANYWHERE["differing_duplicate"] = _differing


def _total_line(maker: Maker, case: Case) -> None:
    case.cells["madvi"] = case.cells["thang"] = None
    case.cells["tendvi"] = "Tổng cộng"
    case.rule = "c12.key_present"


_one(ANYWHERE, "stray_total_line", _total_line)


def _note_line(maker: Maker, case: Case) -> None:
    case.cells = {"ghichu": "Người lập biểu", ID: case.id}
    case.rule, case.money = "c12.key_present", 0


_one(ANYWHERE, "stray_note_line", _note_line)


# -- workbooks alone --
_cell(WORKBOOK, "month_as_excel_date", "thang", date(2021, 12, 31), None)
_cell(WORKBOOK, "month_as_excel_serial", "thang", 44531, None)
_cell(WORKBOOK, "month_as_yyyymm_number", "thang", 202112, None)
_cell(WORKBOOK, "month_with_time_of_day", "thang", datetime(2021, 12, 31, 17), None)
_cell(WORKBOOK, "month_number_of_no_month", "thang", 202113, "c12.readable")
_cell(WORKBOOK, "month_serial_with_fraction", "thang", 44531.75, "c12.readable")
_cell(WORKBOOK, "month_truth_value", "thang", True, "c12.readable")
_cell(WORKBOOK, "code_is_a_date", "madvi", date(2021, 12, 1), "c12.readable")
_cell(WORKBOOK, "code_is_an_error", "madvi", ErrorCell("#N/A"), "c12.readable")
_unreadable_amount(WORKBOOK, "truth_value", lambda n: True)
_unreadable_amount(WORKBOOK, "error_ref", lambda n: ErrorCell("#REF!"))
_unreadable_amount(WORKBOOK, "error_div", lambda n: ErrorCell("#DIV/0!"))
_unreadable_amount(WORKBOOK, "formula_without_value", lambda n: FormulaCell("=A1+1", None))
_unreadable_amount(WORKBOOK, "date_for_amount", lambda n: date(2021, 12, 1))
_unreadable_amount(WORKBOOK, "time_for_amount", lambda n: time(17, 0))
_unreadable_amount(WORKBOOK, "float_that_lost_digits", lambda n: float(2**53))
_unreadable_amount(WORKBOOK, "float_just_beside", lambda n: abs(n) % 1_000_000 + 0.0000001)


def _formula_with_value(maker: Maker, case: Case) -> None:
    name = maker.amount(case)
    case.cells[name] = FormulaCell("=1+1", case.cells[name])


def _merged_amounts(maker: Maker, case: Case) -> None:
    case.cells["_dk_bhxh"] = Merged(case.cells["_dk_bhxh"], 2)
    del case.cells["_dk_bhyt"], case.cells["_dk_bhtn"]
    case.rule = "c12.readable"


def _beyond(maker: Maker, case: Case) -> None:
    case.beyond = ("một ghi chú",)
    case.rule = "c12.readable"


_one(WORKBOOK, "formula_with_value", _formula_with_value)
_one(WORKBOOK, "merged_amounts", _merged_amounts)
_one(WORKBOOK, "value_beyond_the_last_column", _beyond)


# -- CSV alone --
_cell(DELIMITED, "nul_in_name", "tendvi", "Công ty\0A", "c12.readable")
_cell(DELIMITED, "month_serial_as_text", "thang", "44531", None)


def _stray_byte(maker: Maker, case: Case) -> None:
    case.cells["tendvi"] = Bytes(b"C\xff\xfeng ty")
    case.rule = "c12.readable"


def _nul_in_amount(maker: Maker, case: Case) -> None:
    name = maker.amount(case)
    spoil(case, name, f"{case.cells[name]}\0")


def _too_few(maker: Maker, case: Case) -> None:
    case.width = maker.rng.randrange(70, 109)
    case.rule = "c12.readable"
    for name in CLOSINGS:
        if name not in COLUMNS[: case.width]:
            case.money -= case.cells[name]


def _too_many(maker: Maker, case: Case) -> None:
    case.beyond = ("1",)
    case.rule = "c12.readable"


_one(DELIMITED, "stray_byte_in_name", _stray_byte)
_one(DELIMITED, "nul_in_amount", _nul_in_amount)
_one(DELIMITED, "too_few_fields", _too_few)
_one(DELIMITED, "too_many_fields", _too_many)
