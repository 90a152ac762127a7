"""A release that the product sealed, papers and all: a turned bit is found wherever it is.

All eight bits of every byte are turned in a smaller bundle: tests/verifiers/test_mutations.py.
"""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from chotso.sandbox.server import SandboxServer
from tests.proofs import record, size
from tests.verifiers.both import verifiers
from tests.worlds import freeze_world as world
from tests.worlds.product import product

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(10_800)]

BITS = size(100, 20_000)


@pytest.fixture
def sealed(running: SandboxServer, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A copy of a sealed bundle in memory, where the machine has a folder there, and its root."""
    memory = Path("/dev/shm")
    with product(running, "bits", tmp_path / "home") as made:
        report = world.seal(world.fresh(made, tmp_path / "releases"))
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        shutil.copytree(report.bundle, Path(folder) / "b")
        yield Path(folder) / "b", report.root_sha256


def test_turned_bits_of_a_sealed_release(sealed: tuple[Path, str]) -> None:
    bundle, root = sealed
    chance = random.Random(8)
    files = [path for path in sorted(bundle.rglob("*")) if path.is_file()]
    under_the_root = [path for path in files if path.name != "signature.pdf"]
    places = [(path, place) for path in under_the_root for place in range(path.stat().st_size)]
    tried = [(*place, chance.randrange(8)) for place in chance.sample(places, BITS)]
    with verifiers() as both:
        assert both.ask(bundle, root)["status"] == "verified"
        for path, place, bit in tried:
            raw = path.read_bytes()
            changed = bytearray(raw)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            assert both.ask(bundle, root)["status"] == "failed", (path, place, bit)
            path.write_bytes(raw)
        assert both.ask(bundle, root)["status"] == "verified"
    record(
        "turned bits of a sealed release",
        files=len(under_the_root), bytes=sum(path.stat().st_size for path in under_the_root),
        bits_changed=len(tried), found=len(tried),
    )  # fmt: skip
