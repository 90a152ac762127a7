"""Control totals: what is compared, what counts as a difference, and what a difference stops."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.errors import ChotsoError
from chotso.ingest.night import (
    extract_all,
    extract_group,
    final_extract,
    land_group,
    process_and_prove,
)
from chotso.ingest.waiting import GroupReport
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.worlds.quarantine_world import (
    CREDITED,
    DAY,
    QuarantineWorld,
    account,
    quarantine_world,
)

pytestmark = [pytest.mark.long, pytest.mark.warehouse]

MONEY_MENDED = 100_000


@pytest.fixture
def world(
    running: SandboxServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[QuarantineWorld]:
    """Three payments with a line each, one of them of another year; published once."""
    name = f"totals_{abs(hash(request.node.name)) % 10**8}"
    with quarantine_world(running, name, tmp_path / "w") as made:
        for number in ("A1", "A2", "OLD"):
            made.payment(number, MONEY_MENDED)
            made.line(number, 1, MONEY_MENDED)
        made.source(
            "update tst.chung_tu set ngay_ghi_co = '2020-12-15T09:00+07:00' "
            "where so_chung_tu = 'OLD'"
        )
        # Long ago for every later read, so that only totals or a whole read can find a change.
        for table in ("chung_tu", "phan_bo"):
            made.source(f"update tst.{table} set ngay_sua = '2021-01-01T00:00+07:00'")
        made.payment("NEW", 1)
        made.extract()
        made.tick()
        yield made


def totals(world: QuarantineWorld, feed: str) -> list[tuple[str, str]]:
    """(month, status) of a feed by month in the order of comparison, without `equal`."""
    found = world.rows(
        "select month, status from ops.control_total where feed = %s and status <> 'equal' "
        "order by month, entry",
        feed,
    )
    return [(f"{row['month']:%Y-%m}", row["status"]) for row in found]


def differences(world: QuarantineWorld) -> list[tuple[str, str, str]]:
    found = world.rows("select feed, row_key, kind from ops.difference order by 1, 2, 3")
    return [(row["feed"], row["row_key"], row["kind"]) for row in found]


def contributions(world: QuarantineWorld) -> GroupReport:
    return extract_group(world.settings, "contributions", DAY)


def test_an_undisturbed_night_is_equal_and_leaves_no_difference(world: QuarantineWorld) -> None:
    world.extract()
    compared = world.rows("select distinct feed, status from ops.control_total order by 1")
    assert [(r["feed"], r["status"]) for r in compared] == [
        ("allocations", "equal"),
        ("payments", "equal"),
    ]
    assert differences(world) == []


def test_a_document_that_stands_in_another_month_is_mended_in_both(world: QuarantineWorld) -> None:
    world.act(
        "update raw.payments set ngay_ghi_co = '2021-09-15T09:00+07:00' where so_chung_tu = 'A1'"
    )
    world.extract("contributions")
    for feed in ("payments", "allocations"):
        assert totals(world, feed) == [
            ("2021-09", "different"),
            ("2021-09", "mended"),
            ("2021-10", "different"),
            ("2021-10", "mended"),
        ]
    credited = [r["ngay_ghi_co"] for r in world.in_force("payments") if r["so_chung_tu"] == "A1"]
    assert credited == [CREDITED]


def test_the_naive_twin_that_counts_all_months_at_once_sees_nothing(world: QuarantineWorld) -> None:
    world.act(
        "update raw.payments set ngay_ghi_co = '2021-09-15T09:00+07:00' where so_chung_tu = 'A1'"
    )
    held = world.rows("select count(*), sum(so_tien) from raw.payments where known_to is null")
    with psycopg.connect(world.warehouse.source_admin_url) as source:
        there = source.execute("select count(*), sum(so_tien) from tst.chung_tu").fetchone()
    assert tuple(held[0].values()) == there


def test_what_cancels_out_in_the_totals_is_found_by_a_full_read(world: QuarantineWorld) -> None:
    world.act("update raw.payments set trang_thai = 'HUY' where so_chung_tu = 'A2'")
    world.extract("contributions")
    assert differences(world) == []  # totals prove rows and đồng, not attributes
    world.extract("contributions", full=True)
    assert differences(world) == [("payments", "A2", "changed")]
    assert {r["trang_thai"] for r in world.in_force("payments")} == {"HIEU_LUC"}


def by_the_command(world: QuarantineWorld, day: date) -> None:
    assert not [s for report in extract_all(world.settings, day) for s in report.stopped]


def by_the_dag(world: QuarantineWorld, day: date) -> None:
    land_group(world.settings, "contributions", day)
    process_and_prove(world.settings, "contributions", day)


@pytest.mark.parametrize("night", [by_the_command, by_the_dag])
def test_the_night_of_a_sunday_reads_the_open_year_whole_whoever_runs_it(
    world: QuarantineWorld, night: Callable[[QuarantineWorld, date], None]
) -> None:
    sunday = date(2021, 11, 7)
    world.act("update raw.payments set trang_thai = 'HUY' where so_chung_tu = 'A2'")
    world.tick(days=6)
    night(world, sunday - timedelta(days=1))
    assert differences(world) == []  # the naive twin: a night as any other
    night(world, sunday)
    assert differences(world) == [("payments", "A2", "changed")]


def test_a_new_payment_is_no_difference(world: QuarantineWorld) -> None:
    world.payment("LATER", 5)
    world.extract("contributions", full=True)
    assert differences(world) == []


def test_a_source_that_counts_wrong_stops_the_build_until_it_is_mended(
    world: QuarantineWorld,
) -> None:
    run_build(world.settings)
    spoil = "update tst.doi_soat set tong_tien = tong_tien + 1 where thang = '2021-10-01'"
    with psycopg.connect(world.warehouse.source_admin_url) as source:
        source.execute(spoil)
    stopped = contributions(world).stopped
    assert len(stopped) == 2
    assert "payments of 2021-10" in stopped[1] or "payments of 2021-10" in stopped[0]
    assert "Kept: " in stopped[0]
    assert "Next: " in stopped[0]
    with pytest.raises(ChotsoError, match=r"payments of 2021-10: the source counts 3 rows"):
        run_build(world.settings)
    run_build(world.settings, schema="look_at_it")
    failed = world.rows("select status, reason from ops.build order by build_id")
    assert [row["status"] for row in failed] == ["exposed", "failed", "built"]
    world.source("select 1")
    world.extract("contributions")
    run_build(world.settings)


def test_a_source_without_a_count_stops_the_build(world: QuarantineWorld) -> None:
    with psycopg.connect(world.warehouse.source_admin_url) as source:
        source.execute("alter table tst.doi_soat rename to away")
    contributions(world)
    with pytest.raises(ChotsoError, match="no doi_soat") as refusal:
        run_build(world.settings)
    assert "allocations, payments" in str(refusal.value)


def test_rows_set_aside_and_waived_count_as_delivered(world: QuarantineWorld) -> None:
    world.payment("ASIDE", 70, agency="99999")
    world.line("ASIDE", 1, 70)
    world.payment("OUT", 80, agency="99999")
    world.extract("contributions")
    waive = "update quarantine.row set status = 'waived', resolved_at = first_seen "
    world.act(waive + "where row_key = 'OUT'")
    world.tick()
    world.extract("contributions")
    world.source("update tst.chung_tu set ma_co_quan = '07201', ngay_sua = %s", world.clock)
    world.extract("contributions")
    assert totals(world, "payments") == totals(world, "allocations") == []
    assert {r["so_chung_tu"] for r in world.in_force("payments")} >= {"ASIDE", "OUT"}


def test_a_row_that_a_source_repeats_is_counted_as_delivered(world: QuarantineWorld) -> None:
    with psycopg.connect(world.warehouse.source_admin_url) as source:
        source.execute("alter table tst.chung_tu drop constraint chung_tu_pkey")
    for _ in range(2):
        world.payment("TWICE", 7)
    world.source("update tst.chung_tu set ngay_sua = '2021-01-01' where so_chung_tu = 'TWICE'")
    world.extract("contributions")
    assert totals(world, "payments") == [("2021-10", "different"), ("2021-10", "mended")]
    assert [r["so_chung_tu"] for r in world.in_force("payments")].count("TWICE") == 1


def test_a_final_extract_is_read_anew_when_its_totals_had_to_be_mended(
    world: QuarantineWorld,
) -> None:
    # Of an earlier year: the final extract's own whole read of the open year passes it by.
    world.act("delete from raw.payments where so_chung_tu = 'OLD'")
    done = final_extract(world.settings, DAY, final_of="trial", not_before=None)
    assert done.stopped == []
    assert totals(world, "payments") == [("2020-12", "different"), ("2020-12", "mended")]
    finals = world.rows(
        "select count(*) as n from ops.batch where feed = 'payments' and final_of = 'trial' "
        "and status = 'published' and read_mode = 'year'"
    )
    assert finals[0]["n"] == 2
    again = final_extract(world.settings, DAY, final_of="trial", not_before=None)
    assert again == done


def test_a_final_extract_that_cannot_be_proven_is_refused(world: QuarantineWorld) -> None:
    with psycopg.connect(world.warehouse.source_admin_url) as source:
        source.execute("delete from tst.doi_soat where bang = 'chung_tu'")
    with pytest.raises(ChotsoError, match="Control totals differ"):
        final_extract(world.settings, DAY, final_of="trial", not_before=None)


# -- sheets ---------------------------------------------------------------------------------------


def sheets(world: QuarantineWorld) -> list[dict[str, Any]]:
    return world.rows(
        "select madvi, ma_co_quan, ck_bhxh from raw.c12 where known_to is null order by 1"
    )


def test_accounts_that_moved_strayed_or_stand_aside_are_no_difference(
    world: QuarantineWorld,
) -> None:
    stray = account("TA0009Z", 9, thang="12/2020")  # the same stray row in every export
    world.accounts(
        {
            "07201": [account("TA0001A", 100), account("TA0002B", 50), stray],
            "07202": [account("TA0003C", 7), account("TA0003C", 7)],
        }
    )
    world.extract("c12")
    world.tick()
    world.accounts(
        {"07202": [account("TA0001A", 120), account("TA0003C", 7)]}, stated="20211102T010000"
    )
    world.accounts(
        {"07201": [account("TA0002B", 50, _ck_bhxh=51), stray]}, stated="20211102T020000"
    )
    world.extract("c12")
    world.tick()
    world.accounts(
        {
            "07202": [
                account("TA0001A", 120),
                account("TA0002B", 60, _ck_bhxh=61),  # set aside there too, with other đồng
                account("TA0003C", 7),
            ]
        },
        stated="20211102T030000",
    )
    world.extract("c12")
    world.extract("c12")
    assert totals(world, "c12") == []
    assert differences(world) == []
    assert [(r["madvi"], r["ma_co_quan"]) for r in sheets(world)] == [
        ("TA0001A", "07202"),
        ("TA0002B", "07201"),
        ("TA0003C", "07202"),
    ]


def test_accounts_lost_changed_or_added_behind_our_back_are_mended(world: QuarantineWorld) -> None:
    world.accounts({"07201": [account("TA0001A", 100), account("TA0002B", 50)]})
    world.extract("c12")
    before = sheets(world)
    world.act("update raw.c12 set ck_bhxh = 101 where madvi = 'TA0001A'")
    world.act("delete from raw.c12 where madvi = 'TA0002B'")
    world.act(
        'insert into raw.c12 select (jsonb_populate_record(kept, \'{"madvi": "TA0009Z"}\')).* '
        "from raw.c12 as kept"
    )
    world.tick()
    world.extract("c12")
    assert totals(world, "c12") == [("2021-10", "different"), ("2021-10", "mended")]
    assert differences(world) == [
        ("c12", "TA0001A|2021-10-01", "changed"),
        ("c12", "TA0002B|2021-10-01", "missing"),
        ("c12", "TA0009Z|2021-10-01", "gone"),
    ]
    assert sheets(world) == before


def test_a_damaged_archive_is_named_and_stops_nothing_else(world: QuarantineWorld) -> None:
    world.accounts({"07201": [account("TA0001A", 100)]})
    world.extract("c12")
    with connect(world.settings) as conn:
        row = conn.execute(
            "select landing_files -> 'data' ->> 'path' from ops.batch "
            "where feed = 'c12' and delivery_name is not null"
        ).fetchone()
    assert row is not None
    landed = Path(world.settings.landing_url) / str(row[0])
    landed.write_bytes(landed.read_bytes()[:-20])
    world.tick()
    (stopped,) = extract_group(world.settings, "c12", date(2021, 11, 1)).stopped
    assert "is not what was landed" in stopped
    assert sheets(world) != []
