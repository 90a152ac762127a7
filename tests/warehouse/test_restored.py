"""A warehouse that came back from a backup: what was lost is found, told and put back."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.release.seal.freeze import freeze
from chotso.release.seal.readiness import freeze_obstacles, obstacles
from chotso.sandbox import place
from chotso.sandbox.account import account_for
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.status import status_of
from chotso.warehouse import rights
from chotso.warehouse.connect import connect
from tests.worlds import freeze_world as world
from tests.worlds.freeze_world import PARTS, PERIODS, seal
from tests.worlds.own_server import own_server
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

SPRINT, PLAN = PERIODS


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Path, SandboxServer]]:
    with own_server() as (made, home):
        yield home, made


@pytest.fixture(scope="module")
def made(
    running: tuple[Path, SandboxServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """A warehouse with a sealed release."""
    with product(running[1], "restored", tmp_path_factory.mktemp("restored")) as made:
        world.prepare(made.settings, made.source_admin_url)
        seal(made.settings)
        yield made


def program(home: Path, running: SandboxServer, name: str, *arguments: str) -> str:
    """One of the server's own client programs; its words on stderr."""
    programs = place.programs(home.resolve(), account_for(home.resolve(), running.data_dir))
    done = subprocess.run(
        [str(programs / name), *arguments], capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, timeout=300,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stderr


def of_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def restored(
    running: tuple[Path, SandboxServer], made: Product, folder: Path, name: str, *options: str
) -> Settings:
    """The warehouse dumped and restored into an empty database of that name."""
    dump = folder / f"{name}.dump"
    program(*running, "pg_dump", "--format=custom", f"--file={dump}", made.admin_url)
    with psycopg.connect(made.admin_url, autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
    into = of_database(made.admin_url, name)
    program(*running, "pg_restore", *options, f"--dbname={into}", str(dump))
    return made.settings.model_copy(
        update={
            "warehouse_url": of_database(made.settings.warehouse_url, name),
            "admin_url": into,
            "releases_dir": folder / "releases",
        }
    )


def found(settings: Settings) -> list[str]:
    with connect(settings) as conn:
        return [str(each) for each in obstacles(settings, conn)]


def test_nothing_stands_in_the_way_of_a_sound_warehouse(made: Product) -> None:
    assert found(made.settings) == []
    assert status_of(made.settings).freeze_obstacles == []
    again = migrate(made.settings)
    assert (again.applied, again.rights_put_back, again.warnings) == ([], 0, [])


@pytest.mark.parametrize("options", [(), ("--no-acl", "--no-owner")], ids=["whole", "bare"])
def test_a_restored_warehouse_says_what_it_lacks_and_migrate_puts_it_back(
    running: tuple[Path, SandboxServer], made: Product, tmp_path: Path, options: tuple[str, ...]
) -> None:
    name = "bare_copy" if options else "whole_copy"
    settings = restored(running, made, tmp_path, name, *options)
    told = freeze_obstacles(settings)
    assert told, "rights on the database itself are in no dump"
    assert "chotso migrate" in told[0]
    with pytest.raises((ChotsoError, psycopg.Error)):  # the naive way: freeze at once
        freeze(settings, PLAN, parts=PARTS)
    assert migrate(settings).warnings == []
    assert found(settings) == []
    assert freeze(settings, PLAN, parts=PARTS).release_id == PLAN
    with psycopg.connect(settings.admin_url or "") as admin:
        everybody = admin.execute(
            "select has_function_privilege('public', 'frozen.seal(text, timestamptz)', 'execute')"
        ).fetchone()
    assert everybody == (False,)


# One of each kind of right that a freeze needs, taken away alone.
TAKEN = {
    "temporary tables": "revoke temporary on database {database} from chotso_loader, public",
    "the seal": "revoke execute on function frozen.seal from chotso_loader",
    "the checks": "revoke execute on function ops.freeze_checks from chotso_loader",
    "the checker's role": "revoke chotso_loader from chotso_checker",
    "the checker's schema": "revoke usage on schema ops from chotso_checker",
    "the checker's function": "alter function ops.built_figures owner to chotso_owner",
    "a ledger's table": "revoke insert on ops.freeze from chotso_loader",
    "what is laid down": "revoke insert on sealing.file from chotso_loader",
    "what was sealed": "revoke select on frozen.release from chotso_loader",
    "a schema": "revoke usage on schema frozen from chotso_loader",
    "a table's owner": "alter table sealing.file owner to chotso_auditor",
    "later tables": "alter default privileges for role chotso_owner in schema ops "
    "revoke select on tables from chotso_auditor",
    "a function too open": "grant execute on function frozen.seal to public",
    "a function gone": "drop function ops.freeze_unmet(text)",
}
LOCKED = "select pg_advisory_lock(hashtextextended('chotso/migrate', 0))"


@pytest.mark.parametrize("statement", TAKEN.values(), ids=TAKEN.keys())
def test_each_right_taken_away_is_told_and_put_back(made: Product, statement: str) -> None:
    with psycopg.connect(made.admin_url, autocommit=True) as admin:
        admin.execute(LOCKED.encode())
        admin.execute(statement.format(database=admin.info.dbname).encode())
    told = freeze_obstacles(made.settings)
    assert told, "the naive look at the roles alone sees nothing"
    for each in told:
        assert each.startswith("the freeze would fail: ")
        assert "chotso migrate" in each
    migrate(made.settings)
    assert freeze_obstacles(made.settings) == []


def test_files_and_registers_are_looked_for_too(
    made: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = made.settings
    file = tmp_path / "file"
    file.write_bytes(b"")
    blocked = settings.model_copy(update={"releases_dir": file / "releases"})
    (told,) = found(blocked)
    assert "cannot be written" in told
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    (told,) = found(settings.model_copy(update={"pseudonym_key_file": key, "embedded": False}))
    assert "chmod 600" in told
    monkeypatch.setattr("chotso.release.seal.readiness.ENOUGH_BYTES", 1 << 60)
    assert {each.rpartition("Next: ")[2] for each in found(settings)} == {"make room."}


def test_a_foreign_schema_in_the_freezes_place_is_told(made: Product) -> None:
    with psycopg.connect(made.admin_url, autocommit=True) as admin:
        admin.execute("create schema freeze_plan_2021_m09_12")
        try:
            (told,) = found(made.settings)
        finally:
            admin.execute("drop schema freeze_plan_2021_m09_12")
    assert "was not made by a build" in told


def test_what_a_hand_gave_is_not_put_back(made: Product) -> None:
    """Only an upgrade writes rights down: a right that somebody gave stays revocable."""
    with psycopg.connect(made.admin_url, autocommit=True) as admin:
        admin.execute("grant insert on ops.batch to chotso_auditor")
        migrate(made.settings)
        admin.execute("revoke insert on ops.batch from chotso_auditor")
        migrate(made.settings)
        row = admin.execute(
            "select has_table_privilege('chotso_auditor', 'ops.batch', 'insert')"
        ).fetchone()
        assert rights.wrong(admin) == []
    assert row == (False,)


def test_a_warehouse_from_before_a_seal_does_not_seal_again(
    running: tuple[Path, SandboxServer], made: Product, tmp_path: Path
) -> None:
    """Its seal would have another root than the signed page, and the bundle would go aside."""
    with product(running[1], "older", tmp_path) as older:
        world.prepare(older.settings, older.source_admin_url)
        bundle = older.settings.releases_dir / SPRINT
        shutil.copytree(made.settings.releases_dir / SPRINT, bundle)
        signed = (bundle / "manifest.json").read_bytes()
        with pytest.raises(ChotsoError, match="the warehouse is older than it"):
            seal(older.settings)
        assert (bundle / "manifest.json").read_bytes() == signed
        os.rename(bundle, tmp_path / "moved-away")
        assert seal(older.settings).already_sealed is False


def test_a_base_backup_of_the_embedded_server_is_whole(
    running: tuple[Path, SandboxServer], tmp_path: Path
) -> None:
    """Every file in the data directory is the server's own, also where root started it."""
    home, embedded = running
    owners = {path.stat().st_uid for path in [embedded.data_dir, *embedded.data_dir.rglob("*")]}
    assert owners == {embedded.data_dir.stat().st_uid}
    (embedded.data_dir / place.MARKER).chmod(0o600)
    said = program(
        home, embedded, "pg_basebackup", "--wal-method=fetch", "--checkpoint=fast", "--format=tar",
        f"--pgdata={tmp_path / 'base'}", f"--dbname={embedded.admin_url}",
    )  # fmt: skip
    assert said == ""
    assert (tmp_path / "base" / "base.tar").stat().st_size > 10_000_000
