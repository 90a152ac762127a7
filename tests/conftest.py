"""One embedded PostgreSQL per test process, for all modules that need a server and do not harm it.

Tests read the DAGs, so Airflow must not find or make its own folder in the home.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from chotso.sandbox.server import SandboxServer
from tests.worlds.build_warehouse import Servers, named_server
from tests.worlds.own_server import own_server

# Set before the first import of Airflow, which reads it once.
_airflow = tempfile.mkdtemp(prefix="chotso-airflow-")
os.environ["AIRFLOW_HOME"] = _airflow
atexit.register(shutil.rmtree, _airflow, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Group test files by their world; only xdist uses this."""
    from tests.scheduling import make_scheduler

    return make_scheduler(config, log)


# `make quick` does not run their servers, browsers and thousands of cases.
_NOT_QUICK = {"warehouse", "pipeline", "faults", "proof", "browser", "lengthy", "long", "slow"}
_PROOFS = {"attacks", "canaries", "faults", "histories", "malformed", "oracle", "pipeline", "traps"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `make quick`: product tests that start no server or program."""
    for item in items:
        room = item.nodeid.split("/")[1]
        marks = {mark.name for mark in item.iter_markers()}
        if room not in _PROOFS and not marks & _NOT_QUICK:
            item.add_marker(pytest.mark.quick)


@pytest.fixture(scope="session")
def running() -> Iterator[SandboxServer]:
    """The shared server: each module makes its own databases; roles and settings are shared."""
    with own_server() as (server, _):
        yield server


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Servers:
    """The shared server, or the one that CHOTSO_TEST_POSTGRES_URL names."""
    named = named_server()
    if named is not None:
        return named
    shared: SandboxServer = request.getfixturevalue("running")
    return Servers(shared.admin_url, shared.warehouse_url)
