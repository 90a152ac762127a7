"""Schema drift at the source: an added column is told, a missing or retyped one blocks its feed.

The naive twins load by position, or whatever columns are there: both go on in silence.
"""

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.dialects import mssql, mysql, oracle, registry
from sqlalchemy.types import TypeEngine

from chotso import PROJECT_ROOT
from chotso.contracts import contract_of
from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from chotso.source.database import open_snapshot
from chotso.source.drift import Drift, contract_line, database_column
from chotso.status import status_of
from tests.oracle.hostile.turn import ZONE
from tests.oracle.worlds import Night, World
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(600)]

PAYMENTS = contract_of("payments")
DAY = date(2021, 11, 1)
CLOCK = datetime(2021, 11, 2, 1, tzinfo=ZONE)


@pytest.fixture(scope="module")
def living(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A small world, its registers and contributions published once."""
    folder = tmp_path_factory.mktemp("drift")
    with product(running, "drift", folder) as made:
        world = World.create(made.source_admin_url, made.drop, 4, reader=SOURCE_LOGIN)
        world.nights = [Night(CLOCK, DAY)]
        world.advance()
        for group in ("registers", "contributions"):
            assert not extract_group(made.settings, group, DAY).stopped
        yield made


@pytest.fixture
def source(living: Product) -> Iterator[psycopg.Connection]:
    """The source, to change; the schema is put back after the test."""
    with psycopg.connect(living.source_admin_url, autocommit=True) as connection:
        connection.execute("create table tst.kept as select * from tst.chung_tu")
        yield connection
        connection.execute("drop table tst.chung_tu cascade")
        connection.execute("alter table tst.kept rename to chung_tu")
        connection.execute("alter table tst.chung_tu add primary key (so_chung_tu)")
        connection.execute(f"grant select on tst.chung_tu to {SOURCE_LOGIN}")
        connection.execute("drop domain if exists dong")


def told(living: Product) -> list[str]:
    with open_snapshot(living.settings.source_url) as snapshot:
        return [line_of(drift) for drift in snapshot.drift(PAYMENTS)]


def line_of(drift: Drift) -> str:
    return f"{drift.kind} {drift.column} {drift.found_type} {drift.expected}"


def rows(url: str, query: str) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


def naive_by_position(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """A loader that trusts the order of the columns, with the reading that every text takes."""
    found = connection.execute("select * from tst.chung_tu order by so_chung_tu").fetchall()
    return [dict(zip(PAYMENTS.columns, map(str, row), strict=False)) for row in found]


def naive_by_name(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """A loader that takes the columns it knows, where they are there."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute("select * from tst.chung_tu order by so_chung_tu").fetchall()
    return [{name: str(row.get(name)) for name in PAYMENTS.columns} for row in found]


# ── what is a drift ──────────────────────────────────────────────────────────────────────────────


def test_the_contract_as_it_is_has_none(living: Product) -> None:
    assert told(living) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("alter column so_tien type numeric(18,2)", "retyped so_tien numeric(18,2) bigint"),
        ("alter column so_tien type numeric", "retyped so_tien numeric bigint"),
        ("alter column so_tien type text", "retyped so_tien text bigint"),
        ("alter column so_tien type double precision", "retyped so_tien double precision bigint"),
        ("alter column so_tien type money", "retyped so_tien money bigint"),
        ("alter column ngay_ghi_co type timestamp",
         "retyped ngay_ghi_co timestamp without time zone timestamptz"),
        ("alter column ngay_nhap type date", "retyped ngay_nhap date timestamptz"),
        ("alter column so_chung_tu type character(20)", "retyped so_chung_tu character(20) text"),
        ("drop column trang_thai", "missing trang_thai None text"),
        ("drop column ngay_sua", "missing ngay_sua None timestamptz"),
        ("add column ghi_chu varchar(200)", "added ghi_chu character varying(200) None"),
        ('add column "Ghi chú" int', "added Ghi chú integer None"),
    ],
)  # fmt: skip
def test_a_change_is_told(
    living: Product, source: psycopg.Connection, change: str, expected: str
) -> None:
    source.execute(f"alter table tst.chung_tu {change}".encode())
    assert told(living) == [expected]


@pytest.mark.parametrize(
    "change",
    [
        "alter column so_tien type integer using 1",
        "alter column so_tien type smallint using 1",
        "alter column hinh_thuc type varchar(10)",
        "alter column ngay_nhap type timestamptz(0)",
        "alter column so_tien type dong",
        "alter column so_tien set default 0",
    ],
)
def test_a_type_that_reads_the_same_is_none(
    living: Product, source: psycopg.Connection, change: str
) -> None:
    source.execute("create domain dong as bigint check (value > -10::bigint ^ 15)")
    source.execute(f"alter table tst.chung_tu {change}".encode())
    assert told(living) == []


def test_a_renamed_column_is_missing_and_added(living: Product, source: psycopg.Connection) -> None:
    source.execute("alter table tst.chung_tu rename column trang_thai to tinh_trang")
    assert told(living) == ["missing trang_thai None text", "added tinh_trang text None"]


