"""Runs a night in a child process that may be killed by SIGKILL, or broken, at a named place."""

import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

# Imported before the fork, so that a child does not spend its seconds on them.
import dbt.cli.main  # noqa: F401
import great_expectations  # noqa: F401

from chotso.build.dbt import run_build
from chotso.errors import ChotsoError
from chotso.ingest.night import extract_all, extract_group
from chotso.settings import Settings
from tests.worlds.children import Child

STOPPED, CRASHED = 3, 4
PATIENCE_S = 600


def night(settings: Settings, business_date: date) -> None:
    """A whole night; fails where anything was stopped."""
    stopped = [s for report in extract_all(settings, business_date) for s in report.stopped]
    if stopped:
        raise AssertionError("\n".join(stopped))
    run_build(settings)


def extract(
    settings: Settings, business_date: date, told: Path | None = None, group: str | None = None
) -> None:
    """All groups, or one, through publish; exits 3 and tells where anything was stopped.

    What is no refusal in words (a traceback) exits 4.
    """
    try:
        reports = (
            [extract_group(settings, group, business_date)]
            if group
            else extract_all(settings, business_date)
        )
        stopped = [s for report in reports for s in report.stopped]
    except ChotsoError as error:
        stopped = [str(error)]
    except Exception:
        _tell(told, traceback.format_exc())
        os._exit(CRASHED)
    if stopped:
        _tell(told, "\n\n".join(stopped))
        os._exit(STOPPED)


def run_in_child(
    work: Callable[..., None],
    *args: Any,
    failpoint: str | None = None,
    at: Callable[[str], None] | None = None,
    kill_after: float | None = None,
) -> int:
    """Run work in a forked child; returns its exit code (-9 where it was killed).

    Args:
        work: What to run.
        args: Its arguments.
        failpoint: The named place at which the child is killed.
        at: What happens at every named place instead.
        kill_after: Seconds after which the child is killed, wherever it is.
    """
    child = Child(work, *args, failpoint=failpoint, at=at)
    if kill_after is not None:
        child.join(kill_after)
        if child.exitcode is None:
            child.kill()
    out, err = child.ended(timeout=PATIENCE_S)
    print(out, err)
    assert child.exitcode is not None
    return int(child.exitcode)


def was_killed(exit_code: int) -> bool:
    """Whether the child died by SIGKILL."""
    return exit_code == -signal.SIGKILL


def die_at(point: str, occurrence: int = 1) -> Callable[[str], None]:
    """What kills the process when a place is reached for the n-th time."""
    return once_at(point, occurrence, lambda: os.kill(os.getpid(), signal.SIGKILL))


def once_at(point: str, occurrence: int, fault: Callable[[], None]) -> Callable[[str], None]:
    """What does something, once, when a place is reached for the n-th time."""
    reached = 0

    def at(name: str) -> None:
        nonlocal reached
        reached += name == point
        if name == point and reached == occurrence:
            fault()

    return at


def note_in(path: Path) -> Callable[[str], None]:
    """What writes down every place that is reached."""

    def at(name: str) -> None:
        with path.open("a", encoding="utf-8") as notes:
            notes.write(f"{name}\n")

    return at


def wait_in(marker: Path, until: Path, seconds: float = 60) -> Callable[[], None]:
    """What says by a file that it has come so far, and goes on once another file is there."""

    def wait() -> None:
        marker.touch()
        deadline = time.monotonic() + seconds
        while not until.exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    return wait


def _tell(told: Path | None, text: str) -> None:
    if told is None:
        print(text)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        told.write_text(text, encoding="utf-8")
