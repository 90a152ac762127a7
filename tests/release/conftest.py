"""A warehouse for the freezes of a module, and its settings, emptied for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from tests.worlds import freeze_world
from tests.worlds.product import Product, product


@pytest.fixture(scope="module")
def made(
    running: SandboxServer,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Product]:
    """The module's own warehouse."""
    name = request.module.__name__.rpartition("test_")[2]
    with product(running, name, tmp_path_factory.mktemp(name)) as made:
        yield made


@pytest.fixture
def settings(made: Product, tmp_path: Path) -> Settings:
    """The emptied warehouse with one night, and a folder of releases of the test's own."""
    return freeze_world.fresh(made, tmp_path / "releases")