def test_a_relation_that_is_gone_misses_every_column(
    living: Product, source: psycopg.Connection
) -> None:
    source.execute("alter table tst.chung_tu rename to chung_tu_cu")
    try:
        assert [line.split()[:2] for line in told(living)] == [
            ["missing", name] for name in PAYMENTS.columns
        ]
    finally:
        source.execute("alter table tst.chung_tu_cu rename to chung_tu")


@pytest.mark.parametrize("column", PAYMENTS.columns)
def test_the_line_of_the_contract_is_the_columns_own(column: str) -> None:
    name, _, line = contract_line("payments", column).partition(":")
    text = (PROJECT_ROOT / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    assert text.strip().startswith(f"{column}:")


# ── what becomes of it ───────────────────────────────────────────────────────────────────────────


def held(living: Product) -> list[dict[str, Any]]:
    return rows(living.admin_url, "select * from raw.payments order by so_chung_tu, known_from")


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ("drop column trang_thai", "trang_thai", "is missing, expected text"),
        ("alter column so_tien type numeric(18,2)", "so_tien", "is numeric(18,2), expected bigint"),
    ],
)
def test_a_missing_or_retyped_column_blocks_its_feed_alone(
    living: Product, source: psycopg.Connection, change: str, column: str, said: str
) -> None:
    before = held(living)
    truth = naive_by_name(source)
    source.execute(f"alter table tst.chung_tu {change}".encode())
    report = extract_group(living.settings, "contributions", DAY)
    assert {batch["feed"] for batch in report.batches} == {"allocations"}
    (reason,) = report.stopped
    assert f"tst.chung_tu.{column} {said} ({contract_line('payments', column)})" in reason
    assert "Kept:" in reason
    assert "Next:" in reason
    assert held(living) == before
    (batch,) = rows(
        living.admin_url,
        "select status, reason from ops.batch where feed = 'payments' "
        "order by started_at desc limit 1",
    )
    assert batch["status"] == "blocked"
    assert said in batch["reason"]
    (shown,) = status_of(living.settings).schema_drift
    assert (shown["column_name"], shown["contract_line"]) == (
        column,
        contract_line("payments", column),
    )
    # The twins say nothing, and what they bring is not what the documents say.
    assert naive_by_position(source) != truth
    assert naive_by_name(source) != truth
    assert len(naive_by_position(source)) == len(truth)


def test_an_added_column_blocks_nothing_and_is_told_until_it_is_gone(
    living: Product, source: psycopg.Connection
) -> None:
    source.execute("alter table tst.chung_tu add column ghi_chu text default 'thu hộ'")
    source.execute("update tst.dong_ho set bay_gio = bay_gio + interval '1 minute'")
    first = extract_group(living.settings, "contributions", DAY)
    assert not first.stopped
    (note,) = first.notes
    assert "tst.chung_tu.ghi_chu (text) is new and not loaded" in note
    assert "config/feeds/payments.yml" in note
    source.execute("update tst.dong_ho set bay_gio = bay_gio + interval '1 day'")
    assert extract_group(living.settings, "contributions", DAY + timedelta(days=1)).notes == [note]
    (kept,) = rows(living.admin_url, "select * from ops.schema_drift where column_name = 'ghi_chu'")
    assert (kept["feed"], kept["relation"], kept["kind"]) == ("payments", "tst.chung_tu", "added")
    assert (kept["found_type"], kept["expected"]) == ("text", None)
    assert kept["last_seen"] - kept["first_seen"] == timedelta(days=1)
    (facts,) = rows(
        living.admin_url,
        "select landing_files -> 'facts' -> 'added_columns' as added from ops.batch "
        f"where batch_id = '{kept['batch_id']}'",
    )
    assert facts["added"] == {"ghi_chu": "text"}
    assert [d["column_name"] for d in status_of(living.settings).schema_drift] == ["ghi_chu"]
    source.execute("alter table tst.chung_tu drop column ghi_chu")
    assert not extract_group(living.settings, "contributions", DAY + timedelta(days=1)).notes
    assert status_of(living.settings).schema_drift == []
    assert rows(living.admin_url, "select 1 from ops.schema_drift where column_name = 'ghi_chu'")


def test_a_column_added_in_the_middle_moves_no_value(
    living: Product, source: psycopg.Connection
) -> None:
    before, truth = held(living), naive_by_position(source)
    source.execute("drop table tst.chung_tu")
    source.execute(
        "create table tst.chung_tu as select so_chung_tu, ma_don_vi, 'VND'::text as loai_tien, "
        "ma_co_quan, hinh_thuc, ngay_ghi_co, so_tien, trang_thai, ngay_nhap, ngay_sua from tst.kept"
    )
    source.execute(f"grant select on tst.chung_tu to {SOURCE_LOGIN}")
    report = extract_group(living.settings, "contributions", DAY + timedelta(days=1), full=True)
    assert not report.stopped
    assert held(living) == before
    assert naive_by_position(source) != truth


