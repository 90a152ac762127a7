"""A register row that the source no longer shows stays in force, is named, and waits for a person.

The naive twin believes the absence, and the province loses what was filed under the row.
"""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

import chotso.cli.missing
from chotso.build.dbt import run_build
from chotso.cli.app import app
from chotso.contracts import Contract
from chotso.errors import ChotsoError
from chotso.ingest import missing
from chotso.ingest.night import FinalExtract, extract_group, final_extract
from chotso.quarantine.close import close_missing
from chotso.sandbox.server import SandboxServer
from chotso.status import status_of
from chotso.warehouse.connect import connect
from tests.worlds.quarantine_world import DAY, QuarantineWorld, account, quarantine_world

pytestmark = [pytest.mark.long, pytest.mark.warehouse]

TABLES = ("co_quan", "can_bo", "don_vi", "phan_cong")
PAID, OWED = 322_000_000, 7_000_000
BY = {"reason": "Đã giải thể theo quyết định thử", "by": "Trần Thị Thử"}


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """Two of every register's rows; what is paid and owed hangs on one of them; published once."""
    with quarantine_world(running, "missing", tmp_path_factory.mktemp("missing") / "w") as made:
        made.payment("A1", PAID)
        made.line("A1", 1, PAID)
        made.accounts({"07201": [account("TA0001A", OWED)]})
        made.insert(
            "can_bo", ma_can_bo="CB009", ho_ten="Khác", ma_co_quan="07202", ngay_sua=made.clock
        )
        made.insert(
            "don_vi", ma_don_vi="TA0009A", ten="Khác", ma_khoi="DN", ma_co_quan="07202",
            ngan_sach=False, chu_ky_dong=1, trang_thai="HOAT_DONG", ngay_sua=made.clock,
        )  # fmt: skip
        made.insert(
            "phan_cong", ma_don_vi="TA0009A", tu_ngay=date(2020, 1, 1), ma_can_bo="CB009",
            ngay_sua=made.clock,
        )  # fmt: skip
        made.source("create schema kept")
        for table in TABLES:
            made.source(f"create table kept.{table} as table tst.{table}")
        made.extract()
        yield made


@pytest.fixture(autouse=True)
def restored(world: QuarantineWorld) -> Iterator[None]:
    """The registers as they were, whatever a test did to them."""
    world.tick()
    world.act("truncate ops.missing_row, ops.difference")
    yield
    for table in TABLES:
        world.source(f"delete from tst.{table}")
        world.source(f"insert into tst.{table} table kept.{table}")
    world.tick()
    registers(world)
    for row in missing_rows(world):
        close_missing(world.settings, row.feed, [row.row_key], **BY)


def registers(world: QuarantineWorld) -> list[str]:
    return extract_group(world.settings, "registers", DAY).stopped


def in_force(world: QuarantineWorld, feed: str, key: str) -> list[str]:
    return sorted(str(row[key]) for row in world.in_force(feed))


def records(world: QuarantineWorld) -> list[tuple[str, str, str]]:
    found = world.rows("select feed, row_key, status from ops.missing_row order by missing_id")
    return [(row["feed"], row["row_key"], row["status"]) for row in found]


def collected(world: QuarantineWorld) -> dict[str, int]:
    run_build(world.settings)
    found = world.rows(
        "select agency_code, actual_to_date from marts.fct_monthly_attainment "
        "where metric_code = 'collection_total' and month = '2021-10-01'"
    )
    return {row["agency_code"]: int(row["actual_to_date"]) for row in found}


