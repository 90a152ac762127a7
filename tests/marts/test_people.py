"""Persons, movements and the province's reconciliation: by hand, and in small hostile worlds."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build import run_build
from chotso.build.dbt import build_variables
from chotso.build.runner import run_dbt
from chotso.build.scratch import drop_foreign_keys
from chotso.ingest.night import extract_all
from chotso.registers import load_registers
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.oracle.compare import differences
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.model import Observation
from tests.oracle.people import GROUP_KEY, PEOPLE_KEY, Before, month_before, people
from tests.oracle.worlds import World as HostileWorld
from tests.proofs import record, size
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse
from tests.worlds.build_world import World, instant
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(3600)]

PARTICIPATION = "fct_participation_month"
GROUPS = "fct_health_group_month"
RECONCILIATION = "fct_participation_reconciliation"
MARTS = (PARTICIPATION, GROUPS, RECONCILIATION)
SCHEMA = "marts_build"
MOVEMENTS = ("joined", "transferred_in", "left", "transferred_out", "net_growth")
SEEDS = range(size(1, 12))


def _spell(
    world: World, person: str, agency: str, since: str, until: str | None, group: int | None = None
) -> None:
    world.spell(person, since, until, agency=agency)
    world.admin.execute(
        "update raw.participations set nhom_bhyt = %s where ma_qua_trinh = %s",
        [group, world.spells],
    )


def _people(world: World) -> None:
    world.batch("2021-06-30", "2021-07-01T01:00")
    for province in ("072", "080"):
        world.agency(province, parent=None, level=1)
    world.agency("07201")
    world.agency("07202")
    world.agency("07203", hieu_luc_tu="2021-03-10")
    world.agency("08001", parent="080")
    world.agency("lone", parent=None)
    # moves inside the province, comes back after a gap, leaves for the other province
    _spell(world, "mover", "07201", "2020-06", "2021-01", 1)
    _spell(world, "mover", "07202", "2021-02", "2021-03", 1)
    _spell(world, "mover", "07201", "2021-05", "2021-05", 2)
    _spell(world, "mover", "08001", "2021-06", None, 2)
    # with three places at once in March, its province's own code among them
    _spell(world, "shared", "07201", "2021-01", None, 3)
    _spell(world, "shared", "07203", "2021-02", None, 3)
    _spell(world, "shared", "072", "2021-03", "2021-03", 4)
    # adjacent, overlapping and nested spells of one agency: neither joins nor leaves
    _spell(world, "stayer", "07202", "2020-12", "2021-02", 5)
    _spell(world, "stayer", "07202", "2021-03", "2021-04", 6)
    _spell(world, "stayer", "07202", "2021-02", "2021-05", 5)
    # from an agency without a province: joins only
    _spell(world, "lonely", "lone", "2021-01", "2021-03")
    _spell(world, "lonely", "07201", "2021-04", "2021-04")
    _spell(world, "lonely", "lone", "2021-05", None)
    # of nobody: void, ending before it begins, over before the month before the first one
    world.spell("void", "2021-01", None, status="HUY")
    _spell(world, "never", "07201", "2021-04", "2021-03")
    _spell(world, "past", "07201", "2019-01", "2020-11")


@pytest.fixture(scope="module")
def by_hand(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = tmp_path_factory.mktemp("people")
    with new_warehouse(servers, home) as warehouse:
        with warehouse.world() as world:
            _people(world)
        run_build(warehouse.settings)
        yield warehouse


def _months_of(
    warehouse: Warehouse, table: str, *columns: str, **key: Any
) -> list[tuple[int, ...]]:
    """One tuple of the columns per month, in the order of months."""
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as connection:
        query = sql.SQL("select * from marts.{} where {} order by month").format(
            sql.Identifier(table),
            sql.SQL(" and ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
                for name, value in key.items()
            ),
        )
        rows = connection.execute(query).fetchall()
    return [tuple(row[f"{column}_count"] for column in columns) for row in rows]


@pytest.mark.parametrize(
    ("agency", "counts", "movements"),
    [
        (
            "07201",
            (2, 1, 1, 2, 2, 1),
            [(1, 0, 0, 0, 1), (0, 0, 0, 1, -1), (0, 0, 0, 0, 0),
             (1, 0, 0, 0, 1), (1, 0, 1, 0, 0), (0, 0, 1, 0, -1)],
        ),
        (
            "07202",
            (1, 2, 2, 1, 1, 0),
            [(0, 0, 0, 0, 0), (0, 1, 0, 0, 1), (0, 0, 0, 0, 0),
             (0, 0, 1, 0, -1), (0, 0, 0, 0, 0), (0, 0, 1, 0, -1)],
        ),
        # in force from March: who came in February is not shown, and not new in March
        ("07203", (1, 1, 1, 1), [(0, 0, 0, 0, 0)] * 4),
        (
            "072",
            (3, 3, 3, 3, 3, 1),
            [(1, 0, 0, 0, 1), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0),
             (1, 0, 1, 0, 0), (1, 0, 1, 0, 0), (0, 0, 2, 0, -2)],
        ),
        ("080", (0, 0, 0, 0, 0, 1), [(0, 0, 0, 0, 0)] * 5 + [(1, 0, 0, 0, 1)]),
        ("08001", (0, 0, 0, 0, 0, 1), [(0, 0, 0, 0, 0)] * 5 + [(1, 0, 0, 0, 1)]),
        (
            "lone",
            (1, 1, 1, 0, 1, 1),
            [(1, 0, 0, 0, 1), (0, 0, 0, 0, 0), (0, 0, 0, 0, 0),
             (0, 0, 1, 0, -1), (1, 0, 0, 0, 1), (0, 0, 0, 0, 0)],
        ),
    ],
)  # fmt: skip
def test_who_came_and_went(
    by_hand: Warehouse,
    agency: str,
    counts: tuple[int, ...],
    movements: list[tuple[int, ...]],
) -> None:
    of = {"agency_code": agency, "scheme_code": "hi"}
    assert _months_of(by_hand, PARTICIPATION, "participant", **of) == [(n,) for n in counts]
    assert _months_of(by_hand, PARTICIPATION, *MOVEMENTS, **of) == movements


@pytest.mark.parametrize(
    ("agency", "group", "counts"),
    [
        ("072", 1, (1, 1, 1, 0, 0, 0)),
        ("072", 2, (0, 0, 0, 0, 1, 0)),
        ("072", 3, (1, 1, 1, 1, 1, 1)),
        ("072", 4, (0, 0, 1, 0, 0, 0)),
        ("07202", 5, (1, 1, 1, 1, 1, 0)),
        ("07202", 6, (0, 0, 1, 1, 0, 0)),
        ("080", 2, (0, 0, 0, 0, 0, 1)),
        ("lone", 1, (0, 0, 0, 0, 0, 0)),
    ],
)
def test_groups_count_a_person_once_each(
    by_hand: Warehouse, agency: str, group: int, counts: tuple[int, ...]
) -> None:
    of = {"agency_code": agency, "health_group_number": group}
    assert _months_of(by_hand, GROUPS, "participant", **of) == [(n,) for n in counts]


def test_the_province_is_explained_to_the_person(by_hand: Warehouse) -> None:
    of = {"agency_code": "072", "scheme_code": "hi"}
    columns = ("agencies_sum", "own", "counted_again", "province")
    # 07203 counts in February, though it is not in force yet
    assert _months_of(by_hand, RECONCILIATION, *columns, **of) == [
        (3, 0, 0, 3), (4, 0, 1, 3), (4, 1, 2, 3), (4, 0, 1, 3), (4, 0, 1, 3), (2, 0, 1, 1),
    ]  # fmt: skip


def test_a_spell_counts_that_was_recorded_before_the_cutoff(
    servers: Servers, tmp_path: Path
) -> None:
    with new_warehouse(servers, tmp_path) as warehouse:
        with warehouse.world() as world:
            world.batch("2022-01-04", "2022-01-05T01:00")
            world.agency("072", parent=None, level=1)
            world.agency("07201")
            world.spell("before", "2021-12", None, recorded="2021-12-31T16:59:59.999999")
            world.spell("at", "2021-12", None, recorded="2021-12-31T17:00:00")
            world.spell("after", "2021-12", None, recorded="2021-12-31T17:00:00.000001")
        run_build(warehouse.settings, event_cutoff=instant("2021-12-31T17:00"), schema="scratch_c")
        found = warehouse.rows(
            f"select participant_count, joined_count from scratch_c.{PARTICIPATION} "
            "where agency_code = '07201' and scheme_code = 'hi' and month >= '2021-11-01' "
            "order by month"
        )
    assert found == [(0, 0), (1, 1), (1, 0)]


def _build(warehouse: Product, known_at: datetime, cutoff: datetime | None) -> None:
    """The marts under test with their data tests, as known at an instant."""
    variables = build_variables(load_registers(), known_at, cutoff)
    with connect(warehouse.settings) as conn:
        drop_foreign_keys(conn, SCHEMA)
    what = ("--select", *(f"+{mart}" for mart in MARTS), "--indirect-selection", "cautious")
    run_dbt(
        warehouse.settings,
        SCHEMA,
        variables,
        ("build", "--exclude-resource-type", "unit_test", *what),
    )


def _wrong(
    warehouse: Product,
    observations: list[Observation],
    known_at: datetime,
    cutoff: datetime | None,
    before: Before = month_before,
) -> tuple[list[str], int]:
    """What differs from the oracle, and how many figures were compared."""
    right = people(observations, known_at, cutoff, before=before)
    expected = zip(
        MARTS,
        (right.participation, right.groups, right.reconciliation),
        (PEOPLE_KEY, GROUP_KEY, PEOPLE_KEY),
        strict=True,
    )
    said: list[str] = []
    compared = 0
    for mart, figures, key in expected:
        said += differences(warehouse.rows(SCHEMA, mart), figures, key)
        compared += sum(len(row) for row in figures.values())
    return said, compared


def _two_months_before(month: date) -> date:
    """The naive twin: growth over the month before last."""
    return month_before(month_before(month))


@pytest.mark.proof
def test_every_person_counts_where_the_oracle_counts_them(
    running: SandboxServer, tmp_path: Path
) -> None:
    figures = sum(_compare_world(running, tmp_path / str(seed), seed) for seed in SEEDS)
    record("people and movements", worlds=len(SEEDS), figures=figures, differences=0)


def _compare_world(running: SandboxServer, folder: Path, seed: int) -> int:
    """Live through a world and compare three states of it; how many figures agreed."""
    with product(running, f"people_{seed}", folder) as warehouse:
        world = HostileWorld.create(
            warehouse.source_admin_url,
            warehouse.drop,
            seed,
            reader=SOURCE_LOGIN,
            plant_unknown=seed % 2 == 1,
        )
        for _ in world.nights:
            night = world.advance()
            done = extract_all(warehouse.settings, night.business_date)
            assert not [line for result in done for line in result.stopped]
        first, last = world.nights[0].clock, world.nights[-1].clock
        figures = 0
        for known_at, cutoff in ((first, None), (last, CUTOFF), (last, None)):
            _build(warehouse, known_at, cutoff)
            wrong, compared = _wrong(warehouse, world.observations, known_at, cutoff)
            assert not wrong, f"{seed} {known_at} {cutoff}\n" + "\n".join(wrong)
            figures += compared
        naive, _ = _wrong(warehouse, world.observations, last, None, _two_months_before)
        assert any("joined_count" in line for line in naive)
        return figures
