"""Canonical CSV and JSON: the expected bytes are written out, not computed."""

import csv
import io
import locale
import time
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chotso.characters import is_known
from chotso.release.data.canonical import canonical_json, csv_lines, render, table
from chotso.release.data.tables import TABLES

TWO = table("two", "code month", "code text\nmonth date\namount integer\nkind_code text\nx figure")


def two(code: str | None, month: date, amount: object = 1, kind: str = "flow", x: object = 0):  # type: ignore[no-untyped-def]
    return {"code": code, "month": month, "amount": amount, "kind_code": kind, "x": x}


@pytest.mark.parametrize(
    ("value", "kind", "field"),
    [
        (None, "text", r"\N"),
        (None, "ratio", r"\N"),
        ("", "text", ""),
        (r"\N", "text", r'"\N"'),
        (r"\.", "text", r'"\."'),
        ("a,b", "text", '"a,b"'),
        ('say "no"', "text", '"say ""no"""'),
        ("two\nlines", "text", '"two\nlines"'),
        ("carriage\rreturn", "text", '"carriage\rreturn"'),
        (" spaced ", "text", " spaced "),
        ("=1+1", "text", "=1+1"),
        ("Ta\u0302y Ninh", "text", "Tây Ninh"),
        ("Đ", "text", "Đ"),
        (0, "integer", "0"),
        (-7, "integer", "-7"),
        (Decimal("4500000000000"), "integer", "4500000000000"),
        (Decimal("1E+3"), "integer", "1000"),
        (Decimal("12.000"), "integer", "12"),
        (Decimal("-0.0"), "integer", "0"),
        (Decimal("0.009"), "ratio", "0.009000000"),
        (Decimal("-0.0000"), "ratio", "0.000000000"),
        (Decimal("1"), "ratio", "1.000000000"),
        (Decimal("9" * 60), "integer", "9" * 60),
        (date(2021, 12, 1), "date", "2021-12-01"),
        (date(987, 1, 2), "date", "0987-01-02"),
        (datetime(2021, 12, 31, 10, tzinfo=UTC), "instant", "2021-12-31T10:00:00.000000Z"),
        (
            datetime(2022, 1, 1, 0, 30, 0, 5, tzinfo=timezone(timedelta(hours=7))),
            "instant",
            "2021-12-31T17:30:00.000005Z",
        ),
        (True, "boolean", "true"),
        (False, "boolean", "false"),
    ],
)
def test_each_kind_has_one_form(value: object, kind: str, field: str) -> None:
    assert render(value, kind) == field


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Decimal("0.5"), "integer"),
        (Decimal("0.0000000001"), "ratio"),
        (Decimal("NaN"), "ratio"),
        (Decimal("Infinity"), "integer"),
        (1.5, "ratio"),
        (True, "integer"),
        (1, "boolean"),
        (1, "text"),
        ("2021-12-01", "date"),
        (datetime(2021, 12, 1, tzinfo=UTC), "date"),
        (datetime(2021, 12, 1), "instant"),
    ],
)
def test_what_has_no_exact_form_is_refused(value: object, kind: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        render(value, kind)


def test_rows_stand_in_code_point_order_of_their_fields() -> None:
    december, january = date(2021, 12, 1), date(2021, 1, 1)
    rows = [two("07210", january), two("0729", january), two("Z", january), two("Z", december),
            two(None, january), two("a", january), two("đ", january)]  # fmt: skip
    lines = b"".join(csv_lines(TWO, rows)).decode()
    assert lines == (
        "code,month,amount,kind_code,x\n"
        "07210,2021-01-01,1,flow,0\n"
        "0729,2021-01-01,1,flow,0\n"
        "Z,2021-01-01,1,flow,0\n"
        "Z,2021-12-01,1,flow,0\n"
        "\\N,2021-01-01,1,flow,0\n"
        "a,2021-01-01,1,flow,0\n"
        "đ,2021-01-01,1,flow,0\n"
    )


def test_one_content_has_one_form_where_a_plain_writer_has_many() -> None:
    one = [two("Tây", date(2021, month, 1), Decimal("5.0")) for month in (1, 2, 3)]
    other = [two("Ta\u0302y", date(2021, month, 1), 5) for month in (1, 2, 3)]
    assert list(csv_lines(TWO, one)) == list(csv_lines(TWO, other))
    assert naive(one) != naive(other)


def naive(rows: list[dict[str, object]]) -> str:
    written = io.StringIO()
    csv.DictWriter(written, list(TWO.column_names)).writerows(rows)
    return written.getvalue()


def test_a_figure_is_an_integer_or_nine_decimals_by_the_kind_of_its_metric() -> None:
    month = date(2021, 12, 1)
    rows = [
        two("money", month, kind="flow", x=Decimal("1")),
        two("ratio", month, kind="ratio", x=Decimal("1")),
    ]
    assert list(csv_lines(TWO, rows))[1:] == [
        b"money,2021-12-01,1,flow,1\n",
        b"ratio,2021-12-01,1,ratio,1.000000000\n",
    ]


def test_a_plan_stands_as_it_was_decided() -> None:
    plans = table("plans", "code", "code text\nunit_code text\nvalue plan")
    values = ["1200", "0.009", "0.0000000005", "0.00000000050", "0"]
    units = ["vnd", *["fraction"] * 4]
    rows = [
        {"code": str(place), "unit_code": unit, "value": Decimal(value)}
        for place, (unit, value) in enumerate(zip(units, values, strict=True))
    ]
    assert [line.split(b",")[2] for line in csv_lines(plans, rows)][1:] == [
        b"1200\n", b"0.009000000\n", b"0.0000000005\n", b"0.0000000005\n", b"0.000000000\n",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="more than 0 decimals"):
        list(csv_lines(plans, [{"code": "a", "unit_code": "vnd", "value": Decimal("0.5")}]))


def test_a_key_stands_once_whatever_its_spelling() -> None:
    rows = [two("Ta\u0302y", date(2021, 1, 1)), two("Tây", date(2021, 1, 1))]
    with pytest.raises(ValueError, match="two rows of a key"):
        list(csv_lines(TWO, rows))


@pytest.mark.parametrize(("first", "second"), [("b", "a"), ("a", "Z"), ('"x', "!"), ("đ", "z")])
def test_rows_out_of_order_are_refused(first: str, second: str) -> None:
    month = date(2021, 1, 1)
    assert len(list(csv_lines(TWO, [two(second, month), two(first, month)]))) == 3
    with pytest.raises(ValueError, match="out of order"):
        list(csv_lines(TWO, [two(first, month), two(second, month)]))


def test_a_wrong_value_is_named_by_table_row_and_column() -> None:
    with pytest.raises(ValueError, match=r"two \('x', .*\), column amount: 1.5 has more than 0"):
        list(csv_lines(TWO, [two("x", date(2021, 1, 1), amount=Decimal("1.5"))]))


@pytest.mark.parametrize("change", [{"more": 1}, {"amount": None}])
def test_columns_are_exactly_those_of_the_table(change: dict[str, object]) -> None:
    row = two("x", date(2021, 1, 1)) | change
    if change == {"amount": None}:
        del row["amount"]
    with pytest.raises(ValueError, match="missing or unknown columns"):
        list(csv_lines(TWO, [row]))


def test_a_table_names_known_kinds_and_its_own_key() -> None:
    with pytest.raises(ValueError, match="unknown kinds"):
        table("t", "a", "a float")
    with pytest.raises(ValueError, match="key columns"):
        table("t", "b", "a text")


def test_every_shipped_table_has_a_header_of_its_own() -> None:
    for spec in TABLES:
        assert list(csv_lines(spec, [])) == [",".join(spec.column_names).encode() + b"\n"]


def test_zone_locale_and_decimal_context_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    instant = datetime(2021, 12, 31, 10, tzinfo=UTC)
    before = [render(instant, "instant"), render(Decimal("1234567.5"), "ratio")]
    monkeypatch.setenv("TZ", "America/St_Johns")
    time.tzset()
    locale.setlocale(locale.LC_ALL, "")
    with localcontext() as context:
        context.prec = 3
        after = [render(instant, "instant"), render(Decimal("1234567.5"), "ratio")]
    monkeypatch.undo()
    time.tzset()
    assert before == after == ["2021-12-31T10:00:00.000000Z", "1234567.500000000"]


def test_json_is_sorted_tight_utf8_nfc_and_ends_its_line() -> None:
    value = {"b": [1, None, True], "a": {"y": "Ta\u0302y", "x": '\n"\u001f\u007f/'}}
    assert canonical_json(value) == (
        '{"a":{"x":"\\n\\"\\u001f\u007f/","y":"Tây"},"b":[1,null,true]}\n'.encode()
    )


@pytest.mark.parametrize("value", [1.0, 2**53, {"a": float("nan")}, {1: "a"}, ["\ud800"], b"x"])
def test_json_without_one_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical_json(value)


KNOWN = st.characters(codec="utf-8", exclude_characters="\0").filter(is_known)


@given(st.lists(st.text(alphabet=KNOWN)))
def test_texts_come_back_through_a_strict_reader(texts: list[str]) -> None:
    spec = table("t", "number", "number integer\nvalue text")
    rows = [{"number": number, "value": text} for number, text in enumerate(texts, 1000)]
    content = b"".join(csv_lines(spec, rows)).decode()
    assert [value for _, value in read(content)[1:]] == [nfc(text) for text in texts]


def nfc(text: object) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", str(text))


def read(content: str) -> list[list[str]]:
    """RFC 4180, character by character, sharing nothing with the writer."""
    records: list[list[str]] = [[""]]
    quoted = False
    position = 0
    while position < len(content):
        character = content[position]
        if quoted and content[position : position + 2] == '""':
            records[-1][-1] += '"'
            position += 1
        elif character == '"':
            quoted = not quoted
        elif not quoted and character == ",":
            records[-1].append("")
        elif not quoted and character == "\n":
            records.append([""])
        else:
            records[-1][-1] += character
        position += 1
    assert records.pop() == [""]
    return records