GONE = {
    "an agency": (
        "delete from tst.co_quan where ma_co_quan = '07201'",
        ("agencies", "07201"),
        {"payments": PAID, "c12": OWED, "employers": 0, "officers": 0},
    ),
    "the province": (
        "delete from tst.co_quan where ma_co_quan = '072'",
        ("agencies", "072"),
        {"payments": PAID, "c12": OWED, "employers": 0, "officers": 0},
    ),
    "an employer": (
        "delete from tst.don_vi where ma_don_vi = 'TA0001A'",
        ("employers", "TA0001A"),
        {"payments": PAID, "c12": OWED, "assignments": 0},
    ),
    "an officer": (
        "delete from tst.can_bo where ma_can_bo = 'CB001'",
        ("officers", "CB001"),
        {"assignments": 0},
    ),
    "an assignment": (
        "delete from tst.phan_cong where ma_don_vi = 'TA0001A'",
        ("assignments", "TA0001A|2020-01-01"),
        {"payments": PAID, "c12": OWED},
    ),
    "a key that is another now": (
        "update tst.co_quan set ma_co_quan = '07209' where ma_co_quan = '07201'",
        ("agencies", "07201"),
        {"payments": PAID, "c12": OWED, "employers": 0, "officers": 0},
    ),
}


@pytest.mark.parametrize(("statement", "row", "hangs"), GONE.values(), ids=GONE.keys())
def test_a_row_that_vanishes_stays_in_force_and_is_named(
    world: QuarantineWorld, statement: str, row: tuple[str, str], hangs: dict[str, int]
) -> None:
    feed, key = row
    before = world.rows(f"select count(*) as rows from raw.{feed} where known_to is null")
    world.source(statement)
    (told,) = registers(world)
    assert f"1 rows of {feed}" in told
    assert key in told
    assert "chotso missing close" in told
    assert records(world) == [(feed, key, "missing")]
    (found,) = missing_rows(world)
    assert {each["feed"]: int(each["money"]) for each in found.hanging} == hangs
    kinds = world.rows("select feed, row_key, kind from ops.difference")
    assert [tuple(each.values()) for each in kinds] == [(feed, key, "absent")]
    after = world.rows(f"select count(*) as rows from raw.{feed} where known_to is null")
    assert after[0]["rows"] == before[0]["rows"] + (1 if "update" in statement else 0)
    assert [(r.feed, r.row_key) for r in status_of(world.settings).missing_rows] == [row]


def missing_rows(world: QuarantineWorld) -> list[missing.MissingRow]:
    with connect(world.settings) as conn:
        return missing.listing(conn)


