"""The bulk reader of PostgreSQL: what it reads is what the server holds; the rest is refused."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from sqlalchemy import Select, column, select, table

from chotso.contracts import Column, ColumnType
from chotso.sandbox.server import SandboxServer
from chotso.source import binary_copy
from chotso.source.database import open_snapshot
from chotso.source.postgres import PostgresSnapshot
from tests.oracle.hostile import tst
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(300)]

ROWS = 3_000
# (the column's type in the contract, its type at the source, some of its values)
KINDS: dict[str, tuple[ColumnType, str, list[Any]]] = {
    "so": ("bigint", "bigint", [0, -1, 2**63 - 1, -(2**63)]),
    "nho": ("bigint", "smallint", [0, 32767, -32768]),
    "vua": ("smallint", "bigint", [0, 32767, -32768]),
    "dong": ("integer", "integer", [7, 2**31 - 1, -(2**31)]),
    "ten": ("text", "text", ["", "A", 'Công ty "A"\n', "\\N", "𠀋", "Đ" * 500]),
    "ma": ("text", "varchar(9)", ["", "0720", "  x "]),
    "mien": ("text", "tst.ma_so", ["AA", "YA0001Z"]),
    "ngay": ("date", "date", [date.min, date.max, date(1970, 1, 1), date(1999, 12, 31)]),
    "luc": (
        "timestamptz",
        "timestamptz",
        [
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC),
            datetime(2000, 1, 1, tzinfo=UTC) - timedelta(microseconds=1),
        ],
    ),
    "co": ("boolean", "boolean", [True, False]),
    "ty_le": ("numeric", "numeric", ["0.009", "-1E+3", "NaN", "12345678901234567890.10"]),
    "nguyen": ("numeric", "integer", ["5", "-7"]),
    "them": ("jsonb", "jsonb", ['{"a": 1.50}', '"x"']),
    "tho": ("jsonb", "json", ['{"a":  1}']),
}
NULLS_ALONE: tuple[ColumnType, str] = ("date", "date")
COLUMNS = {
    name: Column(type=kind, description=name)
    for name, (kind, _, _) in KINDS.items()
} | {"trong": Column(type=NULLS_ALONE[0], description="null in each row")}  # fmt: skip


@pytest.fixture(scope="module")
def source(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with product(running, "binary_copy", tmp_path_factory.mktemp("binary_copy")) as made:
        with psycopg.connect(made.source_admin_url) as admin:
            tst.create_schema(admin, SOURCE_LOGIN)
            tst.write_snapshot(admin, {}, datetime(2022, 1, 1, tzinfo=UTC))
            admin.execute("create domain tst.ma_so as text")
        yield made


def make_table(admin_url: str, types: dict[str, str], rows: list[list[Any]]) -> None:
    with psycopg.connect(admin_url) as admin:
        columns = ", ".join(f"{name} {found}" for name, found in types.items())
        admin.execute(
            f"drop table if exists tst.moi_kieu; create table tst.moi_kieu ({columns}, stt serial)"
        )
        admin.execute(f"grant select on tst.moi_kieu to {SOURCE_LOGIN}")
        marks = ", ".join(f"%s::{found}" for found in types.values())
        admin.cursor().executemany(f"insert into tst.moi_kieu values ({marks})".encode(), rows)


def query(names: list[str]) -> Select[Any]:
    relation = table("moi_kieu", *[column(name) for name in names], schema="tst")
    return select(*[relation.c[name] for name in names]).order_by(column("stt"))


def read(source: Product, columns: dict[str, Column]) -> list[dict[str, Any]]:
    with open_snapshot(source.settings.source_url) as snapshot:
        batches = list(snapshot.rows(query(list(columns)), columns))
    return [row for batch in batches for row in batch.to_pylist()]


@pytest.fixture
def in_bulk_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> Iterator[pa.RecordBatch]:
        raise AssertionError("read one by one")

    monkeypatch.setattr(PostgresSnapshot, "_one_by_one", refused)


@pytest.mark.usefixtures("in_bulk_alone")
def test_every_type_and_null_arrives_as_it_is(
    source: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks of a few rows, so that every block has other lengths."""
    monkeypatch.setattr(binary_copy, "_BLOCK_BYTES", 5_000)
    rng = random.Random(50)
    rows = [[rng.choice([None, *values]) for _, _, values in KINDS.values()] for _ in range(ROWS)]
    types = {name: found for name, (_, found, _) in KINDS.items()}
    make_table(
        source.source_admin_url, types | {"trong": NULLS_ALONE[1]}, [[*r, None] for r in rows]
    )
    found = read(source, COLUMNS)
    due = [dict(zip(COLUMNS, [*row, None], strict=True)) for row in rows]
    for name in KINDS:
        as_due = _number if name == "ty_le" else _as_it_is
        assert [as_due(r[name]) for r in found] == [as_due(r[name]) for r in due], name
    assert {(row["trong"], row["unreadable"]) for row in found} == {(None, None)}


