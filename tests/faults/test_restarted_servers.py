"""The server is restarted, or a run's sessions are ended, in the middle of its work."""

from random import Random

import psycopg
import pytest

from tests.faults.broken_server import end_sessions, restart
from tests.faults.cloning import database
from tests.faults.killing import once_at
from tests.faults.tally import Tally
from tests.faults.world import World
from tests.proofs import size

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(3000)]

_IN_A_TRANSACTION = ("landing.", "loading.", "publishing.")


@pytest.mark.parametrize("mode", ["fast", "immediate", "sessions"])
def test_restarted_in_mid_transaction(small_world: World, tally: Tally, mode: str) -> None:
    """The run goes on with what it can; a second run finishes the rest."""
    rng = Random(f"restart {mode}")
    points = [p for p in small_world.points if p.startswith(_IN_A_TRANSACTION)]
    for _ in range(size(1, 6)):
        point = rng.choice(points)
        with small_world.copy() as settings:

            def fault() -> None:
                if mode == "sessions":
                    end_sessions(small_world.product.admin_url, database(settings.warehouse_url))
                else:
                    restart(small_world.home, mode)

            code, told = small_world.run(settings, at=once_at(point, 1, fault))
            if point.startswith("landing.") and mode == "sessions":
                assert code in (0, 3, 4), told  # the source's own session went on
            else:
                assert code != 0, point
            tally.struck("server restarts", point)
            tally.judge(small_world.finish(settings))


def test_the_naive_twin_has_rows_twice(small_world: World) -> None:
    """A loader without a transaction that starts over when its session was ended."""
    with small_world.copy() as settings:
        url = small_world.admin(settings)
        name = database(settings.warehouse_url)
        with psycopg.connect(url, autocommit=True) as twin:
            twin.execute("create table naive_payment (number int)")
        with pytest.raises(psycopg.OperationalError):
            _naive_load(url, lambda: end_sessions(small_world.product.admin_url, name))
        _naive_load(url, lambda: None)
        with psycopg.connect(url) as twin:
            row = twin.execute(
                "select count(*), count(distinct number) from naive_payment"
            ).fetchone()
        assert row is not None
        assert row[0] > row[1]


def _naive_load(url: str, fault: object) -> None:
    with psycopg.connect(url, autocommit=True) as twin:
        for number in range(20):
            if number == 10 and callable(fault):
                fault()
            twin.execute("insert into naive_payment values (%s)", [number])
