"""A province with planted defects, two nights before the cutoff, and a Superset that shows it.

`CHOTSO_BI_TEST_HOME` names a home with a running Superset that is taken instead, and left as it is.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from chotso.local import superset
from chotso.local.superset_home import SupersetHome
from tests.bi.browser import Bi
from tests.worlds.chromium import running_chromium
from tests.worlds.sandbox_homes import PROJECT, new_home

NIGHTS = range(29, 31)


@pytest.fixture(scope="session")
def bi() -> Iterator[Bi]:
    named = os.environ.get("CHOTSO_BI_TEST_HOME")
    if named:
        home = SupersetHome.of(Path(named))
        yield Bi(Path(named).resolve(), f"http://127.0.0.1:{home.last_port()[0]}")
        return
    with new_home() as home_folder:
        _make_province(home_folder)
        os.environ["CHOTSO_HOME"] = str(home_folder)
        try:
            yield Bi(home_folder, superset.start(home_folder))
        finally:
            superset.stop(home_folder)
            del os.environ["CHOTSO_HOME"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


def _make_province(home: Path) -> None:
    seed = "--persons 4000 --employers 80 --year 2021 --seed 14 --defects all"
    _run(home, "sandbox", "start")
    _run(home, "sandbox", "seed", *seed.split())
    _run(home, "migrate")
    for day in NIGHTS:
        _run(home, "sandbox", "advance", "--to", f"2021-12-{day + 1}T01:00:00+07:00")
        # A night ends with 1 where a planted defect is refused, and is built all the same.
        _run(home, "nightly", "--date", f"2021-12-{day}", may_fail=True)
    _run(home, "migrate")


def _run(home: Path, *command: str, may_fail: bool = False) -> None:
    environment = {**os.environ, "CHOTSO_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "chotso", *command],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert may_fail or done.returncode == 0, f"{command}: {done.stderr}"
