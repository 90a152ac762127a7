"""Clocks that are wrong by a day: the source's, which is "now", and the machine's, which is not."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest

from chotso.calendar import night_of
from chotso.sandbox.province import advance
from chotso.settings import Settings
from tests.faults.clocks import shift_process, shift_server
from tests.faults.cloning import copy_database, database, drop_database, on
from tests.faults.content import Content, content
from tests.faults.killing import STOPPED, run_in_child
from tests.faults.killing import extract as extract_in_child
from tests.faults.tally import Tally
from tests.faults.verdict import judged
from tests.faults.world import NIGHT, World
from tests.proofs import size

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(3000)]

LATER = date(2021, 11, 15)
_DAY = timedelta(days=1)
_KIND = "clocks wrong by a day"


@dataclass(frozen=True)
class TwoNights:
    """The world, its source as it is nights later, and what both nights leave undisturbed."""

    world: World
    later_source_url: str
    later_drop: Path
    undisturbed: Content

    def later(self, settings: Settings) -> Settings:
        """A case's settings when its source and drop folder have lived on."""
        return settings.model_copy(
            update={"source_url": self.later_source_url, "drop_url": str(self.later_drop)}
        )


@pytest.fixture(scope="module")
def two_nights(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNights]:
    base, folder = small_world.product, tmp_path_factory.mktemp("later")
    name = "tst_later"
    copy_database(base.admin_url, database(base.source_admin_url), name)
    try:
        shutil.copytree(base.drop, folder / "drop")
        shutil.copytree(small_world.folder / "state", folder / "state")
        advance(
            on(base.source_admin_url, name),
            folder / "drop",
            to=night_of(LATER),
            state_dir=folder / "state",
            progress=lambda _: None,
        )
        made = TwoNights(small_world, on(base.settings.source_url, name), folder / "drop", {})
        with small_world.copy() as settings:
            assert small_world.run(settings) == (0, "")
            assert small_world.run(made.later(settings), night=LATER) == (0, "")
            undisturbed = timeless(small_world.admin(settings))
        yield TwoNights(small_world, made.later_source_url, made.later_drop, undisturbed)
    finally:
        drop_database(base.admin_url, name)


def test_the_source_is_a_day_ahead(two_nights: TwoNights, tally: Tally) -> None:
    """What was read then stands; a clock that then goes back is refused until it has caught up."""
    rng = Random(41)
    world = two_nights.world
    for _ in range(size(1, 5)):
        with world.copy() as settings:
            with clock_off(world, settings, _DAY + rng.random() * timedelta(hours=1)) as skewed:
                assert world.run(skewed) == (0, "")
            code, told = world.run(settings)
            assert code == STOPPED
            assert told.count("The source's clock went back") == 5  # one for each group
            assert told.count("Next: have the source's clock set right") == 5
            tally.struck(_KIND)
            finish_later(two_nights, settings, tally)


def test_the_source_is_a_day_behind(two_nights: TwoNights, tally: Tally) -> None:
    """Not before what is known: read, and read again when the clock is right. Else refused."""
    rng = Random(42)
    world = two_nights.world
    for number in range(size(2, 6)):
        is_refused = number % 2 == 1
        days = 3 if is_refused else 1
        with world.copy() as settings:
            offset = -days * _DAY + rng.random() * timedelta(hours=1)
            with clock_off(world, settings, offset) as skewed:
                code, told = world.run(skewed)
            if is_refused:
                assert code == STOPPED
                assert "Next: " in told
                tally.struck(_KIND)
                tally.judge(world.finish(settings))
                continue
            assert code == 0, told
            assert world.run(settings) == (0, "")
            tally.struck(_KIND)
            finish_later(two_nights, settings, tally)


@pytest.mark.parametrize("days", [-1, 1][: size(1, 2)])
def test_the_machine_is_a_day_off(small_world: World, tally: Tally, days: int) -> None:
    """Every clock of the loader and of the warehouse's server shows another day: no row differs."""
    with small_world.copy() as settings:
        shift_server(small_world.admin(settings), days)
        code = run_in_child(_extract_a_day_off, settings, small_world.told, days)
        assert code == 0, small_world.told.read_text(encoding="utf-8")
        with psycopg.connect(small_world.admin(settings)) as conn:
            row = conn.execute(
                "select max(abs(extract(epoch from published_at - pg_catalog.right_now()))) "
                "from ops.batch where known_at = (select max(known_at) from ops.batch)"
            ).fetchone()
        assert row is not None
        assert row[0] > 80_000, "the server's clock was not shifted"
        tally.struck(_KIND)
        tally.judge(small_world.finish(settings))


def test_the_naive_twin_keeps_its_last_run_by_the_wall() -> None:
    """A loader that reads what changed since its own last run, by its own clock."""
    changes = [timedelta(hours=hour) for hour in range(72)]
    loaded: list[timedelta] = []
    last_run = timedelta()
    for now, wall in ((_DAY, 2 * _DAY), (3 * _DAY, 3 * _DAY)):  # a day ahead, then right
        loaded += [at for at in changes if last_run <= at < now]
        last_run = wall
    assert len(loaded) < len(changes)


def finish_later(two_nights: TwoNights, settings: Settings, tally: Tally) -> None:
    """Run the later night and compare every version and open row, whatever its instants."""
    world = two_nights.world
    later = two_nights.later(settings)
    assert world.run(later, night=LATER) == (0, "")
    url = world.admin(settings)
    tally.judge(judged(url, settings, timeless(url), two_nights.undisturbed))


def timeless(url: str) -> Content:
    """The content without the instants at which the warehouse learnt it."""
    return content(url, without={"known_from", "known_to", "first_seen", "last_seen"})


@contextmanager
def clock_off(world: World, settings: Settings, offset: timedelta) -> Iterator[Settings]:
    """Settings of a source whose clock is off by so much, and that is the same otherwise."""
    base, name = world.product, "tst_skewed"
    drop_database(base.admin_url, name)
    copy_database(base.admin_url, database(base.source_admin_url), name)
    try:
        with psycopg.connect(on(base.source_admin_url, name)) as conn:
            conn.execute("update tst.dong_ho set bay_gio = bay_gio + %s", [offset])
        yield settings.model_copy(update={"source_url": on(settings.source_url, name)})
    finally:
        drop_database(base.admin_url, name)


def _extract_a_day_off(settings: Settings, told: Path, days: int) -> None:
    """The extract, in a process whose every clock is days off."""
    shift_process(days)
    extract_in_child(settings, NIGHT, told)
