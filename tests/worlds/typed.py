"""`chotso …` as an operator types it, in a fork of the test's process (`tests.worlds.children`)."""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from chotso import PROJECT_ROOT
from chotso.cli import main
from tests.worlds.children import Child


def typed(
    *arguments: str, environment: Mapping[str, str], cwd: Path = PROJECT_ROOT, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run a command; what it printed and its exit status, as of `subprocess.run`.

    Args:
        arguments: After `chotso`.
        environment: All its variables.
        cwd: The folder in which it is typed.
        timeout: Seconds after which the test fails.
    """
    child = Child(_run, arguments, environment, cwd)
    out, err = child.ended(timeout)
    assert child.exitcode is not None
    return subprocess.CompletedProcess(["chotso", *arguments], child.exitcode, out, err)


def _run(arguments: tuple[str, ...], environment: Mapping[str, str], cwd: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    tempfile.tempdir = None  # TMPDIR may be another
    sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    sys.stdout, sys.stderr = (os.fdopen(place, "w", encoding="utf-8") for place in (1, 2))
    logging.getLogger().handlers.clear()  # pytest's, where a new Python has none
    sys.argv = ["chotso", *arguments]
    main()
