"""The classes of malformed rows of a database source, and where each must end."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

CREDITED = datetime(2021, 12, 15, 3, tzinfo=UTC)
TEXTS = {
    "lone_end_mark": "\\.",
    "backslashes": "a\\nb\\N\\\\",
    "null_mark": "\\N",
    "quotes": 'Công ty "A" \'B\' ""',
    "unbalanced_quote": '"A',
    "delimiters": "a,b;c\td|e",
    "line_breaks": "a\nb\r\nc\rd",
    "lone_end_mark_in_a_line_of_its_own": "a\n\\.\nb",
    "text_null": "NULL",
    "text_nan": "NaN",
    "decomposed": unicodedata.normalize("NFD", "Hoà Thành"),
    "zero_width": "A\u200bB\ufeffC",
    "right_to_left": "A\u202eB\u2066C",
    "beyond_the_basic_plane": "𠀋😀",
    "spaces_around": "  A\u00a0 ",
    "no_break_space_inside": "Công\u00a0ty",
    "formula_payload": "=cmd|' /C calc'!A0",
    "control_characters": "a\x01\x1f\x7f",
    "byte_order_mark": "\ufeffA",
    "number_like": "1.234",
    "of_500_characters": "Đ" * 500,
}


@dataclass(frozen=True)
class SourceCase:
    """A row of `chung_tu`, what of it must be kept, and the first rule that sets it aside."""

    kind: str
    row: dict[str, Any]
    rule: str | None
    money: int


def document(number: int, **changed: Any) -> dict[str, Any]:
    """A flawless payment document."""
    row = {
        "so_chung_tu": f"CT{number:06d}",
        "ma_don_vi": "AA0001A",
        "ma_co_quan": "07201",
        "hinh_thuc": "UNC",
        "ngay_ghi_co": CREDITED,
        "so_tien": 1_000_000 + number,
        "trang_thai": "HIEU_LUC",
        "ngay_nhap": CREDITED,
        "ngay_sua": CREDITED,
    }
    return row | changed


def cases(of: Callable[[], Iterator[tuple[str, dict[str, Any], str | None]]]) -> list[SourceCase]:
    """The classes as numbered documents."""
    made = []
    for number, (kind, changed, rule) in enumerate(of(), 1):
        row = document(number, **changed)
        money = row["so_tien"]
        is_whole = rule != "payments.readable" or "so_tien" not in changed
        made.append(SourceCase(kind, row, rule, int(money) if money and is_whole else 0))
    return made


def _everywhere() -> Iterator[tuple[str, dict[str, Any], str | None]]:
    yield "flawless", {}, None
    for kind, text in TEXTS.items():
        yield kind, {"ma_don_vi": text}, None
        yield f"key_{kind}", {"so_chung_tu": f"{text} {kind}"[-500:]}, None
    yield "empty_text", {"ma_don_vi": ""}, "payments.required_present"
    yield "blank_text", {"ma_don_vi": " "}, "payments.required_present"
    yield "null_text", {"ma_don_vi": None}, "payments.required_present"
    yield "null_money", {"so_tien": None}, "payments.required_present"
    yield "text_of_a_megabyte", {"ma_don_vi": "đồng " * 200_000}, "payments.readable"
    yield "refund", {"so_tien": -5_000_000}, None
    # Each in a month of its own: the source's control total of a month is a bigint too.
    for kind, money, month in (("largest", 2**63 - 1, 10), ("smallest", -(2**63), 11)):
        changed = {"so_tien": money, "ngay_ghi_co": CREDITED.replace(month=month)}
        yield f"{kind}_bigint", changed, "payments.amount_in_range"
    yield "unknown_agency", {"ma_co_quan": "7201"}, "payments.agency_known"
    yield "unknown_status", {"trang_thai": "hieu_luc"}, "payments.status_known"
    yield (
        "credited_in_year_9999",
        {"ngay_ghi_co": datetime(9999, 12, 31, tzinfo=UTC)},
        ("payments.credited_in_range"),
    )
    yield (
        "credited_in_year_1",
        {"ngay_ghi_co": datetime(1, 1, 2, tzinfo=UTC)},
        ("payments.credited_in_range"),
    )


def _postgres() -> Iterator[tuple[str, dict[str, Any], str | None]]:
    yield from _everywhere()
    for text in ("infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "20000-01-01 00:00:00+00"):
        yield f"credited_{text}", {"ngay_ghi_co": text}, "payments.readable"


def _retyped() -> Iterator[tuple[str, dict[str, Any], str | None]]:
    """Amounts that the source has made `numeric`: a fraction in them is a defect."""
    yield "flawless", {}, None
    yield "three_decimals", {"so_tien": Decimal("1234.567")}, "payments.readable"
    yield "looks_like_thousands", {"so_tien": Decimal("1.234")}, "payments.readable"
    yield "decimals_of_zero", {"so_tien": Decimal("1234.000")}, None
    yield "not_a_number", {"so_tien": Decimal("NaN")}, "payments.readable"
    yield "infinite_money", {"so_tien": Decimal("Infinity")}, "payments.readable"
    yield "overflow", {"so_tien": Decimal(2**63)}, "payments.readable"
    yield "a_hundred_digits", {"so_tien": Decimal("9" * 100)}, "payments.readable"


def _sqlite() -> Iterator[tuple[str, dict[str, Any], str | None]]:
    yield from _everywhere()
    for kind, money in {
        "fraction": 1.5, "infinity": float("inf"), "three_decimals_text": "1.234",
        "thousand_dots": "1.234.567", "nan_text": "NaN", "exponent_text": "1e3",
        "empty_money": "", "bytes_for_money": b"12", "float_beyond": 2.0**53,
        "comma_text": "12,0",
    }.items():  # fmt: skip
        yield kind, {"so_tien": money}, "payments.readable"
    yield "whole_float", {"so_tien": 1234.0}, None
    yield "whole_text", {"so_tien": "1234"}, None
    for kind, text in {
        "nul": "a\0b", "bytes_for_text": b"\xff\xfe", "float_for_text": 1.5,
    }.items():  # fmt: skip
        yield kind, {"ma_don_vi": text}, "payments.readable"
    for text in ("31/12/2021", "29/02/2021", "2021-02-29 00:00:00", "infinity", "", 44531, b"x"):
        yield f"credited_{text!r}", {"ngay_ghi_co": text}, "payments.readable"


POSTGRES = cases(_postgres)
RETYPED = cases(_retyped)
SQLITE = cases(_sqlite)
