"""People's way through Airflow's web interface, as docs/airflow.md shows it, in Chromium."""

import re

import pytest

from chotso import PROJECT_ROOT
from tests.pipeline.pictures import walk
from tests.pipeline.running import Pipeline
from tests.worlds.chromium import CHROMIUM

pytestmark = [pytest.mark.slow, pytest.mark.pipeline, pytest.mark.warehouse, pytest.mark.browser]

PAGE = (PROJECT_ROOT / "docs" / "airflow.md").read_text(encoding="utf-8")
SHOWN = set(re.findall(r"images/(airflow[\w-]*)\.png", PAGE))


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_every_page_is_reached_and_says_what_a_person_looks_for(pipeline: Pipeline) -> None:
    taken: dict[str, bytes] = {}
    walk(pipeline, taken.__setitem__)
    assert set(taken) == SHOWN
    assert len(set(taken.values())) == len(SHOWN), "each page looks its own way"
