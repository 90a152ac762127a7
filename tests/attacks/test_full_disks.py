"""Whoever may connect writes nothing that fills the server's disk, and cannot change its limits."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from chotso.migrate import migrate
from chotso.warehouse import safety
from chotso.warehouse.connect import connect
from tests.attacks.planted_names import READER, under
from tests.worlds.build_warehouse import Warehouse

pytestmark = [pytest.mark.warehouse]

# logins as docs/security.md has them made, and one that was given nothing
GROUPS = {
    "fills_nothing": None,
    READER: "chotso_reader",
    "fills_agency": "chotso_agency_reader",
    "fills_auditor": "chotso_auditor",
    "fills_certifier": "chotso_certifier",
}


@pytest.fixture(scope="module")
def logins(warehouse: Warehouse) -> Iterator[Warehouse]:
    made = [name for name in GROUPS if name != READER]
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        for name in made:
            group = f"in role {GROUPS[name]}" if GROUPS[name] else ""
            admin.execute(f"create role {name} login password 'x' {group}".encode())
    migrate(warehouse.settings)
    yield warehouse
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        for name in made:
            admin.execute(f"drop role {name}".encode())


WRITES = (
    "create temp table planted as select 1",
    "create temp view planted as select 1",
    "select pg_catalog.lo_creat(-1)",
    "select pg_catalog.lo_create(0)",
    "select pg_catalog.lo_from_bytea(0, 'x')",
    "select pg_catalog.lo_put(1, 0, 'x')",
    "select pg_catalog.lowrite(0, 'x')",
    "select pg_catalog.lo_truncate64(0, 1000000000)",
    "select pg_catalog.pg_logical_emit_message(false, 'x', 'x')",
)


@pytest.mark.parametrize("login", GROUPS)
def test_nothing_is_written_without_a_right_to_an_object(logins: Warehouse, login: str) -> None:
    with psycopg.connect(under(logins, login), autocommit=True) as conn:
        for statement in WRITES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
                conn.execute(statement.encode())


@pytest.mark.parametrize("login", GROUPS)
def test_temporary_files_have_a_limit_that_is_not_the_login_s_to_change(
    logins: Warehouse, login: str
) -> None:
    with psycopg.connect(under(logins, login), autocommit=True) as conn:
        assert conn.execute("show temp_file_limit").fetchone() == ("2GB",)
        here = f"alter role {login} in database {conn.info.dbname}"
        for statement in (
            "set temp_file_limit = -1",
            "select set_config('temp_file_limit', '-1', false)",
            f"alter role {login} set temp_file_limit = -1",
            f"{here} set temp_file_limit = -1",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement.encode())
    with connect(logins.settings) as conn:
        assert conn.execute("show temp_file_limit").fetchone() == ("-1",)
    with psycopg.connect(logins.admin_url) as conn:
        assert conn.execute("show temp_file_limit").fetchone() == ("-1",)


SPILLS = "select count(*) from (select i from generate_series(1, 1000000) as i order by -i) as t"


@contextmanager
def chosen(logins: Warehouse, setting: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(logins.admin_url, autocommit=True) as admin:
        here = f"alter role {READER} in database {admin.info.dbname}"
        admin.execute(f"{here} set {setting}".encode())
        try:
            yield admin
        finally:
            admin.execute(f"{here} reset {setting.split()[0]}".encode())


def test_a_limit_that_an_office_has_chosen_stays_and_holds(logins: Warehouse) -> None:
    with chosen(logins, "temp_file_limit = '1MB'"):
        migrate(logins.settings)
        with psycopg.connect(under(logins, READER), autocommit=True) as conn:
            conn.execute("set work_mem = '64kB'")
            with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match="temp_file_limit"):
                conn.execute(SPILLS)


@pytest.mark.parametrize(
    "statement",
    [
        "alter database {here} reset temp_file_limit",
        "grant execute on function pg_catalog.lo_create(oid) to public",
    ],
)
def test_a_server_that_lets_anybody_fill_its_disk_is_told_of_and_mended(
    logins: Warehouse, statement: str
) -> None:
    with psycopg.connect(logins.admin_url, autocommit=True) as admin:
        admin.execute(statement.replace("{here}", admin.info.dbname).encode())
    with connect(logins.settings) as conn:
        assert any("could fill the disk" in said for said in safety.warnings(conn))
    assert not any("could fill the disk" in said for said in migrate(logins.settings).warnings)
