"""What whoever can connect may take: locks, connections, and what an owner sets for a database."""

from contextlib import ExitStack

import psycopg
import pytest

from chotso.build.scratch import claim_scratch_schema
from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.warehouse import locks, safety
from chotso.warehouse.connect import connect
from tests.attacks.planted_names import READER, under
from tests.worlds.build_warehouse import Warehouse

pytestmark = [pytest.mark.warehouse]


def test_nobody_else_s_advisory_lock_stops_us(warehouse: Warehouse) -> None:
    with psycopg.connect(under(warehouse, READER)) as reader:
        for call in ("lock(1)", "lock_shared(1)", "xact_lock(1)", "lock(1, 1)", "unlock_all()"):
            for prefix in ("pg_advisory_", "pg_try_advisory_"):
                with pytest.raises(psycopg.Error, match=r"permission denied|does not exist"):
                    reader.execute(f"select pg_catalog.{prefix}{call}".encode())
                reader.rollback()
    with (
        connect(warehouse.settings) as conn,
        connect(warehouse.settings) as other,
        locks.hold(conn, "freeze", wait_seconds=0),
        pytest.raises(ChotsoError, match="chotso: freeze"),
    ):
        locks.hold(other, "freeze", wait_seconds=0).__enter__()
    free = warehouse.rows(
        "select oid::regprocedure::text from pg_proc where proname ~ '^pg_.*advisory' "
        "and pronamespace = 'pg_catalog'::regnamespace "
        "and has_function_privilege('public', oid, 'execute')"
    )
    assert free == []


def test_readers_take_neither_the_last_connections_nor_all_of_one_login(
    warehouse: Warehouse,
) -> None:
    with ExitStack() as taken:
        for _ in range(20):
            taken.enter_context(psycopg.connect(under(warehouse, READER)))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(under(warehouse, READER))


def test_whoever_takes_all_connections_leaves_the_product_s(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin, ExitStack() as taken:
        if warehouse.rows("show server_version_num")[0][0] < "160000":  # type: ignore[operator]
            pytest.skip("PostgreSQL 15 keeps connections for superusers alone")
        kept = warehouse.rows("show reserved_connections")[0][0]
        assert kept == "40", "the server keeps no connections"
        admin.execute("create role attacked_nobody login password 'x'")
        taken.callback(admin.execute, "drop role attacked_nobody")
        refused = ""
        while not refused:
            try:
                conn = psycopg.connect(under(warehouse, "attacked_nobody"))
                taken.callback(conn.close)
            except psycopg.OperationalError as error:
                refused = str(error)
        assert "reserved" in refused
        with connect(warehouse.settings) as conn:
            conn.execute("select 1")


@pytest.mark.parametrize(
    "setting",
    ["standard_conforming_strings = off", "default_transaction_read_only = on",
     "statement_timeout = '1ms'", "search_path = postgres"],
)  # fmt: skip
def test_what_an_owner_sets_for_the_database_stops_no_migration(
    warehouse: Warehouse, setting: str
) -> None:
    with psycopg.connect(warehouse.settings.warehouse_url, autocommit=True) as owner:
        name = owner.info.dbname
        owner.execute(f"alter database {name} set {setting}".encode())
    try:
        migrate(warehouse.settings)
    finally:
        with psycopg.connect(warehouse.admin_url, options="-c statement_timeout=0") as admin:
            admin.read_only = False
            admin.execute(f"alter database {name} reset {setting.split()[0]}".encode())
            admin.commit()


def test_an_office_s_own_limits_stay(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        admin.execute(f"alter role {READER} connection limit 33")
        here = f"alter role {READER} in database {admin.info.dbname}"
        admin.execute(f"{here} set statement_timeout = '7min'".encode())
        migrate(warehouse.settings)
        assert admin.execute(
            "select rolconnlimit from pg_roles where rolname = %s", [READER]
        ).fetchone() == (33,)
        with psycopg.connect(under(warehouse, READER)) as conn:
            assert conn.execute("show statement_timeout").fetchone() == ("7min",)
            assert conn.execute("show idle_in_transaction_session_timeout").fetchone() == ("15min",)
        admin.execute(f"alter role {READER} connection limit 20")


def test_a_right_that_a_restore_lost_is_said_and_comes_back(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        admin.execute(f"revoke create on database {admin.info.dbname} from chotso_keeper".encode())
    with connect(warehouse.settings) as conn:
        assert any("a freeze would fail" in line for line in safety.warnings(conn))
        with pytest.raises(ChotsoError, match="may not make the schema scratch_8"):
            claim_scratch_schema(conn, "scratch_8")
    assert migrate(warehouse.settings).warnings == []
    with connect(warehouse.settings) as conn:
        claim_scratch_schema(conn, "scratch_8")
        conn.execute("select ops.drop_scratch_schema('scratch_8')")
