"""One small world and one tally for all fault tests; both end with them.

While the world stands, temporary files of its process lie in it.
"""

from collections.abc import Iterator

import pytest

from tests.faults.tally import Tally
from tests.faults.world import World, world


@pytest.fixture(scope="package")
def tally() -> Iterator[Tally]:
    counted = Tally()
    yield counted
    counted.keep()


@pytest.fixture(scope="package")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("faults"), "faults") as made:
        yield made
