"""The embedded PostgreSQL after a SIGKILL of itself, of its starter, and of a half-made start."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from chotso.sandbox import place, processes, server
from chotso.sandbox.account import account_for, run_as
from tests.worlds.sandbox_homes import (
    START,
    keep_row,
    kept_row,
    kill_9,
    postmaster,
    python,
    query,
)

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.faults]

WRITE = """
import pathlib, sys, time
draft, ends = pathlib.Path(sys.argv[1]), time.monotonic() + 1.5
number = 0
while time.monotonic() < ends and draft.is_dir():
    number += 1
    try:
        (draft / str(number)).write_text("")
    except FileNotFoundError:
        break
"""
"""What an initdb does that outlived its killed starter: it writes until its folder is gone."""


def test_a_killed_server_comes_back_with_what_was_committed(home: Path) -> None:
    running = server.start(home)
    keep_row(running)
    open_work = psycopg.connect(running.admin_url)
    open_work.execute("update kept set answer = 0")
    busy = psycopg.connect(running.admin_url, autocommit=True)
    with ThreadPoolExecutor(1) as pool:
        # A query deep in a loop does not notice that its server died, and holds the old memory.
        query = pool.submit(busy.execute, "select sum(i) from generate_series(1, 1e10::bigint) i")
        time.sleep(0.3)
        kill_9(running)
        assert server.start(home) == running
        assert isinstance(query.exception(timeout=30), psycopg.OperationalError)
    open_work.close()
    assert kept_row(running) == 42
    assert "was not properly shut down" in running.log_file.read_text(encoding="utf-8")


def test_a_reused_process_id_neither_blocks_the_start_nor_is_shot(home: Path) -> None:
    running = server.start(home)
    keep_row(running)
    kill_9(running)
    account = account_for(home, running.data_dir)
    become = {"user": account.uid, "group": account.gid} if account.is_other else {}
    stranger = subprocess.Popen(["sleep", "600"], **become)  # type: ignore[call-overload]
    try:
        pid_file = running.data_dir / "postmaster.pid"
        lines = pid_file.read_text(encoding="utf-8").splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n", encoding="utf-8")
        postgres = str(place.programs(home, account) / "postgres")
        plain = run_as(account, [postgres, "-D", str(running.data_dir), "-p", str(running.port)])
        assert "postmaster.pid" in plain.stderr  # the plain way: refused
        assert server.status(home)["state"] == "stopped"
        assert server.stop(home) is False
        assert server.start(home) == running
        assert kept_row(running) == 42
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_server_outlives_a_kill_of_its_starter_and_of_that_ones_group(home: Path) -> None:
    starter = python(START + "server.start(home); print('up', flush=True); input()", home)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "up\n"
    os.killpg(starter.pid, signal.SIGKILL)
    # It holds none of the starter's pipes: reading to their end does not hang.
    starter.communicate(timeout=10)
    running = server.load(home)
    assert running is not None
    assert os.getsid(postmaster(running)) != starter.pid
    assert server.status(home)["state"] == "running"


@pytest.mark.parametrize("moment", ["initdb", "launch"])
def test_a_starter_killed_halfway_is_made_good(home: Path, moment: str) -> None:
    starter = python(START + "server.start(home)", home)
    data = home / "postgres" / "data"

    def reached() -> bool:
        drafts = list(data.parent.glob("data.draft-*/base"))
        return bool(drafts) if moment == "initdb" else processes.find_postmaster(data) is not None

    assert processes.wait_until(reached, 30, pause=0.001)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.communicate(timeout=10)
    assert place.is_complete(data) == (moment == "launch")
    running = server.start(home)
    assert {path.name for path in data.parent.iterdir()} == {"data", "server.log"}
    assert query(running.warehouse_url, "select 1") == [(1,)]


def test_a_draft_that_is_still_written_into_is_deleted_all_the_same(home: Path) -> None:
    draft = home / "postgres" / "data.draft-left"
    draft.mkdir(parents=True)
    writer = python(WRITE, draft)
    assert processes.wait_until(lambda: any(draft.iterdir()), 10)
    server.start(home)
    assert not draft.exists()
    writer.communicate(timeout=10)
    assert not draft.exists()


def test_a_data_directory_without_its_marker_is_made_again(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n", encoding="utf-8")
    running = server.start(home)
    assert query(running.source_url, "select 1") == [(1,)]


def test_simultaneous_starts_make_one_server(home: Path) -> None:
    starters = [python(START + "print(server.start(home).port)", home) for _ in range(3)]
    answers = [starter.communicate(timeout=120) for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0], answers
    assert len({out for out, _ in answers}) == 1
    assert answers[0][0].strip() == str(server.start(home).port)
