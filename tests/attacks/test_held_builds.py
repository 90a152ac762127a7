"""Whoever may only connect or read leaves a transaction open: a build goes on by itself."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from chotso import waits
from chotso.build.expose import expose
from chotso.warehouse.connect import connect
from tests.attacks.roles import ATTACKERS, Attacker, made, session
from tests.attacks.sealed_world import SealedWorld

pytestmark = [pytest.mark.warehouse]

BY_NAME = {each.name: each for each in ATTACKERS}
BACKUP = Attacker("backup", ("grant pg_read_all_data to {me}",))
# a staging view and what reads it, as dbt makes them
VIEWS = """
create view marts_build.stg_held as select 1 as one;
create view marts_build.int_held as select one from marts_build.stg_held;
"""
# no right in the schema is asked for, and the lock stays until the transaction ends
LOOK = "select pg_get_viewdef(oid) from pg_class where relname = 'int_held'"
DROP = "drop view marts_build.int_held, marts_build.stg_held"


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch, world: SealedWorld) -> None:
    monkeypatch.setattr(waits, "_FIRST_LOOK_S", 0.2)
    monkeypatch.setattr(waits, "_BETWEEN_LOOKS_S", 0.2)
    world.admin.rollback()


@contextmanager
def holding(
    world: SealedWorld, attacker: Attacker, look: str = LOOK
) -> Iterator[psycopg.Connection]:
    """The attacker's session, in a transaction that has looked and does nothing more."""
    with made(world.admin, attacker), session(world.admin_url, attacker) as held:
        held.execute("set statement_timeout = 0")
        held.execute("set idle_in_transaction_session_timeout = 0")
        held.execute("set application_name = 'bi'")
        held.execute("begin")
        held.execute(look.encode())
        yield held


@contextmanager
def views(world: SealedWorld) -> Iterator[None]:
    with connect(world.settings) as conn:
        conn.execute(VIEWS)
    try:
        yield
    finally:
        with connect(world.settings) as conn:
            conn.execute("drop view if exists marts_build.int_held, marts_build.stg_held")


def ended(held: psycopg.Connection) -> bool:
    try:
        held.execute("select 1")
    except psycopg.OperationalError:
        return True
    return False


@pytest.mark.parametrize("name", ["nobody", "agency_reader"])
def test_a_build_goes_on_past_a_reader_that_looked_at_a_view(
    world: SealedWorld, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with (
        views(world),
        holding(world, BY_NAME[name]) as held,
        caplog.at_level(logging.WARNING),
        connect(world.settings) as conn,
    ):
        conn.execute("set statement_timeout = '25s'")  # or it would wait for ten minutes
        pid = held.info.backend_pid
        conn.execute(DROP)
        assert ended(held)
    assert f"ended the session of a reader that we waited for in the warehouse: bi (pid {pid}" in (
        caplog.text
    )
    assert ", idle since 20" in caplog.text
    recorded = world.admin.execute(
        "select login, application_name, idle_since is not null, waited > '10 s' "
        "from ops.ended_session where pid = %s order by ended_id desc limit 1",
        [pid],
    ).fetchone()
    assert recorded == (BY_NAME[name].login, "bi", True, True)


def test_a_night_that_changes_a_mart_goes_on_past_a_reader_of_it(world: SealedWorld) -> None:
    with (
        holding(world, BY_NAME["reader"], "select from marts.dim_month") as held,
        connect(world.settings) as conn,
    ):
        conn.execute("set statement_timeout = '25s'")
        conn.execute("alter table marts_build.dim_month add column planted int")
        build = conn.execute(
            "insert into ops.build (business_date, as_known_at, target_schema, config, "
            "config_sha256, code_version, status) values ('2021-12-31', now(), 'marts_build', "
            "'{}', '', '', 'running') returning build_id"
        ).fetchone()
        assert build is not None
        expose(conn, "marts_build", build[0])
        assert ended(held)
        conn.rollback()


@contextmanager
def a_waiting_session(world: SealedWorld) -> Iterator[int]:
    """A superuser's session that waits for the views; gives its process."""
    with psycopg.connect(world.admin_url) as waiting:
        waiting.execute("set statement_timeout = '20s'")

        def wait() -> None:
            try:
                waiting.execute(DROP)
            except psycopg.Error:
                waiting.rollback()

        thread = threading.Thread(target=wait)
        thread.start()
        pid = waiting.info.backend_pid
        with psycopg.connect(world.admin_url, autocommit=True) as looking:
            for _ in range(500):
                if looking.execute(
                    "select from pg_locks where pid = %s and waitstart < now() - interval '200 ms'",
                    [pid],
                ).rowcount:
                    break
                looking.execute("select pg_sleep(0.02)")
        try:
            yield pid
        finally:
            waiting.cancel()
            thread.join()
            waiting.rollback()


def end(world: SealedWorld, pid: int, idle: str, working: str) -> int:
    with psycopg.connect(world.admin_url, autocommit=True) as admin:
        return admin.execute(
            "select from ops.end_holders_after(%s, %s, %s)", [pid, idle, working]
        ).rowcount


def test_a_statement_that_runs_has_longer_than_a_session_that_idles(world: SealedWorld) -> None:
    with views(world), holding(world, BY_NAME["reader"]) as held, a_waiting_session(world) as pid:
        working = threading.Thread(target=lambda: _sleep(held))
        working.start()
        with psycopg.connect(world.admin_url, autocommit=True) as looking:
            while not looking.execute(
                "select from pg_stat_activity where pid = %s and wait_event = 'PgSleep'",
                [held.info.backend_pid],
            ).rowcount:
                looking.execute("select pg_sleep(0.02)")
        assert end(world, pid, "0 s", "1 min") == 0
        assert end(world, pid, "1 min", "0 s") == 1
        working.join()
        assert ended(held)


def _sleep(held: psycopg.Connection) -> None:
    try:
        held.execute("select pg_sleep(60)")
    except psycopg.Error:
        return


@pytest.mark.parametrize("name", ["etl", "certifier", "backup", "superuser"])
def test_who_does_more_than_read_is_waited_for(world: SealedWorld, name: str) -> None:
    attacker = BY_NAME.get(name, BACKUP)
    with views(world), holding(world, attacker) as held, a_waiting_session(world) as pid:
        assert end(world, pid, "0 s", "0 s") == 0
        assert not ended(held)


def test_only_sessions_that_hold_up_a_session_of_one_s_own_are_ended(world: SealedWorld) -> None:
    """The loader's login names a superuser's session that waits, and one that does not wait."""
    with (
        views(world),
        holding(world, BY_NAME["reader"]) as held,
        a_waiting_session(world) as pid,
        connect(world.settings) as conn,
    ):
        for waiting in (pid, conn.info.backend_pid, held.info.backend_pid):
            assert conn.execute("select from ops.end_holders(%s)", [waiting]).rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select from ops.end_holders_after(%s, '0 s', '0 s')", [pid])
        conn.rollback()
        assert not ended(held)
