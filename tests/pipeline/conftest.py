"""One pipeline for all nights of a module."""

from collections.abc import Iterator

import pytest

from tests.pipeline.running import Pipeline, running_pipeline


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with running_pipeline() as made:
        yield made
