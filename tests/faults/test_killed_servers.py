"""PostgreSQL killed in the middle of an extract: after its recovery a second run finishes it."""

import os
import signal
from collections.abc import Callable
from random import Random

import psycopg
import pytest

from chotso.settings import Settings
from tests.faults.broken_server import bring_up, emptied, kill_backends, kill_server
from tests.faults.cloning import database
from tests.faults.killing import CRASHED, once_at, was_killed
from tests.faults.killing import extract as extract_in_child
from tests.faults.tally import Tally
from tests.faults.world import NIGHT, World
from tests.proofs import size
from tests.worlds.children import Child

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(3000)]

_KIND = "kills of PostgreSQL"
# Between these the rows stand in an unlogged table alone, which recovery empties.
_LOADED = ("loaded.", "publishing.", "publishing.before-commit.")


def test_killed_with_the_loaded_rows(small_world: World, tally: Tally) -> None:
    """Between load and publish: the emptied landing table is not taken for the batch."""
    points = [p for p in small_world.points if p.startswith(_LOADED)]
    for point in Random(21).sample(points, size(1, len(points))):
        with small_world.copy() as settings:
            fault = faults(small_world, settings)["server"]
            code, told = small_world.run(settings, at=once_at(point, 1, fault))
            assert code not in (0, CRASHED), told
            assert "Next: " in told
            bring_up(small_world.home)
            if _has_rows(small_world, settings):
                assert emptied(small_world.admin(settings)) > 0
            tally.struck(_KIND, point)
            tally.judge(small_world.finish(settings))


def test_killed_anywhere(small_world: World, tally: Tally) -> None:
    """The server, a session of it, or the server and the loader at once."""
    rng = Random(22)
    for number in range(size(3, 45)):
        with small_world.copy() as settings:
            kind = ("server", "session", "both")[number % 3]
            fault = faults(small_world, settings)[kind]
            point = rng.choice(small_world.points)
            code, told = small_world.run(settings, at=once_at(point, 1, fault))
            bring_up(small_world.home)
            assert code != 0, point
            assert was_killed(code) == (kind == "both"), f"{point}: {told}"
            tally.struck(_KIND, point)
            tally.judge(small_world.finish(settings))


def test_killed_at_random_instants(small_world: World, tally: Tally) -> None:
    """Wherever the run just is."""
    rng = Random(23)
    for _ in range(size(1, 20)):
        with small_world.copy() as settings:
            child = Child(extract_in_child, settings, NIGHT, small_world.told)
            child.join(rng.uniform(0.1, small_world.seconds))
            kill_server(small_world.home)
            child.join()
            bring_up(small_world.home)
            tally.struck(_KIND)
            tally.judge(small_world.finish(settings))


def test_the_naive_twin_publishes_an_emptied_table(small_world: World) -> None:
    """A loader that goes on with its landing table after a crash, without a look at a manifest."""
    with small_world.copy() as settings:
        url = small_world.admin(settings)
        with psycopg.connect(url, autocommit=True) as twin:
            twin.execute("create unlogged table naive_landing as select * from raw.payments")
        kill_server(small_world.home)
        bring_up(small_world.home)
        with psycopg.connect(url, autocommit=True) as twin:
            twin.execute("create table naive_published as select * from naive_landing")
            row = twin.execute("select count(*) from naive_published").fetchone()
            there = twin.execute("select count(*) from raw.payments").fetchone()
        assert row is not None
        assert there is not None
        assert row[0] < there[0]


def faults(world: World, settings: Settings) -> dict[str, Callable[[], None]]:
    """What a run's own process does at the place it is told."""

    def both() -> None:
        kill_server(world.home)
        os.kill(os.getpid(), signal.SIGKILL)

    admin_url = world.product.admin_url
    return {
        "server": lambda: kill_server(world.home),
        "session": lambda: kill_backends(admin_url, database(settings.warehouse_url)),
        "both": both,
    }


def _has_rows(world: World, settings: Settings) -> bool:
    """Whether a landed batch that waits to be published has rows."""
    with psycopg.connect(world.admin(settings)) as conn:
        row = conn.execute(
            "select count(*) from ops.batch join pg_tables on tablename = batch_id "
            "where schemaname = 'landing' and status = 'running' "
            "and (landing_files -> 'data' ->> 'rows')::bigint > 0"
        ).fetchone()
    return row is not None and row[0] > 0
