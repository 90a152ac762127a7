"""One small world and one tally for all fault tests of a session."""

from collections.abc import Iterator

import pytest

from tests.faults.tally import Tally
from tests.faults.world import World, world


@pytest.fixture(scope="session")
def tally() -> Iterator[Tally]:
    counted = Tally()
    yield counted
    counted.keep()


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("faults"), "faults") as made:
        yield made
