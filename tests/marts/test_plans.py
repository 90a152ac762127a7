"""Plans that hold: with autovacuum off and no statistics at all, no step is quadratic.

A step of a statement may look at some rows for each row of the largest table; comparing all with
all, as the planner does where it expects one row, is many times that. The full size (120,000
persons) also compares the time with that of the same statements planned on statistics.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.explain.report import explain
from chotso.ingest.night import extract_all
from chotso.quarantine.rows import rows_set_aside
from chotso.quarantine.stake import at_stake
from chotso.release.late.register import late
from chotso.release.seal.checks import Override
from chotso.release.seal.freeze import freeze
from chotso.sandbox.province import advance, seed
from chotso.warehouse import statistics
from chotso.warehouse.connect import connect
from tests.proofs import IS_FULL, record, size
from tests.worlds.freeze_world import CUTOFF
from tests.worlds.own_server import own_server
from tests.worlds.product import Product, product
from tests.worlds.without_statistics import (
    Planned,
    explain_everything,
    forget,
    no_statistics,
    planned,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(3000)]

PERSONS = size(4_000, 120_000)
NIGHTS = (date(2021, 9, 30), date(2021, 10, 14))
LATER = datetime.fromisoformat("2021-10-15T01:00:00+07:00")
LAST_NIGHT = date(2022, 1, 4)
PERIOD = "sprint-2021-q4"
MUCH_IS_ASIDE = Override("quarantined_money_below_limit", "every tenth", "Trần Thử", "Lê Thử")
# Of 1.4 spells a person every 20th is set aside, which a nested loop would compare with all others.
LOOKED_AT_MOST = 400_000 + 15 * PERSONS
RATIO = 1.5


@dataclass
class World:
    """A province whose server never gathers statistics by itself."""

    product: Product
    log: Path
    admin: psycopg.Connection

    def since(self, offset: int) -> list[Planned]:
        return planned(self.log, offset)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        found = self.admin.execute(query.encode()).fetchall()
        self.admin.commit()
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with own_server() as (running, _):
        folder = tmp_path_factory.mktemp("plans")
        with psycopg.connect(running.admin_url, autocommit=True) as admin:
            admin.execute("alter system set autovacuum = off")
            admin.execute("select pg_reload_conf()")
        with product(running, "plans", folder) as made, psycopg.connect(made.admin_url) as admin:
            seed(
                made.source_admin_url, made.drop, persons=PERSONS, employers=size(80, 400),
                year=2021, seed=1, defects="some", state_dir=made.settings.home / "state",
                progress=lambda _: None,
            )  # fmt: skip
            _file_with_an_unknown_agency(made)
            explain_everything(admin, admin.info.dbname, at_least_ms=0)
            yield World(made, running.log_file, admin)


def _file_with_an_unknown_agency(made: Product) -> None:
    with psycopg.connect(made.source_admin_url) as source:
        source.execute("update tst.tham_gia set ma_co_quan = '07299' where ma_qua_trinh % 20 = 0")
        source.execute(
            "update tst.chung_tu set ma_co_quan = '07299' where right(so_chung_tu, 1) = '0'"
        )


def everything(made: Product) -> None:
    """Two nights, a build, what is set aside; in full also explain, freeze and late."""
    settings = made.settings
    extract_all(settings, NIGHTS[0])
    first = _newest(settings.admin_url)
    _live_until(made, LATER)
    extract_all(settings, NIGHTS[1])
    run_build(settings)
    with connect(settings) as conn:
        at_stake(conn, rows_set_aside(conn))
    if IS_FULL:
        explain(settings, "072", "participants_hi", date(2021, 9, 1), since=first)
        _year_end(made)


def _year_end(made: Product) -> None:
    _live_until(made, CUTOFF + timedelta(seconds=20))
    freeze(made.settings, PERIOD, override=MUCH_IS_ASIDE)
    _live_until(made, CUTOFF + timedelta(days=5))
    extract_all(made.settings, LAST_NIGHT)
    late(made.settings, PERIOD)


def _live_until(made: Product, clock: datetime) -> None:
    state = made.settings.home / "state"
    advance(made.source_admin_url, made.drop, to=clock, state_dir=state, progress=lambda _: None)


def _newest(admin_url: str | None) -> datetime:
    assert admin_url is not None
    with psycopg.connect(admin_url) as admin:
        row = admin.execute("select max(known_at) from ops.batch").fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def unplanned(world: World) -> list[Planned]:
    """Every statement of the two nights, none of them planned on statistics."""
    offset = world.log.stat().st_size
    with no_statistics(world.admin):
        everything(world.product)
    return world.since(offset)


def test_without_statistics_no_step_looks_at_all_for_each(
    world: World, unplanned: list[Planned]
) -> None:
    assert len(unplanned) > 500
    assert world.rows("select count(*) from pg_stats where schemaname <> 'pg_catalog'") == [(0,)]
    aside = world.rows("select count(*) from quarantine.row where feed = 'participations'")
    assert int(str(aside[0][0])) > PERSONS // 20
    wrong = [each for each in unplanned if each.rows_looked_at > LOOKED_AT_MOST]
    assert not wrong, "\n".join(f"{w.rows_looked_at:,} {w.step}: {w.text[:600]}" for w in wrong)


TWINS = {
    "a self-join of a CTE": """
        with spells as (
            select loai, person_pseudonym, ma_co_quan from raw.participations
            where known_from <= now() and (known_to is null or known_to > now())
                and trang_thai = 'HIEU_LUC' and ngay_nhap < 'infinity'
                and coalesce(den_thang, 'infinity') >= tu_thang
        ),

        persons as (
            select loai, person_pseudonym, count(*) as spell_count from spells group by 1, 2
        )

        select count(*) from spells
        inner join persons
            on spells.loai = persons.loai and spells.person_pseudonym = persons.person_pseudonym
        where persons.spell_count >= 1
    """,
    "what is set aside as a CTE": """
        with aside as (
            select (row ->> 'ma_qua_trinh')::bigint as ma_qua_trinh from quarantine.row
            where feed = 'participations'
                and (status = 'open' or (status = 'waived' and replaced_at is null))
        )

        select count(*) from raw.participations as kept
        where kept.known_to is null
            and not exists (select from aside where aside.ma_qua_trinh = kept.ma_qua_trinh)
        union all
        select count(*) from aside
    """,
}


@pytest.mark.parametrize("twin", TWINS)
def test_the_naive_twin_compares_all_with_all(
    world: World, unplanned: list[Planned], twin: str
) -> None:
    forget(world.admin)
    offset = world.log.stat().st_size
    world.admin.execute("load 'auto_explain'")
    world.admin.execute(f"set statement_timeout = '{size(60, 10)}s'")
    for setting in ("log_min_duration = 0", "log_analyze = on", "log_timing = off"):
        world.admin.execute(f"set auto_explain.{setting}".encode())
    world.admin.execute("set auto_explain.log_format = json")
    try:
        world.rows(TWINS[twin])
    except psycopg.errors.QueryCanceled:
        world.admin.rollback()  # at full size it would go on for hours
        return
    assert max(each.rows_looked_at for each in world.since(offset)) > LOOKED_AT_MOST


def test_statistics_are_gathered_where_rows_are_published_and_tables_are_built(
    world: World, unplanned: list[Planned]
) -> None:
    settings = world.product.settings
    forget(world.admin)
    with connect(settings) as conn:
        gathered = statistics.gather(conn)
        assert {"raw.participations", 'quarantine."row"', "ops.batch"} <= set(gathered)
        assert statistics.gather(conn) == []
    built = run_build(settings, schema="plans", only=("int_officer_participation_counts",))
    unknown = world.rows(
        "select relname::text from pg_class where relkind = 'r' and reltuples < 0 "
        "and relnamespace = 'plans'::regnamespace"
    )
    assert built.models > 5
    assert unknown == []


@pytest.mark.skipif(not IS_FULL, reason="times are compared at full size (make proofs)")
def test_without_statistics_a_build_takes_as_long_as_with_them(
    world: World, unplanned: list[Planned]
) -> None:
    settings = world.product.settings
    offset = world.log.stat().st_size
    run_build(settings)
    planned_well = sum(each.milliseconds for each in world.since(offset) if _is_of_build(each))
    offset = world.log.stat().st_size
    with no_statistics(world.admin):
        run_build(settings)
    blind = sum(each.milliseconds for each in world.since(offset) if _is_of_build(each))
    record(
        "Plans without statistics",
        persons=PERSONS,
        seconds_of_statements_with_statistics=f"{planned_well / 1000:.1f}",
        seconds_without=f"{blind / 1000:.1f}",
    )
    assert blind <= RATIO * planned_well


def _is_of_build(each: Planned) -> bool:
    return "dbt" in each.text[:30]


def test_the_loader_may_have_statistics_gathered_and_may_not_do_it_itself(world: World) -> None:
    with connect(world.product.settings) as conn:
        allowed = conn.execute(
            "select has_function_privilege('public', 'ops.gather_statistics()', 'execute'), "
            "pg_has_role('chotso_loader', 'chotso_owner', 'member')"
        ).fetchone()
        conn.execute("analyze raw.participations")  # a warning, and nothing is done
    assert allowed == (False, False)
