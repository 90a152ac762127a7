"""A machine whose clock is a day off seals nothing early, and no other root."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from chotso.sandbox.server import SandboxServer
from chotso.verifier.verify import verify
from tests.faults.clocks import shift_server
from tests.worlds import freeze_world as world
from tests.worlds.freeze_world import CUTOFF, PERIODS, count
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.faults]

PROGRAM = """
import sys, time
from chotso.settings import Settings
from tests.faults.clocks import shift_process
from tests.worlds import freeze_world as w
before = time.time()
shift_process(int(sys.argv[3]))
assert abs(time.time() - before) > 80_000 * abs(int(sys.argv[3]))
print(w.seal(Settings.model_validate_json(sys.argv[1]), sys.argv[2]).root_sha256)
"""


def freeze_off(made: Product, days: int) -> "subprocess.CompletedProcess[str]":
    """A freeze in a process whose every clock is days off."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, made.settings.model_dump_json(), PERIODS[0], str(days)],
        capture_output=True, text=True, cwd=world.PROJECT, env=dict(os.environ), timeout=240,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def right(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The root that machines whose clocks are right seal."""
    with product(running, "clocks_right", tmp_path_factory.mktemp("right")) as made:
        world.prepare(made.settings, made.source_admin_url)
        done = freeze_off(made, 0)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_day_off_changes_neither_the_hour_nor_the_root(
    running: SandboxServer, tmp_path: Path, right: str, days: int
) -> None:
    with product(running, f"clocks_{days + 1}", tmp_path) as made:
        world.prepare(made.settings, made.source_admin_url)
        shift_server(made.admin_url, days)
        with psycopg.connect(made.admin_url) as conn:
            off = conn.execute("select now() - pg_catalog.right_now()").fetchone()
        assert off == (timedelta(days=days),)

        world.set_clock(made.source_admin_url, CUTOFF - timedelta(microseconds=1))
        early = freeze_off(made, days)
        assert early.returncode == 1
        assert "has not come: by the source's clock" in early.stderr
        assert count(made.settings, "select count(*) from frozen.release") == 0

        world.set_clock(made.source_admin_url, CUTOFF)
        done = freeze_off(made, days)
        assert (done.returncode, done.stdout.strip()) == (0, right), done.stderr
        assert verify(made.settings.releases_dir, right).status == "verified"
