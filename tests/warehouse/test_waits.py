"""Locks that others hold: who is named, where a wait ends, and what outlives a killed process."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from chotso import waits
from chotso.build import dbt, orphans, runner
from chotso.errors import BusyError, ChotsoError
from chotso.ingest import validate
from chotso.settings import Settings
from chotso.source.database import open_snapshot
from chotso.warehouse import connect as connecting
from chotso.warehouse import locks
from chotso.warehouse.connect import connect, login_session
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse

pytestmark = pytest.mark.warehouse

_SHORT = connecting.SESSION.replace(f"lock_timeout={waits.LOCK_WAIT_SECONDS}s", "lock_timeout=2s")


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with new_warehouse(servers, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at once, and waits for two seconds at most."""
    monkeypatch.setattr(waits, "_FIRST_LOOK_S", 0.2)
    monkeypatch.setattr(waits, "_BETWEEN_LOOKS_S", 0.2)
    monkeypatch.setattr(locks, "_QUIET_SECONDS", 0.3)
    monkeypatch.setattr(connecting.login_session, "__defaults__", (_SHORT,))


@contextmanager
def a_dump(warehouse: Warehouse, relation: str) -> Iterator[int]:
    """Another login's session that holds a table; gives its pid."""
    with psycopg.connect(warehouse.admin_url, application_name="pg_dump") as admin:
        admin.execute(f"lock table {relation} in access exclusive mode".encode())
        yield admin.info.backend_pid


def test_a_table_that_another_session_holds_is_waited_for_with_its_name_and_a_limit(
    warehouse: Warehouse, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        a_dump(warehouse, "raw.payments") as pid,
        caplog.at_level(logging.WARNING),
        pytest.raises(BusyError) as refused,
        connect(warehouse.settings) as conn,
    ):
        conn.execute("select from raw.payments")
    for said in (refused.value.what, caplog.text):
        assert f"pg_dump (pid {pid}, login " in said
        assert ", since 20" in said
    assert "pg_terminate_backend" in refused.value.next_step


def test_the_naive_twin_with_a_timeout_alone_names_nobody(warehouse: Warehouse) -> None:
    with (
        a_dump(warehouse, "raw.payments"),
        login_session(warehouse.settings, "-c lock_timeout=500ms") as conn,
        pytest.raises(psycopg.errors.LockNotAvailable) as error,
    ):
        conn.execute("select from raw.payments")
    assert "pg_dump" not in str(error.value)


