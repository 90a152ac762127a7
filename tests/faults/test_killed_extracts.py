"""An extract killed anywhere, once or many times, leaves what an undisturbed one leaves."""

from random import Random

import psycopg
import pytest

from tests.faults.killing import die_at, was_killed
from tests.faults.tally import Tally
from tests.faults.world import World, group_at
from tests.proofs import size

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(3000)]

_KILLS_A_COPY = 5
_KIND = "kills of the loader"


def test_killed_at_every_point_in_turn(small_world: World, tally: Tally) -> None:
    """Every run but the last dies, each a step later than the one before."""
    with small_world.copy() as settings:
        for point in small_world.points:
            code, told = small_world.run(settings, at=die_at(point), group=group_at(point))
            assert was_killed(code), f"{point} was not reached: {told}"
            tally.struck(_KIND, point)
        tally.judge(small_world.finish(settings))


def test_killed_once(small_world: World, tally: Tally) -> None:
    """A copy of its own for every point: what the next kill would cover up shows here."""
    points = Random(11).sample(small_world.points, size(2, len(small_world.points)))
    for point in points:
        with small_world.copy() as settings:
            code, told = small_world.run(settings, at=die_at(point))
            assert was_killed(code), f"{point} was not reached: {told}"
            tally.struck(_KIND, point)
            tally.judge(small_world.finish(settings))


def test_killed_at_random_instants(small_world: World, tally: Tally) -> None:
    """Wherever the run just is, named place or not."""
    rng = Random(12)
    killed = 0
    for _ in range(size(1, 25)):
        with small_world.copy() as settings:
            for _ in range(_KILLS_A_COPY):
                instant = rng.uniform(0, small_world.seconds)
                code, _ = small_world.run(settings, kill_after=instant)
                killed += was_killed(code)
                if was_killed(code):
                    tally.struck(_KIND)
            tally.judge(small_world.finish(settings))
    assert killed >= size(2, 75)


def test_the_naive_twin_has_rows_twice(small_world: World) -> None:
    """A loader that commits block by block and begins anew after a kill."""
    with small_world.copy() as settings:
        url = small_world.admin(settings)
        with psycopg.connect(url, autocommit=True) as twin:
            twin.execute("create table public.naive_payment (number text)")
            with psycopg.connect(settings.source_url) as source:
                found = source.execute("select so_chung_tu from tst.chung_tu order by 1").fetchall()
            half = len(found) // 2
            for rows in (found[:half], found):  # killed after half of it, and run again
                with twin.cursor() as cursor:
                    cursor.executemany("insert into naive_payment values (%s)", rows)
            row = twin.execute("select count(*) from naive_payment").fetchone()
        assert row is not None
        assert row[0] > len(found)
