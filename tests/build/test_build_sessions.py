"""What a build leaves in the server: few sessions while it runs, and which of its tables last."""

from collections.abc import Iterator

import psycopg
import pytest

from chotso.build import run_build
from tests.worlds.build_warehouse import Servers, Warehouse, warehouse_of_one_payment

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

# Four threads of dbt, its first and last session, and ours
MOST_SESSIONS = 20
OPENED = "select sessions from pg_stat_database where datname = current_database()"
LEFT = "select count(*) from pg_stat_activity where application_name like 'chotso build %'"

PERSISTENCE = """
select distinct relnamespace::regnamespace::text, relpersistence::text from pg_class
where relkind = 'r' and relname ~ '^(dim|fct|rpt)_' and relnamespace <> 'pg_catalog'::regnamespace
"""


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse_of_one_payment(servers, tmp_path_factory.mktemp("home")) as made:
        yield made


def test_a_build_opens_few_sessions_and_leaves_none(warehouse: Warehouse) -> None:
    before = opened(warehouse)
    report = run_build(warehouse.settings)
    assert opened(warehouse) - before < MOST_SESSIONS < report.models + report.tests
    assert warehouse.rows(LEFT) == [(0,)]


def test_only_the_marts_that_people_read_outlive_a_crash(warehouse: Warehouse) -> None:
    """Readers get the nightly marts from `marts_store`; a scratch schema is read as it is."""
    run_build(warehouse.settings)
    run_build(warehouse.settings, schema="scratch_past")
    assert set(warehouse.rows(PERSISTENCE)) == {
        ("marts_build", "u"),
        ("marts_store", "p"),
        ("scratch_past", "p"),
    }


def opened(warehouse: Warehouse) -> int:
    with psycopg.connect(warehouse.admin_url) as admin:
        admin.execute("select pg_stat_force_next_flush()")
        row = admin.execute(OPENED).fetchone()
    assert row is not None
    return int(row[0])
