"""People's way through Airflow's web interface, as docs/airflow.md shows it, in Chromium."""

import re
from pathlib import Path

import pytest
from PIL import Image

from chotso import PROJECT_ROOT
from tests.pipeline.pictures import walk
from tests.pipeline.running import Pipeline
from tests.worlds.chromium import CHROMIUM

pytestmark = [pytest.mark.slow, pytest.mark.pipeline, pytest.mark.warehouse, pytest.mark.browser]

SHOWN = set(
    re.findall(
        r"images/(airflow[\w-]*)\.png",
        (PROJECT_ROOT / "docs" / "airflow.md").read_text(encoding="utf-8"),
    )
)
_FEWEST_COLOURS = 20  # a page that is still empty has less


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_every_page_is_reached_and_says_what_a_person_looks_for(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    walk(pipeline, tmp_path)
    taken = {path.stem: path for path in tmp_path.glob("*.png")}
    assert set(taken) == SHOWN
    for name, path in taken.items():
        with Image.open(path) as picture:
            colours = picture.convert("RGB").getcolors(maxcolors=1 << 20)
        assert colours is not None, name
        assert len(colours) > _FEWEST_COLOURS, name
