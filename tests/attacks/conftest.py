"""One sealed warehouse for all attacks, each of them undone; and one with what others planted."""

from collections.abc import Iterator

import pytest

from tests.attacks.planted_names import planted_warehouse
from tests.attacks.sealed_world import SealedWorld, sealed_world
from tests.worlds.build_warehouse import Warehouse


@pytest.fixture(scope="package")
def world() -> Iterator[SealedWorld]:
    with sealed_world() as world:
        yield world


@pytest.fixture(scope="package")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with planted_warehouse(tmp_path_factory.mktemp("names")) as made:
        yield made
