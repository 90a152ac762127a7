"""Rows behind the position, and a warehouse changed behind our back: right again the same night."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.errors import ChotsoError
from chotso.ingest.control_totals import refuse_unproven
from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.histories.ending import Ending, differences, ending
from tests.histories.life import State, live
from tests.oracle.hostile.c12_files import write_statement
from tests.oracle.hostile.tst import create_schema, write_snapshot
from tests.proofs import record
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(1800)]

SEED = 4
GROUP_OF = {
    "payments": "contributions",
    "allocations": "contributions",
    "participations": "participations",
    "c12": "c12",
}
WITHIN = [timedelta(), timedelta(microseconds=1), timedelta(minutes=31), timedelta(hours=1)]
BEYOND = [timedelta(hours=3), timedelta(days=2), timedelta(days=40)]
KINDS = {"deleted": "missing", "changed": "changed", "inserted": "gone"}
DAMAGE = {
    ("payments", "deleted"): "delete from raw.payments where ctid = {any}",
    ("payments", "changed"): "update raw.payments set so_tien = so_tien + 1 where ctid = {any}",
    (
        "payments",
        "inserted",
    ): "insert into raw.payments select 'CT-behind', {rest} where ctid = {any}",
    ("allocations", "deleted"): "delete from raw.allocations where ctid = {any}",
    ("allocations", "changed"): "update raw.allocations set tien_goc = tien_goc - 1 "
    "where ctid = {any}",
    ("allocations", "inserted"): "insert into raw.allocations select so_chung_tu, 99, {rest} "
    "where ctid = {any}",
    ("participations", "deleted"): "delete from raw.participations where ctid = {any}",
    ("participations", "changed"): "update raw.participations "
    "set tu_thang = tu_thang - interval '1 month' where ctid = {any}",
    ("participations", "inserted"): "insert into raw.participations select 1, {rest} "
    "where ctid = {any}",
    ("c12", "deleted"): "delete from raw.c12 where ctid = {any}",
    ("c12", "changed"): "update raw.c12 set ck_bhxh = ck_bhxh + 1 where ctid = {any}",
    ("c12", "inserted"): "insert into raw.c12 select ma_co_quan, thang, 'TX9999X', {rest} "
    "where ctid = {any}",
}
KEY_WIDTH = {"payments": 1, "allocations": 2, "participations": 1, "c12": 3}


@dataclass
class Night:
    """A warehouse that has published one state of a world, and lives on by the hour."""

    product: Product
    state: State
    clock: datetime
    late: list[dict[str, Any]] = field(default_factory=list)

    def extract(self, group: str) -> list[str]:
        """The next hour's read of a group; returns what was stopped."""
        self.clock += timedelta(hours=1)
        with psycopg.connect(self.product.source_admin_url) as conn:
            write_snapshot(conn, self.state.tables, self.clock)
        return extract_group(self.product.settings, group, self.state.business_date).stopped

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, as its superuser."""
        with psycopg.connect(self.product.admin_url) as conn:
            return conn.execute(query.encode(), values).fetchall()

    def damage(self, feed: str, how: str) -> None:
        """Change raw behind the system's back."""
        columns = self.rows(
            "select column_name::text from information_schema.columns where table_schema = 'raw' "
            "and table_name = %s order by ordinal_position",
            feed,
        )
        rest = ", ".join(name for (name,) in columns[KEY_WIDTH[feed] :]) + f" from raw.{feed}"
        one = f"(select min(ctid) from raw.{feed} where known_to is null)"
        with psycopg.connect(self.product.admin_url) as conn:
            conn.execute("set session_replication_role = replica")
            done = conn.execute(DAMAGE[feed, how].format(any=one, rest=rest).encode())
            assert done.rowcount == 1

    def totals_since(self, known_at: datetime) -> list[str]:
        """Statuses of the comparisons after an instant that were not equal, in order."""
        found = self.rows(
            "select status from ops.control_total where known_at > %s and status <> 'equal' "
            "order by checked_at, month",
            known_at,
        )
        return [status for (status,) in found]