def test_a_wait_that_ends_well_was_told_of_and_stops_nothing(
    warehouse: Warehouse, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(warehouse.admin_url, application_name="pg_dump") as admin:
        admin.execute("lock table raw.payments in access exclusive mode")
        release = threading.Timer(1.2, admin.commit)
        release.start()
        with caplog.at_level(logging.WARNING), connect(warehouse.settings) as conn:
            assert conn.execute("select count(*) from raw.payments").fetchone() == (0,)
        release.join()
    assert "waiting for a lock in the warehouse, held by pg_dump" in caplog.text


def test_a_run_that_waits_for_another_run_says_for_whom(
    warehouse: Warehouse, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        connect(warehouse.settings) as first,
        locks.hold(first, "build marts_build"),
        connect(warehouse.settings) as second,
        caplog.at_level(logging.WARNING),
    ):
        holder = first.info.backend_pid
        with (
            pytest.raises(BusyError) as refused,
            locks.hold(second, "build marts_build", wait_seconds=1),
        ):
            pass
    for said in (refused.value.what, caplog.text):
        assert f"chotso: build marts_build (pid {holder}, login " in said
        assert ", since 20" in said


def test_a_source_that_is_locked_names_the_holder(
    warehouse: Warehouse, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "LOCK_LIMIT", "-c lock_timeout=2s")
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        admin.execute("create schema if not exists tst")
        admin.execute("create table if not exists tst.dong_ho (id int, bay_gio timestamptz)")
    with (
        a_dump(warehouse, "tst.dong_ho") as pid,
        pytest.raises(BusyError, match=f"at the source is still held by pg_dump .pid {pid}"),
        open_snapshot(warehouse.admin_url),
    ):
        pass


@pytest.mark.parametrize("setting", ["client_connection_check_interval", "lock_timeout"])
def test_every_engine_s_sessions_end_with_their_client_and_wait_within_a_limit(
    warehouse: Warehouse, setting: str
) -> None:
    query = f"select current_setting('{setting}')"
    with connect(warehouse.settings) as conn:
        ours = conn.execute(query.encode()).fetchone()
    with login_session(warehouse.settings, runner._SESSION) as conn:  # what dbt gets as PGOPTIONS
        dbt_s = conn.execute(query.encode()).fetchone()
    engine = validate._gx_source(warehouse.settings.warehouse_url).get_engine()
    with engine.connect() as conn:
        gx_s = conn.exec_driver_sql(query).fetchone()
    engine.dispose()
    assert ours is not None
    assert ours == dbt_s == tuple(gx_s)
    assert ours[0] in ("5s", "10min")


SLEEPER = """
import sys, psycopg
url, options, name = sys.argv[1:]
conn = psycopg.connect(url, options=options, application_name=name)
print("connected", flush=True)
conn.execute("select pg_sleep(120)")
"""


@contextmanager
def a_killed_process_s_statement(
    settings: Settings, options: str, name: str = "sleeper"
) -> Iterator[int]:
    """A statement whose process was killed; gives the server's process, and ends it at last."""
    command = [sys.executable, "-c", SLEEPER, settings.warehouse_url, options, name]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "connected\n"
    (pid,) = running(settings, name)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    try:
        yield pid
    finally:
        with login_session(settings) as conn:
            conn.execute("select pg_terminate_backend(%s, 5000)", [pid])


def running(settings: Settings, name: str) -> list[int]:
    with login_session(settings) as conn:
        for _ in range(100):
            rows = conn.execute(
                "select pid from pg_stat_activity where application_name = %s "
                "and query like '%%pg_sleep%%' and state = 'active'",
                [name],
            ).fetchall()
            conn.commit()
            if rows:
                return [row[0] for row in rows]
            time.sleep(0.1)
    raise AssertionError("it never began")


def lives(settings: Settings, pid: int) -> bool:
    with login_session(settings) as conn:
        return conn.execute("select from pg_stat_activity where pid = %s", [pid]).rowcount > 0


def test_a_statement_ends_with_its_process_where_the_naive_twin_goes_on(
    warehouse: Warehouse,
) -> None:
    with (
        a_killed_process_s_statement(warehouse.settings, connecting.SESSION, "ours") as ours,
        a_killed_process_s_statement(warehouse.settings, "", "naive") as naive,
    ):
        deadline = time.monotonic() + 30
        while lives(warehouse.settings, ours) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not lives(warehouse.settings, ours)
        assert lives(warehouse.settings, naive)


def recorded_build(conn: psycopg.Connection, schema: str) -> int:
    row = conn.execute(
        "insert into ops.build (business_date, as_known_at, target_schema, config, config_sha256, "
        "code_version, status) values ('2021-12-31', now(), %s, '{}', '', '', 'running')"
        " returning build_id",
        [schema],
    ).fetchone()
    conn.commit()
    assert row is not None
    return int(row[0])


def test_a_build_ends_what_killed_builds_of_its_schema_left_and_nothing_else(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    settings = warehouse.settings
    with connect(settings) as conn:
        left, other = recorded_build(conn, "marts_build"), recorded_build(conn, "scratch_1")
        names = [
            orphans.session_name(left, "marts_build"),
            orphans.session_name(other, "scratch_1"),
        ]
        with (
            a_killed_process_s_statement(settings, "", names[0]) as orphan,
            a_killed_process_s_statement(settings, "", names[1]) as of_another_schema,
            psycopg.connect(warehouse.admin_url, application_name=names[0]) as of_another_login,
            caplog.at_level(logging.WARNING),
        ):
            orphans.end(conn, "marts_build")
            assert not lives(settings, orphan)
            assert lives(settings, of_another_schema)
            of_another_login.execute("select 1")
        role = conn.execute("select current_user").fetchone()
    assert role == ("chotso_loader",)
    assert f"ended session {orphan} of build {left}" in caplog.text


def test_a_build_that_waited_in_vain_names_the_holder(
    warehouse: Warehouse, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_dbt(settings: Settings, *_: Any) -> None:
        name = orphans.session_name(7, "marts_build")
        with psycopg.connect(
            settings.warehouse_url, application_name=name, options=_SHORT
        ) as session:
            try:
                session.execute("select from raw.payments")
            except psycopg.errors.LockNotAvailable as error:
                raise ChotsoError("The build failed: x.", next_step="read the log.") from error

    monkeypatch.setattr(dbt, "run_dbt", run_dbt)
    with (
        a_dump(warehouse, "raw.payments") as pid,
        pytest.raises(BusyError, match=rf"waited for a lock held by pg_dump \(pid {pid}"),
    ):
        dbt._run_watched(warehouse.settings, 7, "marts_build", {}, (), False)
