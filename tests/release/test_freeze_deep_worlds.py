"""The releases of hostile worlds, made again to the byte from the landing archive alone."""

import json
from pathlib import Path

import pytest

from chotso.sandbox.server import SandboxServer
from tests.worlds.deep_world import correct, live, made_again
from tests.worlds.product import product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(1800)]

SEEDS = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20)]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_release_of_a_world_is_made_again(
    running: SandboxServer, tmp_path: Path, seed: int
) -> None:
    with product(running, f"deep_{seed}", tmp_path) as warehouse:
        lived = live(warehouse, seed, rehearse=True)
        correct(lived)
        for kind, report in lived.releases.items():
            inputs = json.loads((report.bundle / "manifest.json").read_bytes())["inputs"]
            assert lived.restated in {each.get("delivery_name") for each in inputs}
            again = made_again(running, lived, report, tmp_path / kind)
            assert again.findings == [], kind
            assert again.root_sha256 == report.root_sha256
