"""One embedded PostgreSQL for all modules of a test process that need a server and harm none.

Tests read the DAGs: Airflow must not find, nor make, a folder of its own in the home.
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

# Before the first import of Airflow, which reads it once.
_airflow = tempfile.mkdtemp(prefix="chotso-airflow-")
os.environ["AIRFLOW_HOME"] = _airflow
atexit.register(shutil.rmtree, _airflow, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Files by world; without xdist nobody asks."""
    from tests.scheduling import make_scheduler

    return make_scheduler(config, log)


# Their servers, browsers and long proofs are no part of `make quick`.
_NOT_QUICK = {"warehouse", "pipeline", "faults", "proof", "browser", "slow"}
_PROOFS = {"attacks", "canaries", "faults", "histories", "malformed", "oracle", "pipeline", "traps"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make quick` runs: product tests that start nothing."""
    for item in items:
        room = item.nodeid.split("/")[1]
        marks = {mark.name for mark in item.iter_markers()}
        if room not in _PROOFS and not marks & _NOT_QUICK:
            item.add_marker(pytest.mark.quick)


@pytest.fixture(scope="session")
def running() -> Iterator[SandboxServer]:
    """The shared server: its databases are made for a module, its roles and settings stay."""
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
