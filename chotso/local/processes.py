"""Detached processes, known by id and start time: started, recognised, and ended by their id.

A process id is reused after a while, but not together with the same start time. Each component is
the leader of its own session. So children that remain after a kill -9 are found by the session's id
and ended one by one.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

POLL_S = 0.05
LOG_LIMIT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Component:
    """One detached process.

    Attributes:
        name: The component's name, for messages and file names.
        pid: Process id, which is also the id of its session.
        started_ticks: Start time in clock ticks since boot, from `/proc/<pid>/stat`.
    """

    name: str
    pid: int
    started_ticks: int

    @property
    def is_running(self) -> bool:
        """Whether the same process still runs; a zombie does not."""
        stat = _stat(self.pid)
        return stat is not None and stat.ticks == self.started_ticks and stat.state not in "ZX"


def start(name: str, command: list[str], env: Mapping[str, str], log: Path, run: Path) -> Component:
    """Start a process that outlives its parent, and record it in `<run>/<name>.json`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    run.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=run,
            start_new_session=True,
            close_fds=True,
        )
    stat = _stat(process.pid)
    component = Component(name, process.pid, stat.ticks if stat else 0)
    draft = run / f".{name}.json"
    draft.write_text(json.dumps(asdict(component)), encoding="utf-8")
    draft.replace(run / f"{name}.json")
    return component


def run_to_end(
    command: list[str], env: Mapping[str, str], cwd: Path, log: Path, limit_s: float
) -> bool:
    """Run a program with its output at the end of `log`; true if it succeeded.

    Raises:
        subprocess.TimeoutExpired: It ran for longer than `limit_s` seconds, and was ended.
    """
    with log.open("ab") as sink:
        done = subprocess.run(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            timeout=limit_s,
            check=False,
        )
    return done.returncode == 0


def recorded(name: str, run: Path) -> Component | None:
    """The component as it was last started, whether it runs or not."""
    try:
        found = json.loads((run / f"{name}.json").read_text(encoding="utf-8"))
        return Component(str(found["name"]), int(found["pid"]), int(found["started_ticks"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def stop(component: Component, run: Path, *, patience_s: float) -> None:
    """End a component and all processes of its session; its record is deleted last."""
    if component.is_running:
        _signal(component.pid, signal.SIGTERM)
        _wait_until_gone(component, patience_s)
    if component.is_running:
        _signal(component.pid, signal.SIGKILL)
        _wait_until_gone(component, patience_s)
    for number in (signal.SIGTERM, signal.SIGKILL):
        members = session_members(component)
        for pid in members:
            _signal(pid, number)
        deadline = time.monotonic() + 3
        while session_members(component) and time.monotonic() < deadline:
            time.sleep(POLL_S)
    (run / f"{component.name}.json").unlink(missing_ok=True)


@dataclass(frozen=True)
class _Stat:
    state: str
    session: int
    ticks: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return _Stat(state=fields[0], session=int(fields[3]), ticks=int(fields[19]))


def session_members(component: Component) -> list[int]:
    """Running processes of the component's session that are not older than the component."""
    members = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        stat = _stat(int(name))
        if (
            stat is not None
            and stat.session == component.pid
            and stat.ticks >= component.started_ticks
            and stat.state not in "ZX"
        ):
            members.append(int(name))
    return members


def _wait_until_gone(component: Component, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while component.is_running and time.monotonic() < deadline:
        _reap(component.pid)
        time.sleep(POLL_S)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