# ── other databases ──────────────────────────────────────────────────────────────────────────────


ORACLE: Any = oracle
MSSQL: Any = mssql
MYSQL: Any = mysql
SQLITE = {
    "so_chung_tu": "text", "ma_don_vi": "varchar(7)", "ma_co_quan": "nvarchar(5)",
    "hinh_thuc": "text", "ngay_ghi_co": "timestamp", "so_tien": "bigint", "trang_thai": "text",
    "ngay_nhap": "text", "ngay_sua": "datetime",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({name: "" for name in SQLITE}, []),
        ({"so_tien": "int"}, []),
        ({"ngay_ghi_co": "timestamptz", "ngay_nhap": "timestamp with time zone"}, []),
        ({"so_tien": "text"}, ["retyped so_tien text bigint"]),
        ({"so_tien": "double precision"}, ["retyped so_tien double precision bigint"]),
        ({"so_tien": "real"}, ["retyped so_tien real bigint"]),
        ({"so_tien": "numeric(18,2)"}, ["retyped so_tien numeric(18,2) bigint"]),
        ({"ngay_ghi_co": "date"}, ["retyped ngay_ghi_co date timestamptz"]),
        ({"trang_thai": "integer"}, ["retyped trang_thai integer text"]),
        ({"trang_thai": None}, ["missing trang_thai None text"]),
        ({"ghi_chu": "text"}, ["added ghi_chu text None"]),
        ({"ghi_chu": ""}, ["added ghi_chu untyped None"]),
    ],
)
def test_sqlite_is_told_by_what_was_declared(
    tmp_path: Path, change: dict[str, str | None], expected: list[str]
) -> None:
    path = tmp_path / "source.sqlite"
    declared = {n: t for n, t in (SQLITE | change).items() if t is not None}
    with sqlite3.connect(path) as made:
        made.execute(
            f"create table chung_tu ({', '.join(f'{n} {t}' for n, t in declared.items())})"
        )
    with open_snapshot(f"sqlite:///{path}") as snapshot:
        found = snapshot.drift(PAYMENTS)
    # newer SQLite writes the types it knows in capitals
    assert [line_of(drift).lower() for drift in found] == [line.lower() for line in expected]
    assert [d.blocks for d in found] == [not line.startswith("added") for line in expected]


def test_sqlite_without_the_relation_misses_every_column(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "source.sqlite").close()
    with open_snapshot(f"sqlite:///{tmp_path / 'source.sqlite'}") as snapshot:
        found = snapshot.drift(PAYMENTS)
    assert {(d.kind, d.column) for d in found} == {("missing", name) for name in PAYMENTS.columns}


@pytest.mark.parametrize(
    ("dialect", "found", "fits", "fits_not"),
    [
        ("oracle", ORACLE.NUMBER(), ["bigint", "smallint", "boolean"], ["text", "date"]),
        ("oracle", ORACLE.NUMBER(19, 0), ["bigint"], ["timestamptz"]),
        ("oracle", ORACLE.NUMBER(18, 2), ["numeric"], ["bigint"]),
        ("oracle", ORACLE.BINARY_DOUBLE(), [], ["bigint", "numeric"]),
        ("oracle", ORACLE.DATE(), ["date"], ["timestamptz", "bigint"]),
        ("oracle", ORACLE.TIMESTAMP(timezone=True), ["timestamptz"], ["date"]),
        ("oracle", ORACLE.TIMESTAMP(), [], ["timestamptz"]),
        ("oracle", ORACLE.VARCHAR2(20), ["text"], ["bigint", "date"]),
        ("mssql", MSSQL.DATETIMEOFFSET(), ["timestamptz"], ["date"]),
        ("mssql", MSSQL.DATETIME2(), [], ["timestamptz"]),
        ("mssql", MSSQL.BIT(), ["boolean"], ["bigint"]),
        ("mssql", MSSQL.MONEY(), [], ["bigint"]),
        ("mssql", MSSQL.BIGINT(), ["bigint"], ["boolean"]),
        ("mssql", MSSQL.NVARCHAR(20), ["text"], ["bigint"]),
        ("mssql", MSSQL.NCHAR(20), [], ["text"]),
        ("mysql", MYSQL.TINYINT(), ["smallint", "bigint"], ["text"]),
    ],
    ids=str,
)  # fmt: skip
def test_other_databases_are_judged_by_their_types(
    dialect: str, found: TypeEngine[Any], fits: list[str], fits_not: list[str]
) -> None:
    made: Any = registry.load(dialect)
    column = database_column(found, made())
    assert column.fits.issuperset(fits)
    assert column.fits.isdisjoint(fits_not)
    assert column.shown


def test_what_is_told_names_the_place() -> None:
    line = contract_line("payments", "so_tien")
    drift = Drift("retyped", "tst.chung_tu", "so_tien", line, "text", "bigint")
    assert str(drift) == f"tst.chung_tu.so_tien is text, expected bigint ({line})"
