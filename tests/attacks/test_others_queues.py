"""Who waits for a lock holds up whoever comes after; and what comes in between while we wait."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.release import state
from chotso.warehouse import locks
from tests.attacks.roles import ATTACKERS, Attacker, made, session
from tests.attacks.sealed_world import SealedWorld, a_server
from tests.worlds import freeze_world
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse]

AGENCY = next(each for each in ATTACKERS if each.name == "agency_reader")
SCHEMA_OWNER = next(each for each in ATTACKERS if each.name == "schema_owner")
RULE = "create rule planted as on update to frozen.release do instead nothing"


@contextmanager
def waiting(world: SealedWorld, attacker: Attacker, statement: str) -> Iterator[list[str]]:
    """One reader looks at the releases, and the same person's other session asks for a lock."""
    told: list[str] = []

    def ask() -> None:
        try:
            with session(world.admin_url, attacker) as asking:
                asking.execute(statement.encode())
        except psycopg.Error as error:
            told.append(str(error))

    with session(world.admin_url, attacker) as reading, reading.transaction():
        reading.execute("select from frozen.release")
        thread = threading.Thread(target=ask)
        thread.start()
        _until(world.admin_url, "frozen.release", thread)
        try:
            yield told
        finally:
            thread.join()


def _until(admin_url: str, relation: str, thread: threading.Thread | None = None) -> None:
    """Until somebody waits for a lock of a relation; or the thread, if one is given, is done."""
    query = "select from pg_locks where relation = %s::regclass and not granted"
    with psycopg.connect(admin_url, autocommit=True) as conn:
        for _ in range(600):
            if conn.execute(query.encode(), [relation]).fetchone() is not None:
                return
            if thread is not None and not thread.is_alive():
                return
            time.sleep(0.05)
    raise AssertionError(f"nobody waited for {relation}")


@pytest.mark.parametrize("statement", [
    RULE,
    "create rule planted as on insert to frozen.attainment do instead nothing",
    "create trigger planted before insert on frozen.release for each row "
    "execute function suppress_redundant_updates_trigger()",
    "create temp table p (release_id text) partition by list (release_id); "
    "alter table p attach partition frozen.attainment for values in ('x')",
    "alter index frozen.release depends on extension plpgsql",
    "alter materialized view frozen.release depends on extension plpgsql",
    "alter trigger planted on frozen.release depends on extension plpgsql",
])  # fmt: skip
def test_who_only_reads_asks_for_no_lock_that_others_wait_behind(
    world: SealedWorld, statement: str
) -> None:
    world.admin.rollback()
    with made(world.admin, AGENCY), waiting(world, AGENCY, statement) as told:
        pass
    assert ["it would hold up others" in each for each in told] == [True]


def test_a_seal_ends_whoever_waits_in_its_way(world: SealedWorld) -> None:
    """The naive look is at locks that are held: it finds nobody, and goes on for ever."""
    world.admin.rollback()
    with made(world.admin, SCHEMA_OWNER):
        with waiting(world, SCHEMA_OWNER, RULE) as told, psycopg.connect(world.admin_url) as conn:
            conn.execute("set statement_timeout = '15s'")
            conn.execute("select frozen.make_way('1 s', '12 s')")
            conn.rollback()
        with locks.hold(world.admin, "migrate"):
            world.admin.execute("drop schema theirs")
            world.admin.commit()
    assert ["terminating connection" in each for each in told] == [True]


def test_nobody_s_prepared_delete_stops_the_register_of_late_changes(world: SealedWorld) -> None:
    """PREPARE takes the lock of a DELETE, and nobody is asked for a right to it."""
    world.admin.rollback()
    with (
        made(world.admin, AGENCY),
        session(world.admin_url, AGENCY) as reading,
        reading.transaction(),
        psycopg.connect(world.admin_url) as conn,
    ):
        reading.execute("prepare p as delete from frozen.late_run")
        conn.execute("set statement_timeout = '5s'")
        with pytest.raises(psycopg.errors.RaiseException, match="no sealed release"):
            conn.execute("select frozen.record_late('none', now(), now(), 'x', '[]')")
        conn.rollback()


@pytest.fixture(scope="module")
def races(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("races")
    with a_server() as (running, _), product(running, "races", folder) as made_product:
        yield made_product


LATER = {
    "ranking": "insert into sealing.ranking (participant_type, participant_code, rank_number) "
    "values ('agency', 'planted', 1)",
    "attainment": "insert into sealing.attainment (agency_code, month, metric_code, is_met) "
    "values ('07299', '2021-12-01', 'collection_total', true)",
    "file": "insert into sealing.file values ('data/planted.csv', 'x')",
}


@pytest.mark.parametrize("statement", LATER.values(), ids=LATER.keys())
def test_what_is_laid_down_while_the_seal_looks_is_not_sealed(
    races: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """The loader's other session stops the seal at a table of the build, which is the loader's."""
    settings = freeze_world.fresh(races, tmp_path / "releases")
    copy = state._copy_figures
    helpers: list[threading.Thread] = []

    def copied(conn: psycopg.Connection, spec: Any, path: Path) -> None:
        if not helpers:
            row = conn.execute("select target_schema from ops.freeze").fetchone()
            assert row is not None
            held = threading.Event()
            helpers.append(threading.Thread(target=add, args=[f"{row[0]}.dim_officer", held]))
            helpers[0].start()
            held.wait(30)
        copy(conn, spec, path)

    def add(relation: str, held: threading.Event) -> None:
        with freeze_world.connect(settings) as holding, freeze_world.connect(settings) as other:
            holding.execute(f"lock table {relation} in access exclusive mode".encode())
            held.set()
            _until(races.admin_url, relation)
            other.execute(statement.encode())
            other.commit()

    monkeypatch.setattr(state, "_copy_figures", copied)
    try:
        with pytest.raises(psycopg.errors.RaiseException, match="not those that were checked"):
            freeze_world.seal(settings)
    finally:
        helpers[0].join()
        with freeze_world.past_the_guards(settings) as conn, suppress(psycopg.Error):
            conn.execute("truncate sealing.file, sealing.ranking, sealing.attainment")
    assert freeze_world.count(settings, "select count(*) from frozen.release") == 0
