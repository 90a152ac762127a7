"""One embedded PostgreSQL for all modules of a test process that need a server and harm none."""

from collections.abc import Iterator
from typing import Any

import pytest

from chotso.sandbox.server import SandboxServer
from tests.warehouse.build_warehouse import Servers, named_server
from tests.warehouse.own_server import own_server


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Files by world; without xdist nobody asks."""
    from tests.scheduling import make_scheduler

    return make_scheduler(config, log)


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
