"""What a build refuses, what it keeps on record, and which configuration it uses."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from chotso.build import run_build
from chotso.errors import ChotsoError
from chotso.registers import load_registers
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse
from tests.worlds.build_world import instant

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

FIRST, SECOND = instant("2022-01-01T01:00"), instant("2022-01-02T01:00")
TICK = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Two nights are known; one nightly build is exposed."""
    with new_warehouse(servers, tmp_path_factory.mktemp("home")) as made:
        with made.world() as world:
            world.batch("2021-12-31", "2022-01-01T01:00")
            world.agency("072", parent=None, level=1)
            world.agency("07201")
            world.employer("TA0001A")
            world.payment("one", "2021-12-31T10:00", ("BHYT", 10, 0))
            world.batch("2022-01-01", "2022-01-02T01:00", status="blocked")
            world.batch("2022-01-01", "2022-01-02T01:00")
        report = run_build(made.settings)
        assert (report.exposed, report.schema, report.as_known_at) == (True, "marts_build", SECOND)
        assert report.models >= 40
        assert report.tests >= 30
        yield made


def test_a_build_keeps_its_instants_and_configuration_by_hash(warehouse: Warehouse) -> None:
    registers = load_registers()
    rows = warehouse.rows(
        "select status, business_date::text, as_known_at, event_cutoff, target_schema, "
        "config_sha256, config, build.exposed_at is not null, generation = build_id "
        "from ops.build cross join ops.exposed where build.exposed_at is not null"
    )
    assert rows == [
        ("exposed", "2022-01-01", SECOND, None, "marts_build", registers.sha256,
         registers.configuration, True, True),
    ]  # fmt: skip
    assert set(registers.configuration) >= {"periods", "measures", "metrics"}


def test_the_password_is_in_no_file_that_dbt_wrote(warehouse: Warehouse) -> None:
    password = conninfo_to_dict(warehouse.settings.warehouse_url)["password"]
    written = [path for path in warehouse.settings.home.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert [p for p in written if str(password).encode() in p.read_bytes()] == []


def test_an_instant_outside_what_is_known_is_refused(warehouse: Warehouse) -> None:
    for outside in (FIRST - TICK, SECOND + TICK):
        with pytest.raises(ChotsoError, match="outside what the warehouse knows"):
            run_build(warehouse.settings, as_known_at=outside, schema="scratch_a")
    with pytest.raises(ChotsoError, match="no time zone"):
        run_build(warehouse.settings, as_known_at=FIRST.replace(tzinfo=None), schema="scratch_a")
    with pytest.raises(ChotsoError, match="cannot be shown to readers"):
        run_build(warehouse.settings, event_cutoff=FIRST)
    assert warehouse.rows("select count(*) from pg_namespace where nspname = 'scratch_a'") == [(0,)]


@pytest.mark.parametrize(
    "name", ["raw", "ops", "marts", "marts_build", "marts_store", "public", "pg_mine", "Raw", "a-b"]
)
def test_the_warehouses_own_schemas_are_no_scratch(warehouse: Warehouse, name: str) -> None:
    with pytest.raises(ChotsoError, match="cannot be a scratch schema"):
        run_build(warehouse.settings, schema=name)


def test_a_schema_that_somebody_else_made_is_left_alone(warehouse: Warehouse) -> None:
    with warehouse.world() as world:
        world.admin.execute("create schema somebodys authorization chotso_loader")
        world.admin.execute("create table somebodys.dim_agency as select 1 as precious")
    with pytest.raises(ChotsoError, match="was not made by"):
        run_build(warehouse.settings, schema="somebodys")
    assert warehouse.rows("select precious from somebodys.dim_agency") == [(1,)]


def test_a_past_build_uses_the_configuration_of_its_time(warehouse: Warehouse) -> None:
    """The exposed build said another official variant; only `config='current'` overrides it."""
    then = json.loads(json.dumps(load_registers().configuration))
    then["measures"]["official_arrears_variant"][0]["value"] = "interest_bearing_plan"
    with warehouse.world() as world:
        world.admin.execute(
            "update ops.build set config = %s, as_known_at = %s where exposed_at is not null",
            [json.dumps(then), FIRST],
        )
    official = "select distinct official_variant_code from scratch_b.dim_month"
    run_build(warehouse.settings, as_known_at=FIRST, schema="scratch_b")
    assert warehouse.rows(official) == [("interest_bearing_plan",)]
    run_build(warehouse.settings, as_known_at=FIRST, schema="scratch_b", config="current")
    assert warehouse.rows(official) == [("total_receivable",)]
    assert warehouse.rows("select count(*) from ops.exposed where generation = 1") == [(1,)]


def test_nothing_published_is_refused_with_the_next_step(servers: Servers, tmp_path: Path) -> None:
    with (
        new_warehouse(servers, tmp_path) as empty,
        pytest.raises(ChotsoError, match="chotso nightly"),
    ):
        run_build(empty.settings)


def test_a_failed_build_names_the_model_and_readers_keep_what_they_see(
    warehouse: Warehouse,
) -> None:
    """Last: it breaks raw. Two versions in force of one document make its lines count twice."""
    shown = "select sum(principal_vnd), min(generation) from marts.fct_contribution, ops.exposed"
    before = warehouse.rows(shown)
    with warehouse.world() as world:
        world.known = SECOND
        world.admin.execute("drop index raw.payments_so_chung_tu_idx")
        world.payment("one", "2021-12-31T10:00", agency="07201")
    with pytest.raises(ChotsoError, match=r"fct_contribution|stg_payments") as failure:
        run_build(warehouse.settings)
    assert "dbt.log" in failure.value.next_step
    assert warehouse.rows(shown) == before
    (row,) = warehouse.rows("select status, reason from ops.build order by build_id desc limit 1")
    assert row[0] == "failed"
    assert "fct_contribution" in str(row[1]) or "stg_payments" in str(row[1])
