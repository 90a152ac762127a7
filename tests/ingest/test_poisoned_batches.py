"""A batch that the warehouse cannot take ends as failed, told without values; the rest goes on."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.ingest import waiting
from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from tests.worlds.quarantine_world import DAY, NUMBER, QuarantineWorld, quarantine_world

pytestmark = pytest.mark.warehouse


@pytest.fixture
def world(running: SandboxServer, tmp_path: Path) -> Iterator[QuarantineWorld]:
    with quarantine_world(running, "poison", tmp_path / "w") as made:
        made.extract("registers")
        yield made


def test_the_next_night_takes_what_the_poisoned_one_left(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.payment("A1", 5)
    world.line("A1", 1, 5)

    def refuses(*_: object) -> None:
        raise psycopg.errors.NumericValueOutOfRange(f'value "{NUMBER}" is out of range')

    with monkeypatch.context() as patched:
        patched.setattr(waiting, "load", refuses)
        stopped = extract_group(world.settings, "contributions", DAY).stopped
    assert len(stopped) == 2
    for told in stopped:
        assert "is failed: the warehouse refused its rows (NumericValueOutOfRange" in told
        assert "Next: " in told
        assert NUMBER not in told
    left = world.rows("select status, reason from ops.batch where feed_group = 'contributions'")
    assert {row["status"] for row in left} == {"failed"}
    assert NUMBER not in str(left)

    world.extract("contributions")
    assert [row["so_tien"] for row in world.in_force("payments")] == [5]


def test_the_naive_twin_tells_the_value(world: QuarantineWorld) -> None:
    with (
        psycopg.connect(world.settings.warehouse_url) as conn,
        pytest.raises(psycopg.DataError) as told,
    ):
        conn.execute("select %s::text::int", [NUMBER])
    assert NUMBER in str(told.value)
