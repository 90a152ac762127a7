"""A copied database is what a migration makes: the tests of the warehouse rest on it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.migrate import migrate
from chotso.sandbox.server import SandboxServer
from tests.worlds import migrated
from tests.worlds.product import Product, product

pytestmark = pytest.mark.warehouse

# Rights and settings by role, objects by name and text; nothing that carries the database's name.
_DATABASE = "(select oid from pg_database where datname = current_database())"
SEEN = {
    "rights": "select * from guard.found_rights()",
    "rights of the database": "select pg_get_userbyid(grantee), privilege_type "
    f"from pg_database, aclexplode(datacl) where pg_database.oid = {_DATABASE}",
    "settings": "select coalesce(rolname, ''), setconfig from pg_db_role_setting "
    f"left join pg_roles on pg_roles.oid = setrole where setdatabase = {_DATABASE}",
    "functions": "select oid::regprocedure::text, pg_get_functiondef(oid), proacl::text "
    "from pg_proc where prokind in ('f', 'p') and oid >= 16384",
    "relations": "select oid::regclass::text, relkind, relacl::text from pg_class "
    "where oid >= 16384 and relnamespace <> 'pg_toast'::regnamespace",
    "triggers": "select tgrelid::regclass::text, tgname, tgenabled from pg_trigger "
    "where not tgisinternal",
    "event triggers": "select evtname, evtenabled, evttags from pg_event_trigger",
    "scripts": "select name, sha256 from chotso_migrations.script",
}


@pytest.fixture
def copied(running: SandboxServer, tmp_path: Path) -> Iterator[Product]:
    with product(running, "copied", tmp_path / "copied") as made:
        yield made


@pytest.fixture
def made(
    running: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Product]:
    monkeypatch.setattr(migrated, "_COPIED_ON", {})
    with product(running, "made", tmp_path / "made") as fresh:
        yield fresh


def seen(warehouse: Product) -> dict[str, set[str]]:
    with psycopg.connect(warehouse.admin_url) as conn:
        return {what: set(map(str, conn.execute(query.encode()))) for what, query in SEEN.items()}


def test_a_copy_is_what_a_migration_makes(copied: Product, made: Product) -> None:
    assert seen(copied) == seen(made)
    assert all(seen(made).values())


def test_a_migration_of_a_copy_changes_nothing(copied: Product) -> None:
    before = seen(copied)
    report = migrate(copied.settings)
    assert (report.applied, report.tables, report.rights_put_back) == ([], [], 0)
    assert seen(copied) == before


def test_the_naive_copy_lacks_what_belongs_to_a_database(
    running: SandboxServer, tmp_path: Path, made: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrated, "_RIGHTS", "select")
    monkeypatch.setattr(migrated, "_COPIED_ON", {migrated._place(running.admin_url): False})
    monkeypatch.setattr(migrated, "_TEMPLATE", "migrated_for_the_twin")
    with product(running, "naive", tmp_path / "naive") as naive:
        assert seen(naive)["rights of the database"] != seen(made)["rights of the database"]
