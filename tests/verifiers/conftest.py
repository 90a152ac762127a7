"""One Node process for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.verifiers.both import Verifiers, verifiers


@pytest.fixture(scope="session")
def both() -> Iterator[Verifiers]:
    with verifiers() as made:
        yield made
