"""Two runs of the same feeds and date take turns: their work never interleaves."""

import time
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from chotso.settings import Settings
from tests.faults.killing import extract, once_at, wait_in
from tests.faults.tally import Tally
from tests.faults.verdict import verdict
from tests.faults.world import NIGHT, World, group_at
from tests.proofs import size
from tests.worlds.children import Child

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(3000)]

_WAITED = 1.0


def test_the_second_waits_for_the_first(small_world: World, tally: Tally, tmp_path: Path) -> None:
    """Wherever the first one is held up, the second begins nothing before it has ended."""
    rng = Random(51)
    for number in range(size(2, 12)):
        point = rng.choice(small_world.points)
        group = group_at(point)
        marker, go_on = tmp_path / f"reached-{number}", tmp_path / f"go-{number}"
        with small_world.copy() as settings:
            held = once_at(point, 1, wait_in(marker, go_on))
            first = Child(extract, settings, NIGHT, tmp_path / "first", group, at=held)
            _until(marker, first)
            begun = _batches(small_world, settings)
            second = Child(extract, settings, NIGHT, tmp_path / "second", group)
            second.join(_WAITED)
            assert second.exitcode is None, "the second did not wait"
            assert _batches(small_world, settings) == begun
            go_on.touch()
            first.join()
            second.join()
            assert [run.exitcode for run in (first, second)] == [0, 0]
            tally.struck("runs at once", point)
            tally.judge(small_world.finish(settings))


def test_two_whole_nights_at_once(small_world: World, tally: Tally, tmp_path: Path) -> None:
    """Started together and left alone; both end well."""
    for _ in range(size(1, 4)):
        with small_world.copy() as settings:
            runs = [Child(extract, settings, NIGHT, tmp_path / f"{n}") for n in range(2)]
            for run in runs:
                run.join()
            assert [run.exitcode for run in runs] == [0, 0]
            tally.struck("runs at once")
            tally.judge(verdict(small_world.admin(settings), settings, small_world.undisturbed))
            tally.judge(small_world.finish(settings))


def test_the_naive_twin_has_rows_twice(small_world: World) -> None:
    """A loader that looks what is missing, and then adds it, without a lock."""
    with small_world.copy() as settings:
        url = small_world.admin(settings)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("create table naive_payment (number int)")
        with psycopg.connect(url) as one, psycopg.connect(url) as other:
            for twin in (one, other):
                twin.execute(
                    "insert into naive_payment select n from generate_series(1, 9) as n "
                    "where n not in (select number from naive_payment)"
                )
            for twin in (one, other):
                twin.commit()
            row = one.execute("select count(*) from naive_payment").fetchone()
        assert row == (18,)


def _until(marker: Path, run: Any) -> None:
    deadline = time.monotonic() + 60
    while not marker.exists():
        assert time.monotonic() < deadline, f"{marker} was not reached by {run}"
        time.sleep(0.02)


def _batches(world: World, settings: Settings) -> list[tuple[object, ...]]:
    """Every batch and its state, whoever has begun it."""
    with psycopg.connect(world.admin(settings)) as conn:
        return conn.execute("select batch_id, status from ops.batch order by 1").fetchall()
