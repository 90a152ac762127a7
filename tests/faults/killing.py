"""Runs a night in a child process that may be killed by SIGKILL at a named place."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import date
from typing import Any

# Imported before the fork, so that a child does not spend its seconds on them.
import dbt.cli.main  # noqa: F401
import great_expectations  # noqa: F401

from chotso.build.dbt import run_build
from chotso.ingest.night import extract_all
from chotso.settings import Settings

_FORK = multiprocessing.get_context("fork")


def night(settings: Settings, business_date: date) -> None:
    """A whole night; fails where anything was stopped."""
    stopped = [s for report in extract_all(settings, business_date) for s in report.stopped]
    if stopped:
        raise AssertionError("\n".join(stopped))
    run_build(settings)


def run_in_child(work: Callable[..., None], *args: Any, failpoint: str | None = None) -> int:
    """Run work in a forked child; returns its exit code (-9 where it was killed)."""
    child = _FORK.Process(target=_with_failpoint, args=(failpoint, work, *args))
    child.start()
    child.join()
    assert child.exitcode is not None
    return child.exitcode


def was_killed(exit_code: int) -> bool:
    """Whether the child died by SIGKILL."""
    return exit_code == -signal.SIGKILL


def _with_failpoint(failpoint: str | None, work: Callable[..., None], *args: Any) -> None:
    os.environ.pop("CHOTSO_FAILPOINT", None)
    if failpoint:
        os.environ["CHOTSO_FAILPOINT"] = failpoint
    work(*args)
