"""Ways in which a PostgreSQL server of the test's own goes away: killed, or told to restart."""

import contextlib
import os
import signal
import time
from pathlib import Path

import psycopg

from chotso.sandbox import place, processes, server
from chotso.sandbox.account import account_for, run_as
from chotso.sandbox.server import SandboxServer

_BACKENDS = (
    "select pid from pg_stat_activity where datname = %s and application_name like 'chotso%%'"
)


def kill_server(home: Path) -> None:
    """SIGKILL the server and every process of it, as when the machine loses power."""
    found = _loaded(home)
    postmaster = processes.find_postmaster(found.data_dir)
    assert postmaster is not None
    os.kill(postmaster, signal.SIGSTOP)  # or it would begin to recover before its end
    ours = [postmaster, *_children(postmaster)]
    for pid in ours:
        _kill(pid)
    assert processes.wait_until(lambda: not any(map(processes.is_alive, ours)), 20)


def kill_backends(admin_url: str, database: str) -> None:
    """SIGKILL the sessions of a run: the server ends all others and recovers by itself."""
    with psycopg.connect(admin_url) as conn:
        pids = [row[0] for row in conn.execute(_BACKENDS, [database])]
    assert pids
    for pid in pids:
        _kill(pid)
    assert processes.wait_until(lambda: not any(map(processes.is_alive, pids)), 20)


def end_sessions(admin_url: str, database: str) -> None:
    """End the sessions of a run as an administrator does; the server stays up."""
    with psycopg.connect(admin_url, autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
            "where datname = %s and pid <> pg_backend_pid()",
            [database],
        )


def restart(home: Path, mode: str) -> None:
    """`pg_ctl stop -m fast` (sessions ended, clean) or `immediate` (recovers), and start again."""
    found = _loaded(home)
    account = account_for(home, found.data_dir)
    command = str(place.programs(home, account) / "pg_ctl")
    done = run_as(account, [command, "stop", "-D", str(found.data_dir), "-m", mode, "-w"])
    assert done.returncode == 0, done.stderr
    bring_up(home)


def bring_up(home: Path) -> None:
    """Start the server if it is down, and wait until it has recovered."""
    before = _loaded(home)
    deadline = time.monotonic() + 60
    while not _answers(before):
        assert time.monotonic() < deadline
        if processes.find_postmaster(before.data_dir) is None:
            assert server.start(home).port == before.port, "someone took the port meanwhile"
        time.sleep(0.05)


def _answers(found: SandboxServer) -> bool:
    try:
        psycopg.connect(found.admin_url).close()
    except psycopg.OperationalError:
        return False
    return True


def emptied(admin_url: str) -> int:
    """Landing tables of batches with rows that crash recovery has emptied."""
    with psycopg.connect(admin_url) as conn:
        waiting = conn.execute(
            "select batch_id from ops.batch join pg_tables on tablename = batch_id "
            "where schemaname = 'landing' and status = 'running' "
            "and (landing_files -> 'data' ->> 'rows')::bigint > 0"
        ).fetchall()
        return sum(
            conn.execute(f'select from landing."{batch_id}" limit 1'.encode()).rowcount == 0
            for (batch_id,) in waiting
        )


def _loaded(home: Path) -> SandboxServer:
    found = server.load(home)
    assert found is not None
    return found


def _children(parent: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(name))
    return found


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