@pytest.fixture(scope="module")
def night(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("late")
    life = live(SEED)
    with product(running, "late", folder) as made:
        with psycopg.connect(made.source_admin_url) as conn:
            create_schema(conn, SOURCE_LOGIN)
        for statement in life.statements[0]:
            write_statement(Random(1), made.drop, statement, as_csv=False)
        begun = Night(made, life.states[0], life.states[0].clock)
        for group in ("registers", "contributions", "participations", "c12"):
            stopped = begun.extract(group)
            assert not stopped, stopped
        yield begun


def _newest(night: Night, table: str) -> datetime:
    newest: datetime = max(row["ngay_sua"] for row in night.state.tables[table])
    return newest


def _plant(night: Night, table: str, behind: timedelta, code: Any) -> None:
    """A row like an earlier one, under a new key, changed so long before the newest seen."""
    tables = night.state.tables
    changed = _newest(night, table) - behind
    key = {"chung_tu": "so_chung_tu", "tham_gia": "ma_qua_trinh"}[table]
    pattern = next(r for r in tables[table] if r["ma_co_quan"] in ("07200", "07201"))
    tables[table].append({**pattern, key: code, "ngay_sua": changed})
    if table == "chung_tu":
        line = {"so_chung_tu": code, "so_dong": 1, "quy": "HTTT", "tien_lai": 0}
        line |= {"thang": night.state.clock.date().replace(day=1), "ngay_sua": changed}
        tables["phan_bo"].append({**line, "tien_goc": pattern["so_tien"]})


@pytest.mark.parametrize("behind", WITHIN, ids=str)
def test_rows_planted_within_the_hour_are_read_the_same_night(
    night: Night, behind: timedelta
) -> None:
    number = WITHIN.index(behind)
    before = night.clock
    newest = _newest(night, "chung_tu")
    _plant(night, "chung_tu", behind, f"LATE-{number}")
    _plant(night, "tham_gia", behind, 9_000_000 + number)
    documents = night.state.tables["chung_tu"]
    at = next(n for n, r in enumerate(documents) if r["ma_co_quan"] == "07200")
    form = ("UNC", "BIEN_LAI")[number % 2]
    changed = {**documents[at], "hinh_thuc": form, "ngay_sua": newest - behind}
    documents[at] = changed
    for group in ("contributions", "participations"):
        assert not night.extract(group)
    for feed, key, value in (
        ("payments", "so_chung_tu", f"LATE-{number}"),
        ("allocations", "so_chung_tu", f"LATE-{number}"),
        ("participations", "ma_qua_trinh", 9_000_000 + number),
    ):
        query = f"select count(*) from raw.{feed} where {key} = %s and known_to is null"
        assert night.rows(query, value) == [(1,)], feed
    assert night.rows(
        "select hinh_thuc from raw.payments where so_chung_tu = %s and known_to is null",
        changed["so_chung_tu"],
    ) == [(changed["hinh_thuc"],)]
    assert not night.totals_since(before), "the overlap finds them; no total has to"
    # The twin: a cursor at the newest change seen.
    assert not [
        r
        for r in night.state.tables["chung_tu"]
        if r["so_chung_tu"] == f"LATE-{number}" and r["ngay_sua"] > newest
    ]


@pytest.mark.parametrize("behind", BEYOND, ids=str)
def test_rows_planted_further_behind_are_found_by_the_totals(
    night: Night, behind: timedelta
) -> None:
    number = 10 + BEYOND.index(behind)
    before = night.clock
    _plant(night, "chung_tu", behind, f"LATE-{number}")
    _plant(night, "tham_gia", behind, 9_000_000 + number)
    for group in ("contributions", "participations"):
        assert not night.extract(group)
    for feed, key, value in (
        ("payments", "so_chung_tu", f"LATE-{number}"),
        ("allocations", "so_chung_tu", f"LATE-{number}"),
        ("participations", "ma_qua_trinh", 9_000_000 + number),
    ):
        query = f"select count(*) from raw.{feed} where {key} = %s and known_to is null"
        assert night.rows(query, value) == [(1,)], feed
    told = night.totals_since(before)
    assert told.count("different") >= 3
    assert told.count("mended") == told.count("different")


@pytest.mark.parametrize(("feed", "how"), DAMAGE, ids="-".join)
def test_a_row_changed_behind_our_back_is_mended_the_same_night(
    night: Night, feed: str, how: str
) -> None:
    wanted: Ending = ending(night.product.admin_url)
    before = night.clock
    recorded = night.rows("select count(*) from ops.difference")[0][0]
    night.damage(feed, how)
    assert differences(ending(night.product.admin_url), wanted), "nothing was damaged"
    # The twin, a loader without totals, reads what changed at the source: nothing has.
    assert not _changed_at_source(night)
    assert not night.extract(GROUP_OF[feed])
    wrong = differences(ending(night.product.admin_url), wanted)
    assert not wrong, "\n".join(wrong)
    told = night.totals_since(before)
    assert "different" in told
    assert told.count("mended") == told.count("different")
    kinds = night.rows("select feed, kind from ops.difference order by known_at")[recorded:]
    assert (feed, KINDS[how]) in kinds


def _changed_at_source(night: Night) -> list[Any]:
    reached = dict(night.rows("select feed, position from ops.feed_position"))
    return [
        row
        for table, feed in (("chung_tu", "payments"), ("tham_gia", "participations"))
        for row in night.state.tables[table]
        if row["ngay_sua"] > reached[feed]
    ]


def test_a_difference_that_cannot_be_mended_stops_the_build_and_stays(night: Night) -> None:
    """The source's own count is wrong: no read of ours can make it right."""
    with psycopg.connect(night.product.source_admin_url) as conn:
        night.clock += timedelta(hours=1)
        write_snapshot(conn, night.state.tables, night.clock)
        conn.execute(
            "update tst.doi_soat set so_dong = so_dong + 1 where (bang, thang) = "
            "(select 'chung_tu', max(thang) from tst.doi_soat where bang = 'chung_tu')"
        )
    settings, on = night.product.settings, night.state.business_date
    stopped = extract_group(settings, "contributions", on).stopped
    assert any("Control totals differ" in line and "payments of" in line for line in stopped)
    with pytest.raises(ChotsoError, match="Control totals differ: payments of"):
        run_build(settings)
    assert night.rows("select count(*) from ops.build where status = 'exposed'") == [(0,)]
    newest = night.rows("select status from ops.control_total order by checked_at desc limit 40")
    assert ("different",) in newest
    assert not night.extract("contributions")  # once the source counts right again
    with connect(settings) as conn:
        refuse_unproven(conn)
    record(
        "Late commits and self-mending",
        planted_within_the_hour=len(WITHIN) * 4,
        planted_further_behind=len(BEYOND) * 3,
        rows_changed_behind_our_back=len(DAMAGE),
        left_wrong=0,
    )


def test_the_naive_twin_without_totals_stays_wrong(tmp_path: Path) -> None:
    """Upserts by key what changed since its position, and never learns of a lost row."""
    life = live(SEED)
    source = {r["so_chung_tu"]: r for r in life.states[0].tables["chung_tu"]}
    held = dict(source)
    position = max(r["ngay_sua"] for r in source.values()) - timedelta(hours=2)
    lost = min(source, key=lambda code: (source[code]["ngay_sua"], code))
    del held[lost]
    held |= {code: r for code, r in source.items() if r["ngay_sua"] >= position}
    assert lost not in held
