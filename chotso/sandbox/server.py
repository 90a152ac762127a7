"""Starts, stops and checks the embedded PostgreSQL 18 (`chotso sandbox start|stop|status`).

It listens only on 127.0.0.1, runs detached from its starter, and logs to
`$CHOTSO_HOME/postgres/server.log`. It recovers if it, or its starter, was killed.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from chotso.errors import BusyError, ChotsoError
from chotso.sandbox import place, processes, state
from chotso.sandbox.account import account_for, give_to_owner, run_as
from chotso.sandbox.cluster import cluster_name_of, make_cluster
from chotso.sandbox.launch import launch, wait_ready
from chotso.sandbox.port import choose_port, fixed_port
from chotso.sandbox.provision import describe, is_provisioned, provision
from chotso.sandbox.state import SandboxServer

STOP_TIMEOUT_S = 120
LOCK_TIMEOUT_S = 300.0

__all__ = ["SandboxServer", "load", "start", "status", "stop"]


def start(home: Path) -> SandboxServer:
    """Make the server if there is none, start it if it is stopped, and return its description.

    If it already runs, a call only checks it. Processes that call this at the same time take turns.

    Args:
        home: `$CHOTSO_HOME`; made if missing.

    Returns:
        The running server, ready for connections, with its databases and logins; `sandbox.json`
            has the same content.

    Raises:
        ChotsoError: It cannot be made, started or reached; the text names the log.
    """
    home = _resolved(home)
    with exclusively(home):
        server = _recorded_or_new(home)
        pid = processes.find_postmaster(server.data_dir)
        server = _bring_up(home, server) if pid is None else _adopt(home, server, pid)
        _ensure_provisioned(server)
        return server


def stop(home: Path) -> bool:
    """Stop the server (sessions are ended, committed work is kept) and wait until it is stopped.

    Returns:
        True if it was running, False if there was nothing to stop.

    Raises:
        ChotsoError: It does not stop within 120 s.
    """
    home = _resolved(home)
    if state.read(home) is None:
        return False
    with exclusively(home):
        server = state.read(home)
        if server is None:
            return False
        pid = processes.find_postmaster(server.data_dir)
        if pid is None:
            return False
        _wait_for_pid_file(server, pid)
        _pg_ctl_stop(home, server, pid)
        return True


def status(home: Path) -> dict[str, Any]:
    """The state of the server; nothing is changed.

    Returns:
        `state` (`running`, `starting`, `stopped`), `pid`, `port`, `version`, `databases` (names;
            empty unless running), `data_dir` and `log_file`; None if something does not exist.
    """
    server = load(home)
    if server is None:
        return {
            "state": "stopped",
            "pid": None,
            "port": None,
            "version": None,
            "databases": [],
            "data_dir": None,
            "log_file": None,
        }
    pid = processes.find_postmaster(server.data_dir)
    found: dict[str, Any] = {
        "state": "stopped" if pid is None else "starting",
        "pid": pid,
        "port": server.port,
        "version": None,
        "databases": [],
        "data_dir": str(server.data_dir),
        "log_file": str(server.log_file),
    }
    if pid is not None and processes.is_ready(server.data_dir):
        try:
            found["version"], found["databases"] = describe(server)
        except psycopg.Error as error:
            raise ChotsoError(
                f"The embedded PostgreSQL (process {pid}) refuses a connection: {error}",
                next_step=f"read {server.log_file}, then run `chotso sandbox start`.",
            ) from error
        found["state"] = "running"
    return found


def load(home: Path) -> SandboxServer | None:
    """The recorded server of this home, running or not; None if none was ever made.

    Raises:
        ChotsoError: `sandbox.json` cannot be read.
    """
    return state.read(_resolved(home))


def _resolved(home: Path) -> Path:
    return home.expanduser().resolve()


@contextmanager
def exclusively(home: Path) -> Iterator[None]:
    """Hold the home's lock; whoever starts, stops or restores its server meanwhile waits.

    Raises:
        BusyError: It is not to be had within five minutes.
    """
    # The kernel releases the lock when its holder ends, for whatever reason.
    path = home / ".sandbox.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ChotsoError(
            f"You may not write in {home}: {error.strerror}.",
            next_step="name a folder of your own in CHOTSO_HOME.",
        ) from error
    try:
        give_to_owner(path, home)
        if not processes.wait_until(lambda: _try_lock(descriptor), LOCK_TIMEOUT_S, pause=0.05):
            raise BusyError(
                f"Another process has been starting or stopping the server in {home} for "
                f"{LOCK_TIMEOUT_S:.0f} s.",
                next_step=f"find it with `fuser {path}`, wait for it or end it, and run again.",
            )
        yield
    except OSError as error:
        raise ChotsoError(
            f"The embedded PostgreSQL in {home} cannot be handled: {error}.",
            kept="the data, untouched.",
            next_step=f"mend what it names (rights, disk space; log {home}/postgres/server.log) "
            "and run the command again.",
        ) from error
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _recorded_or_new(home: Path) -> SandboxServer:
    server = state.read(home)
    elsewhere = server.data_dir if server else place.relocation_of(home) / "data"
    data_dir = place.existing_data(home, elsewhere)
    log_file = home / "postgres" / "server.log"
    if server is None and data_dir is not None and log_file.parent.exists():
        raise ChotsoError(
            f"{home / state.FILE_NAME} is gone, and with it the passwords of {data_dir}.",
            kept="the data, untouched.",
            next_step=f"put {state.FILE_NAME} back; or, to begin with an empty server, delete "
            f"{log_file.parent} and {data_dir}.",
        )
    if server is None or data_dir is None:
        # Data of a deleted home or of a killed initdb are not used: they are incomplete, or their
        # passwords are lost. Their server may still run on deleted files.
        data_dir = place.new_data(home, account_for(home, home / "postgres" / "data"))
        processes.end_leftover(data_dir, cluster_name_of(data_dir))
        shutil.rmtree(data_dir, ignore_errors=True)
    if server is None:
        server = SandboxServer.new(port=choose_port(home), data_dir=data_dir, log_file=log_file)
        state.write(home, server)
    elif (server.data_dir, server.log_file) != (data_dir, log_file):  # the home was moved or copied
        server = replace(server, data_dir=data_dir, log_file=log_file)
        state.write(home, server)
    return server


def _bring_up(home: Path, server: SandboxServer) -> SandboxServer:
    folder = server.log_file.parent
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)  # the server's account needs access, whatever the caller's umask
    give_to_owner(folder, home)
    account = account_for(home, server.data_dir)
    programs = place.programs(home, account)
    if not place.is_complete(server.data_dir):
        make_cluster(programs, account, server)
    account.take(server.data_dir / place.MARKER)  # older versions left it to root
    return launch(home, server, programs, account)


def _adopt(home: Path, server: SandboxServer, pid: int) -> SandboxServer:
    """Use a server that already runs, or that is still starting after its starter was killed."""
    if not wait_ready(server, pid):
        return _bring_up(home, server)
    port = processes.recorded_port(server.data_dir)
    if port is not None and port != server.port:
        server = server.on_port(port)
        state.write(home, server)
    if fixed_port() not in (None, server.port):
        raise ChotsoError(
            f"CHOTSO_PG_PORT is {fixed_port()}, but the server runs on port {server.port}.",
            kept="the running server, as it is.",
            next_step="run `chotso sandbox stop`, then `chotso sandbox start`.",
        )
    return server


def _ensure_provisioned(server: SandboxServer) -> None:
    try:
        if not is_provisioned(server):
            provision(server)
    except psycopg.Error as error:
        raise ChotsoError(
            f"The embedded PostgreSQL on port {server.port} runs but refuses its login: {error}",
            kept="the data, untouched.",
            next_step=f"read {server.log_file}; if {state.FILE_NAME} was replaced, restore it.",
        ) from error


def _wait_for_pid_file(server: SandboxServer, pid: int) -> None:
    # A server that has just started has not recorded its id yet, which pg_ctl needs.
    processes.wait_until(
        lambda: processes.recorded_pid(server.data_dir) == pid or not processes.is_alive(pid), 10
    )


def _pg_ctl_stop(home: Path, server: SandboxServer, pid: int) -> None:
    account = account_for(home, server.data_dir)
    command = ["stop", "-D", str(server.data_dir), "-m", "fast", "-w", "-t", str(STOP_TIMEOUT_S)]
    done = run_as(account, [str(place.programs(home, account) / "pg_ctl"), *command])
    if not processes.wait_until(lambda: not processes.is_alive(pid), 5):
        raise ChotsoError(
            f"The embedded PostgreSQL (process {pid}) does not stop: "
            f"{(done.stderr or done.stdout).strip()}",
            kept="everything committed.",
            next_step=f"read {server.log_file}, then run `chotso sandbox stop` again.",
        )