def test_the_province_is_whole_and_the_naive_twin_that_believes_it_is_short(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.source("delete from tst.co_quan where ma_co_quan = '07201'")
    assert len(registers(world)) == 1
    assert collected(world) == {"072": PAID, "07201": PAID, "07202": 0}
    monkeypatch.setattr(Contract, "believes_absence", True)
    world.tick()
    registers(world)
    assert collected(world) == {"072": 0, "07202": 0}


def test_what_a_policy_hides_is_an_error_and_no_absence(world: QuarantineWorld) -> None:
    world.source("alter table tst.co_quan enable row level security")
    world.source("create policy some_rows on tst.co_quan using (ma_co_quan <> '07201')")
    try:
        with psycopg.connect(world.settings.source_url) as conn:
            naive = conn.execute("select ma_co_quan from tst.co_quan order by 1").fetchall()
        assert naive == [("072",), ("07202",)]
        (stopped,) = registers(world)
        assert "Row-level security of the source hides rows of tst.co_quan" in stopped
    finally:
        world.source("drop policy some_rows on tst.co_quan")
        world.source("alter table tst.co_quan disable row level security")
    assert records(world) == []


def test_a_row_that_comes_back_closes_the_difference(world: QuarantineWorld) -> None:
    for _ in range(2):
        world.source("delete from tst.co_quan where ma_co_quan = '07202'")
        for _ in range(2):
            assert len(registers(world)) == 1, "it is named every night"
            world.tick()
        world.source(
            "insert into tst.co_quan select * from kept.co_quan where ma_co_quan = '07202'"
        )
        assert registers(world) == []
        world.tick()
    assert records(world) == [("agencies", "07202", "back")] * 2
    versions = world.rows("select count(*) as n from raw.agencies where ma_co_quan = '07202'")
    assert versions == [{"n": 1}], "it never was away"


def test_only_a_recorded_act_closes_a_row(world: QuarantineWorld) -> None:
    world.source("delete from tst.co_quan where ma_co_quan = '07202'")
    registers(world)
    for keys, words in (
        (["07201"], BY),
        (["07202"], BY | {"reason": " "}),
        (["07202"], BY | {"by": ""}),
    ):
        with pytest.raises(ChotsoError):
            close_missing(world.settings, "agencies", keys, **words)
    assert records(world) == [("agencies", "07202", "missing")]
    world.tick()
    report = close_missing(world.settings, "agencies", ["07202"], **BY)
    assert [row.row_key for row in report.rows] == ["07202"]
    assert records(world) == [("agencies", "07202", "closed")]
    assert in_force(world, "agencies", "ma_co_quan") == ["072", "07201"]
    (act,) = world.rows(
        "select kind, reason, acted_by, subject from ops.operator_act "
        "order by known_at desc, act_id desc limit 1"
    )
    assert (act["kind"], act["reason"], act["acted_by"]) == ("close_missing", *BY.values())
    assert act["subject"]["row_keys"] == ["07202"]
    landed = world.settings.landing_url + "/" + report.act.landing_path
    assert json.loads(Path(landed).read_text(encoding="utf-8"))["acted_by"] == BY["by"]
    world.tick()
    assert registers(world) == []
    with (
        psycopg.connect(world.settings.warehouse_url) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("delete from ops.missing_row")


def test_the_command_lists_and_closes(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chotso.cli.missing, "load_settings", lambda: world.settings)
    world.source("delete from tst.co_quan where ma_co_quan = '07202'")
    registers(world)
    run = CliRunner()
    (listed,) = json.loads(run.invoke(app, ["missing", "list", "--json"]).stdout)
    assert (listed["feed"], listed["row_key"]) == ("agencies", "07202")
    assert {each["feed"] for each in listed["hanging"]} == {"officers", "employers"}
    words = ["--reason", BY["reason"], "--by", BY["by"], "--json"]
    assert run.invoke(app, ["missing", "close", "--feed", "payments", *words]).exit_code == 2
    assert run.invoke(app, ["missing", "close", "--feed", "agencies", *words]).exit_code == 2
    closed = run.invoke(app, ["missing", "close", "07202", "--feed", "agencies", *words])
    assert closed.exit_code == 0, closed.output
    assert run.invoke(app, ["missing", "list"]).stdout.strip() == "No register row is missing."


def test_what_counts_at_no_province_is_never_silent(world: QuarantineWorld) -> None:
    """Its row closed by an act, its parent nobody, a circle: accepted money is named."""
    statements = (
        "update tst.co_quan set ma_cap_tren = '07209' where ma_co_quan = '07201'",
        "update tst.co_quan set ma_cap_tren = case ma_co_quan when '07201' then '07202' "
        "else '07201' end where cap = 2",
        "update tst.co_quan set cap = 2 where ma_co_quan = '072'",
    )
    for statement in statements:
        world.source(statement)
        world.extract("registers")
        built = run_build(world.settings)  # its tests prove the sum
        assert any(f"07201, collection_total: 1 facts, {PAID:,} đồng" in n for n in built.notes)
        assert any(f"07201, arrears_ratio_total: 1 facts, {OWED:,} đồng" in n for n in built.notes)
        shown = status_of(world.settings).exposed
        assert shown is not None
        assert shown["uncounted"][0]["agency_code"] == "07201"
        world.tick()
        world.source(
            "update tst.co_quan as now set ma_cap_tren = was.ma_cap_tren, cap = was.cap "
            "from kept.co_quan as was where was.ma_co_quan = now.ma_co_quan"
        )
    world.extract("registers")
    assert run_build(world.settings).notes == []


def test_a_final_extract_that_lacked_rows_is_read_anew(world: QuarantineWorld) -> None:
    def extracted() -> FinalExtract:
        return final_extract(world.settings, DAY, final_of="sprint-2021-q4", not_before=None)

    world.source("delete from tst.co_quan where ma_co_quan = '07202'")
    first = extracted()
    assert any("07202" in each for each in first.stopped)
    world.tick()
    world.source("insert into tst.co_quan select * from kept.co_quan where ma_co_quan = '07202'")
    second = extracted()
    assert (second.known_at, second.stopped) == (world.clock, [])
    world.tick()
    assert extracted() == second, "what lacked nothing keeps its instant"
