"""Finds the server processes of a data directory, and excludes others that reused their id.

After a kill, `postmaster.pid` proves nothing: its number may belong to another program, or to a
zombie. So the command line is compared. Unlike `/proc/N/cwd`, root can read it even in a container
that has no right to trace other users' processes.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ORPHAN_PATIENCE_S = 5.0


def recorded_pid(data_dir: Path) -> int | None:
    """The process id in `postmaster.pid`, whichever process has it now."""
    lines = _pid_file(data_dir)
    try:
        return int(lines[0])
    except (IndexError, ValueError):
        return None


def recorded_port(data_dir: Path) -> int | None:
    """The port that the server recorded when it started."""
    lines = _pid_file(data_dir)
    try:
        return int(lines[3])
    except (IndexError, ValueError):
        return None


def is_ready(data_dir: Path) -> bool:
    """Whether the server reports that it accepts connections (recovery is over)."""
    lines = _pid_file(data_dir)
    return len(lines) > 7 and lines[7].strip() == "ready"


def find_postmaster(data_dir: Path) -> int | None:
    """The process id of this data directory's running server, which may still be starting."""
    recorded = recorded_pid(data_dir)
    if recorded is not None and is_postmaster(recorded, data_dir):
        return recorded
    # A server that has just been started has not written its file yet.
    return next((pid for pid in _pids() if is_postmaster(pid, data_dir)), None)


def is_postmaster(pid: int, data_dir: Path) -> bool:
    """Whether this process was started as the server of this data directory and still runs."""
    arguments = _command_line(pid)
    return (
        len(arguments) > 2
        and os.path.basename(arguments[0]) == "postgres"
        and arguments[1:3] == ["-D", str(data_dir)]
        and is_alive(pid)
    )


def is_alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] not in (["Z"], ["X"])


def exists(pid: int) -> bool:
    """Whether any process, even a zombie, has the id."""
    return Path(f"/proc/{pid}").exists()


def end_orphans(cluster_name: str) -> None:
    """End the children of a killed server: a long query keeps the shared memory attached.

    First they have time to notice it themselves, then they get SIGTERM, then SIGKILL. Their server
    is gone, so crash recovery follows in any case.
    """
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        for pid in _children(cluster_name):
            if number is not None:
                _signal(pid, number)
        if wait_until(lambda: not _children(cluster_name), ORPHAN_PATIENCE_S):
            return


def end_leftover(data_dir: Path, cluster_name: str) -> None:
    """End a server whose data directory was deleted while it ran."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        pid = find_postmaster(data_dir)
        if pid is None:
            break
        _signal(pid, number)
        wait_until(lambda pid=pid: not is_alive(pid), ORPHAN_PATIENCE_S)  # type: ignore[misc]
    end_orphans(cluster_name)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Check repeatedly; False if the condition does not become true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def _children(cluster_name: str) -> list[int]:
    title = f"postgres: {cluster_name}: "
    return [
        pid
        for pid in _pids()
        if (_command_line(pid) or [""])[0].startswith(title) and is_alive(pid)
    ]


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _command_line(pid: int) -> list[str]:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).rstrip("\0").split("\0")
    except OSError:
        return []


def _pid_file(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
