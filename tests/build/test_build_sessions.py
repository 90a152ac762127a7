"""dbt's threads keep their sessions between models; at the end none is left."""

from collections.abc import Iterator

import psycopg
import pytest

from chotso.build import run_build
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

# Four threads of dbt, its first and last session, and ours
MOST_SESSIONS = 20
OPENED = "select sessions from pg_stat_database where datname = current_database()"
LEFT = "select count(*) from pg_stat_activity where application_name like 'chotso build %'"


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with new_warehouse(servers, tmp_path_factory.mktemp("home")) as made:
        with made.world() as world:
            world.batch("2021-12-31", "2022-01-01T01:00")
            world.agency("072", parent=None, level=1)
            world.agency("07201")
        yield made


def test_a_build_opens_few_sessions_and_leaves_none(warehouse: Warehouse) -> None:
    before = opened(warehouse)
    report = run_build(warehouse.settings)
    assert opened(warehouse) - before < MOST_SESSIONS < report.models + report.tests
    assert warehouse.rows(LEFT) == [(0,)]


def opened(warehouse: Warehouse) -> int:
    with psycopg.connect(warehouse.admin_url) as admin:
        admin.execute("select pg_stat_force_next_flush()")
        row = admin.execute(OPENED).fetchone()
    assert row is not None
    return int(row[0])
