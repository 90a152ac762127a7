"""Cells are read exactly or not at all: what could mean two things is not guessed."""

from datetime import UTC, date, datetime, time
from time import process_time
from typing import Any

import pytest

from chotso.contracts import Column, ColumnType
from chotso.source.cells import MERGED, CellFault, UnreadableError, found, read_cell


def column(column_type: ColumnType, **more: Any) -> Column:
    return Column(type=column_type, description="a column", **more)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (1234, 1234),
        (1234.0, 1234),
        ("1234", 1234),
        ("-1234", -1234),
        (" 1\u00a0234 ", 1234),
        ("1\u202f234\u202f567,0", 1234567),
        ("0,000", 0),
        ("1.234.567", 1234567),
        ("1.234.567,00", 1234567),
        ("1,234,567.0", 1234567),
        ("1.234", 1234),  # whole đồng: a dot before three digits parts thousands
        ("1234,0", 1234),
        ("-0", 0),
        (None, None),
        ("  ", None),
    ],
)
def test_whole_numbers(cell: Any, value: int | None) -> None:
    assert read_cell(cell, column("bigint")) == value


@pytest.mark.parametrize(
    "cell",
    [12.5, "12,5", "12.34", "1e3", "NaN", "inf", True, "12 đồng", "1.23.456", 2.0**60, "9" * 19,
     date(2021, 1, 1), "1,234.567,8", "0.125", "1,234", "1234.500", "(1.234)", "\u22125", "1 234",
     "1\u00a02", "\u0661\u0662", "9" * 5_000, float("nan"), float("inf"), time(12), 2.0**53,
     CellFault("an Excel error", "#REF!"), MERGED],
)  # fmt: skip
def test_what_is_no_whole_number(cell: Any) -> None:
    with pytest.raises(UnreadableError):
        read_cell(cell, column("bigint"))


def test_one_mark_before_three_digits_is_a_point_where_the_contract_says_so() -> None:
    assert read_cell("1.234", column("numeric", form="ungrouped")) == "1.234"


def test_null_is_zero_only_where_the_contract_says_so() -> None:
    assert read_cell(None, column("bigint", null_is_zero=True)) == 0
    assert read_cell(None, column("bigint")) is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (0.9, "0.9"),
        ("0,9", "0.9"),
        ("0.90", "0.9"),
        (1, "1"),
        (1.0, "1"),
        ("1.0", "1"),
        ("4.200.000.000", "4200000000"),
        ("1.234,5", "1234.5"),
        ("0.125", "0.125"),
        ("1234.567", "1234.567"),
        (4_200_000_000_000.0, "4200000000000"),
    ],
)
def test_decimals_have_one_form(cell: Any, value: str) -> None:
    assert read_cell(cell, column("numeric")) == value


@pytest.mark.parametrize(
    "cell",
    [float("nan"), float("inf"), "1e3", "NaN", True, "0.9 %", "9" * 29, 1e300, "1.234", "190,000"],
)
def test_what_is_no_decimal(cell: Any) -> None:
    with pytest.raises(UnreadableError):
        read_cell(cell, column("numeric"))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (date(2021, 4, 3), date(2021, 4, 3)),
        (datetime(2021, 4, 3), date(2021, 4, 3)),
        ("03/04/2021", date(2021, 4, 3)),  # the day comes first
        ("3-4-2021", date(2021, 4, 3)),
        ("2021-04-03", date(2021, 4, 3)),
        ("2021-04-03 00:00:00", date(2021, 4, 3)),
        (44289, date(2021, 4, 3)),
        (44289.0, date(2021, 4, 3)),
        ("44289", date(2021, 4, 3)),
    ],
)
def test_days(cell: Any, value: date) -> None:
    assert read_cell(cell, column("date")) == value


@pytest.mark.parametrize(
    "cell",
    ["29/02/2021", "2021-13-01", "31.4.21", 12, "03/04/2021 17:00", float("nan"), float("inf"),
     44289.5, True, datetime(2021, 4, 3, 17), "20210403", "2021-W13-6", "infinity"],
)  # fmt: skip
def test_what_is_no_day(cell: Any) -> None:
    with pytest.raises(UnreadableError):
        read_cell(cell, column("date"))


@pytest.mark.parametrize(
    "cell", ["12/2021", "202112", 202112, 202112.0, "2021-12", date(2021, 12, 31), 44531,
             "01/12/2021", "2021-12-15"],
)  # fmt: skip
def test_months(cell: Any) -> None:
    assert read_cell(cell, column("date", form="month")) == date(2021, 12, 1)


@pytest.mark.parametrize("cell", ["13/2021", "202113", 2021, "tháng 12"])
def test_what_is_no_month(cell: Any) -> None:
    with pytest.raises(UnreadableError):
        read_cell(cell, column("date", form="month"))


def test_an_instant_needs_its_offset() -> None:
    instant = datetime(2021, 12, 31, 10, tzinfo=UTC)
    assert read_cell("2021-12-31T17:00:00+07:00", column("timestamptz")) == instant
    with pytest.raises(UnreadableError):
        read_cell("2021-12-31T17:00:00", column("timestamptz"))


def test_text_keeps_its_zeros_and_refuses_nul() -> None:
    assert read_cell("0012", column("text")) == "0012"
    assert read_cell(12.0, column("text")) == "12"
    assert read_cell("Công ty\u00a0A", column("text")) == "Công ty\u00a0A"
    for cell in ("a\0b", True, 12.5, date(2021, 1, 2), 2.0**60):
        with pytest.raises(UnreadableError):
            read_cell(cell, column("text"))


def test_what_was_found_shows_no_name() -> None:
    assert found("Nguyễn Văn A 12,5") == "'xxxxxx xxx x 12,5'"


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("LH 0900.000.001", "'xx 0000.000.000'"),
        ("+84 900 000 001", "'+00 000 000 000'"),
        ("(0276) 3900001", "'(0000) 0000000'"),
        (900000001.0, "'000000000.0'"),  # the cell ate the zero
        ("900000001,5", "'900000001,5'"),
        ("0.125", "'0.125'"),
        ("9.00719925474e+15", "'9.00719925474x+15'"),
        ("12345678901", "'12345678901'"),
        ("31/12/2021", "'31/12/2021'"),
    ],
)
def test_what_was_found_shows_no_telephone(cell: Any, told: str) -> None:
    assert found(cell) == told


def test_a_number_that_is_no_day_is_soon_known() -> None:
    began = process_time()
    for _ in range(2_000):
        with pytest.raises(UnreadableError):
            read_cell(44531.5, column("date", form="month"))
    assert read_cell(44531.0, column("date")) == date(2021, 12, 1)
    assert process_time() - began < 1