def _number(value: str | None) -> str | None:
    return value and str(Decimal(value).normalize())


def _as_it_is(value: Any) -> Any:
    return value


@pytest.mark.usefixtures("in_bulk_alone")
def test_a_block_may_end_anywhere(source: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, on and after the end of a row, and of the rows."""
    make_table(source.source_admin_url, {"so": "bigint"}, [[n] for n in range(5)])
    for size in range(1, 80):
        monkeypatch.setattr(binary_copy, "_BLOCK_BYTES", size)
        found = [row["so"] for row in read(source, {"so": COLUMNS["so"]})]
        assert found == list(range(5)), size


@pytest.mark.usefixtures("in_bulk_alone")
def test_no_row_is_no_batch(source: Product) -> None:
    make_table(source.source_admin_url, {"so": "bigint"}, [])
    assert read(source, {"so": COLUMNS["so"]}) == []


@pytest.mark.parametrize(
    ("name", "found", "value"),
    [
        ("ngay", "date", "infinity"),
        ("ngay", "date", "0044-03-15 BC"),
        ("ngay", "date", "10000-01-01"),
        ("luc", "timestamptz", "-infinity"),
        ("luc", "timestamptz", "10000-01-01 00:00:00+00"),
        ("luc", "timestamptz", "0001-12-31 23:59:59+00 BC"),
        ("vua", "bigint", "32768"),
        ("dong", "bigint", "-2147483649"),
        pytest.param("ten", "text", "Đ" * 501, id="ten-text-overlong"),
        ("ten", "text", "Tòa\U000105d2nhà"),
        # Eight bytes that would pass for another number, if only their length were looked at.
        ("so", "numeric", "0.00"),
        ("so", "numeric", "NaN"),
        ("so", "double precision", "1"),
        ("so", "timestamptz", "2021-12-31 00:00:00+00"),
        ("luc", "bigint", "1"),
        ("ngay", "integer", "1"),
        ("co", '"char"', "t"),
    ],
)
def test_a_value_without_a_place_is_left_to_the_careful_reader(
    source: Product, monkeypatch: pytest.MonkeyPatch, name: str, found: str, value: str
) -> None:
    make_table(source.source_admin_url, {name: found}, [[None], [value]])
    asked: list[int] = []

    def careful(_: object, __: bytes, ___: object, skip: int) -> Iterator[pa.RecordBatch]:
        asked.append(skip)
        yield from ()

    monkeypatch.setattr(PostgresSnapshot, "_one_by_one", careful)
    assert read(source, {name: COLUMNS[name]}) == []
    assert asked == [0]


def test_rows_before_a_value_without_a_place_are_not_read_twice(
    source: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binary_copy, "_BLOCK_BYTES", 1_000)
    days: list[list[Any]] = [[date(2021, 1, 1) + timedelta(days=n)] for n in range(500)]
    make_table(source.source_admin_url, {"ngay": "date"}, [*days, ["infinity"], *days])
    found = [row["ngay"] for row in read(source, {"ngay": COLUMNS["ngay"]})]
    assert found == [day for (day,) in [*days, [None], *days]]


def test_the_snapshot_is_usable_after_a_reader_that_stopped(source: Product) -> None:
    make_table(source.source_admin_url, {"so": "bigint"}, [[n] for n in range(2_000)])
    columns = {"so": COLUMNS["so"]}
    with open_snapshot(source.settings.source_url) as snapshot:
        stopped = snapshot.rows(query(["so"]), columns)
        next(iter(stopped))
        stopped.close()  # type: ignore[attr-defined]
        assert sum(b.num_rows for b in snapshot.rows(query(["so"]), columns)) == 2_000


def test_bytes_that_are_no_binary_copy_are_refused(source: Product) -> None:
    make_table(source.source_admin_url, {"so": "bigint"}, [[1]])
    statement = sql.SQL("copy tst.moi_kieu to stdout (format csv)")
    with (
        psycopg.connect(source.source_admin_url) as admin,
        pytest.raises(pa.ArrowInvalid),
        admin.cursor().copy(statement) as copy,
    ):
        list(binary_copy.binary_batches(copy, {"so": COLUMNS["so"]}))


@pytest.mark.parametrize("fault", ["one field more", "a longer value", "a shorter value"])
def test_fields_that_do_not_fill_their_row_are_refused(fault: str) -> None:
    row = b"\0\1" + b"\0\0\0\x08" + bytes(8)
    broken = {
        "one field more": row + b"\0\0\0\x08" + bytes(8),
        "a longer value": b"\0\1" + b"\0\0\0\x09" + bytes(8),
        "a shorter value": b"\0\1" + b"\0\0\0\x04" + bytes(8),
    }[fault]
    for rows in ([broken], [row, broken], [broken, row]):
        data = b"".join(rows) + bytes(8)
        with pytest.raises(pa.ArrowInvalid):
            binary_copy._batch(data, [len(each) for each in rows], {"so": COLUMNS["so"]})
