"""One sealed warehouse for all attacks: each of them is undone."""

from collections.abc import Iterator

import pytest

from tests.attacks.sealed_world import SealedWorld, sealed_world


@pytest.fixture(scope="package")
def world() -> Iterator[SealedWorld]:
    with sealed_world() as world:
        yield world
