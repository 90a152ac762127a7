"""Starts the server program detached from its starter, and waits until it is ready."""

import os
import time
from pathlib import Path

from chotso.errors import ChotsoError
from chotso.sandbox import processes, state
from chotso.sandbox.account import Account, give_to_owner, run_as
from chotso.sandbox.cluster import cluster_name_of
from chotso.sandbox.port import choose_port, fixed_port, is_free
from chotso.sandbox.state import SandboxServer

READY_TIMEOUT_S = 120.0
ATTEMPTS = 3
LOG_LIMIT_BYTES = 32 * 1024 * 1024


def launch(home: Path, server: SandboxServer, programs: Path, account: Account) -> SandboxServer:
    """Start the server of a complete data directory and wait until it accepts connections.

    After a kill, this includes ending processes of the old server, and crash recovery.

    Returns:
        The server; with another port (also in `sandbox.json`) if the recorded one was taken.

    Raises:
        ChotsoError: It cannot listen, ends while starting, or is not ready within 120 s.
    """
    processes.end_orphans(cluster_name_of(server.data_dir))
    _drop_misleading_pid_file(server.data_dir)
    for _ in range(ATTEMPTS):
        server = _on_usable_port(home, server)
        log_start = _open_log(home, server.log_file)
        if wait_ready(server, _spawn(programs, account, server)):
            return server
        tail = _log_tail(server.log_file, log_start)
        if "could not bind" not in tail:  # otherwise somebody has just taken the port: try again
            raise ChotsoError(
                f"The embedded PostgreSQL ended while starting.\n{tail}".rstrip(),
                kept="the data, untouched.",
                next_step=f"read {server.log_file}, mend what it names, and run "
                "`chotso sandbox start`.",
            )
    raise ChotsoError(
        f"The embedded PostgreSQL cannot listen on port {server.port}.",
        kept="the data, untouched.",
        next_step=f"free the port or set CHOTSO_PG_PORT; see {server.log_file}.",
    )


def wait_ready(server: SandboxServer, pid: int) -> bool:
    """Wait until this server process accepts connections; False if it ends instead.

    Raises:
        ChotsoError: It is neither ready nor ended within 120 s.
    """
    deadline = time.monotonic() + READY_TIMEOUT_S
    while processes.is_alive(pid):
        if processes.recorded_pid(server.data_dir) == pid and processes.is_ready(server.data_dir):
            return True
        if time.monotonic() > deadline:
            raise ChotsoError(
                f"The embedded PostgreSQL (process {pid}) was not ready within "
                f"{READY_TIMEOUT_S:.0f} s; it may still be recovering.",
                kept="the data; recovery goes on by itself.",
                next_step=f"watch {server.log_file}, then run `chotso sandbox start` again.",
            )
        time.sleep(0.02)
    return False


def _drop_misleading_pid_file(data_dir: Path) -> None:
    # PostgreSQL refuses to start while the old process id is in use, even by another program of the
    # user or by a zombie. Our caller has just checked that no server of ours runs here.
    pid = processes.recorded_pid(data_dir)
    if pid is not None and processes.exists(pid):
        (data_dir / "postmaster.pid").unlink(missing_ok=True)


def _on_usable_port(home: Path, server: SandboxServer) -> SandboxServer:
    port = fixed_port() or server.port
    if not is_free(port):
        if fixed_port() is not None:
            raise ChotsoError(
                f"Port {port}, named in CHOTSO_PG_PORT, is taken by another program.",
                kept="the data, untouched.",
                next_step="free that port, or name another one.",
            )
        port = choose_port(home)
    if port != server.port:
        server = server.on_port(port)
        state.write(home, server)
    return server


def _open_log(home: Path, log_file: Path) -> int:
    """Make the log if missing, rename one that is too long; returns the offset of new lines."""
    if log_file.exists() and log_file.stat().st_size > LOG_LIMIT_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
    # Errors can quote rows, so nobody else may read the log.
    os.close(os.open(log_file, os.O_WRONLY | os.O_CREAT, 0o600))
    give_to_owner(log_file, home)
    return log_file.stat().st_size


def _spawn(programs: Path, account: Account, server: SandboxServer) -> int:
    # The shell exits at once, so the server does not depend on a parent, and it has none of the
    # caller's streams. The shell prints the server's process id.
    with server.log_file.open("ab") as log:
        shell = run_as(
            account,
            [
                *("/bin/sh", "-c", '"$@" >&2 </dev/null & echo $!', "sh"),
                *(str(programs / "postgres"), "-D", str(server.data_dir), "-p", str(server.port)),
                *("-c", f"cluster_name={cluster_name_of(server.data_dir)}"),
            ],
            stderr=log,
        )
    return int(shell.stdout)


def _log_tail(log_file: Path, since: int, lines: int = 12) -> str:
    with log_file.open("rb") as handle:
        handle.seek(since)
        written = handle.read().decode("utf-8", errors="replace")
    return "\n".join(written.splitlines()[-lines:])
