"""Takes the pictures of Airflow's web interface, with a small province of its own.

Needs Debian's chromium-headless-shell. It runs three nights, one of them by the form, then a build
that a data test stops: some minutes. `tests/pipeline/test_pictures.py` walks the same way.

    .venv/bin/python docs/images/airflow.py
"""

import io
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.pipeline.pictures import walk  # noqa: E402
from tests.pipeline.running import running_pipeline  # noqa: E402


def keep(name: str, png: bytes) -> None:
    """Write it in as few bytes as its few colours need."""
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(96, dither=Image.Dither.NONE)
    few.save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    with running_pipeline() as pipeline:
        walk(pipeline, keep)
