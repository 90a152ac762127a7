"""Homes for the tests of the embedded PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds.sandbox_homes import new_home


@pytest.fixture(autouse=True, scope="module")
def _no_demanded_port() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CHOTSO_PG_PORT", raising=False)
        yield


@pytest.fixture
def home() -> Iterator[Path]:
    with new_home() as path:
        yield path
