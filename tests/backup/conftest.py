"""A server of its own for backups: they copy all of it, so it should not be the shared one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chotso.sandbox.server import SandboxServer
from chotso.settings import Places, Settings
from tests.worlds.own_server import own_server


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with own_server() as (made, _):
        yield made


@pytest.fixture(scope="module")
def here(running: SandboxServer, settings: Settings) -> Places:
    """The places of the module's world, and a login that may replicate."""
    known = {name: getattr(settings, name) for name in Places.model_fields}
    return Places(**known | {"backup_url": running.admin_url})


@pytest.fixture(scope="module")
def to(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups") / "of [all] #1"
