"""What no right and no trigger stops is found: what readers see is held against the bundle."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.release.check.database import verify_with_database
from chotso.release.seal.freeze import FreezeReport
from chotso.sandbox import place, server
from chotso.sandbox.account import account_for, run_as
from chotso.settings import Settings
from chotso.status import status_of
from chotso.warehouse.connect import connect
from tests.attacks.sealed_world import SealedWorld, sealed_world
from tests.faults.cloning import on
from tests.worlds.forger import forge

pytestmark = [pytest.mark.warehouse]

# sealed_world writes a certification by hand, as a superuser: no file of the bundle has it.
MADE_UP = {"frozen.certification"}
COLLECTED, FORGED = 4_500_000_000_000, 5_400_000_000_000


def differing(settings: Settings, report: FreezeReport) -> set[str]:
    """The relations in which readers see other than the bundle, whose files must be sound."""
    result = verify_with_database(settings, report.bundle, report.root_sha256)
    assert {finding.code for finding in result.findings} <= {"database"}
    return {finding.path for finding in result.findings}


def test_what_was_sealed_is_what_readers_see(world: SealedWorld) -> None:
    assert differing(world.settings, world.report) == MADE_UP


FORGERIES = {
    "a figure": "update frozen.attainment set actual_to_date = actual_to_date + 1 "
    "where metric_code = 'collection_total' and agency_code = '07201'",
    "all figures": f"update frozen.attainment set actual_to_date = {FORGED} "
    f"where actual_to_date = {COLLECTED}",
    "a name": "update frozen.attainment set agency_name = agency_name || ' ' "
    "where agency_code = '07201'",
    "a row less": "delete from frozen.attainment where agency_code = '07201' "
    "and metric_code = 'collection_total'",
    "all rows": "truncate frozen.attainment",
}


@pytest.mark.parametrize("statement", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_superuser_s_edit_is_found(world: SealedWorld, statement: str) -> None:
    forge(world.settings, "create table public.kept as table frozen.attainment", statement)
    try:
        with connect(world.settings):
            pass  # the guards stand again: the login sees nothing wrong
        assert differing(world.settings, world.report) == {"frozen.attainment", *MADE_UP}
    finally:
        forge(
            world.settings,
            "truncate frozen.attainment",
            "insert into frozen.attainment table public.kept",
            "drop table public.kept",
        )
    assert differing(world.settings, world.report) == MADE_UP


def test_a_restored_dump_that_was_edited_is_found(world: SealedWorld, tmp_path: Path) -> None:
    if world.home is None:
        pytest.skip("the programs at hand are those of the embedded PostgreSQL")
    running = server.load(world.home)
    assert running is not None
    programs = place.programs(world.home, account_for(world.home, running.data_dir))
    dump = tmp_path / "dump.sql"
    _run([programs / "pg_dump", "--dbname", world.admin_url, "--file", dump])
    text = dump.read_text("utf-8")
    head, rows, rest = re.split(
        r"(?s)(?<=\n)(COPY frozen\.attainment .*?\n\\\.\n)", text, maxsplit=1
    )
    assert rows.count(f"\t{COLLECTED}\t") > 0
    dump.write_text(head + rows.replace(f"\t{COLLECTED}\t", f"\t{FORGED}\t") + rest, "utf-8")
    name = "warehouse_restored"
    world.admin.rollback()
    with psycopg.connect(world.admin_url, autocommit=True) as admin:
        admin.execute(f"create database {name}".encode())
        try:
            restored = on(world.admin_url, name)
            _run([programs / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", dump, restored])
            settings = world.settings.model_copy(
                update={"warehouse_url": on(world.settings.warehouse_url, name)}
            )
            with connect(settings):
                pass  # the guards came with the dump
            assert differing(settings, world.report) == {"frozen.attainment", *MADE_UP}
        finally:
            admin.execute(f"drop database if exists {name} with (force)".encode())


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def own_world() -> Iterator[SealedWorld]:
    if "CHOTSO_TEST_POSTGRES_URL" in os.environ:
        pytest.skip("the pages edited are those of the embedded PostgreSQL")
    with sealed_world() as world:
        yield world


def test_a_page_edited_while_the_server_is_down_is_found(own_world: SealedWorld) -> None:
    """PostgreSQL finds it by itself only until the checksums are made anew."""
    world = own_world
    assert world.home is not None
    row = world.admin.execute("select pg_relation_filepath('frozen.attainment')").fetchone()
    assert row is not None
    world.admin.close()
    running = server.load(world.home)
    assert running is not None
    server.stop(world.home)
    page = running.data_dir / row[0]
    before = page.read_bytes()
    after = before.replace(_digits(COLLECTED), _digits(FORGED))
    assert after != before
    page.write_bytes(after)
    server.start(world.home)
    with pytest.raises(psycopg.errors.DataCorrupted, match="invalid page"):
        differing(world.settings, world.report)
    server.stop(world.home)
    account = account_for(world.home, running.data_dir)
    program = str(place.programs(world.home, account) / "pg_checksums")
    for verb in ("--disable", "--enable"):
        done = run_as(account, [program, verb, "-D", str(running.data_dir)])
        assert done.returncode == 0, done.stderr
        server.start(world.home)
        warned = [one for one in status_of(world.settings).warnings if "checksums are off" in one]
        assert bool(warned) == (verb == "--disable")
        server.stop(world.home)
    server.start(world.home)
    with connect(world.settings) as conn:  # guards and checksums: all is well, it seems
        assert conn.execute("show data_checksums").fetchone() == ("on",)
    assert differing(world.settings, world.report) == {"frozen.attainment", *MADE_UP}


def _digits(number: int) -> bytes:
    """The digits of a numeric as PostgreSQL keeps them: to base 10 000, without trailing zeros."""
    digits: list[int] = []
    while number:
        number, digit = divmod(number, 10_000)
        if digit or digits:
            digits.append(digit)
    return b"".join(digit.to_bytes(2, "little") for digit in reversed(digits))
