"""A night that is killed anywhere and run again leaves what an undisturbed night leaves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.calendar import night_of
from chotso.sandbox.province import advance, seed
from tests.faults.cloning import admin, cloned
from tests.faults.content import Content, content, differences
from tests.faults.killing import extract, night, run_in_child, was_killed
from tests.faults.tally import Tally
from tests.faults.verdict import verdict
from tests.proofs import size
from tests.worlds.own_server import own_server
from tests.worlds.product import Product, product

pytestmark = [pytest.mark.proof, pytest.mark.faults, pytest.mark.timeout(1800)]

BEFORE, NIGHT = date(2021, 11, 10), date(2021, 11, 12)  # a plan revision arrives in between
POINTS = [
    "landing.payments",
    "landed.employers",
    "landed.c12",
    "land.before-ledger.contributions",
    "land.done.registers",
    "land.done.c12",
    "loading.participations",
    "loaded.allocations",
    "publishing.payments",
    "publishing.before-commit.allocations",
    "publishing.before-commit.c12",
    "published.agencies",
    "published.plans",
    "build.begun",
    "build.built",
    "exposing.before-commit",
    "build.exposed",
]


@dataclass(frozen=True)
class Scene:
    """A warehouse before the night, to be cloned, and what an undisturbed night makes of it."""

    product: Product
    folder: Path
    undisturbed: Content


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("killed")
    with (
        own_server() as (running, _),
        product(running, "killed", folder / "base") as base,
    ):
        place = (base.source_admin_url, base.drop)
        state = folder / "state"
        seed(
            *place,
            persons=1_000,
            employers=60,
            year=2021,
            seed=3,
            defects="some",
            state_dir=state,
            progress=lambda _: None,
        )
        advance(*place, to=night_of(BEFORE), state_dir=state, progress=lambda _: None)
        run_in_child(extract, base.settings, BEFORE, folder / "told")  # defects may stop a file
        run_build(base.settings)  # here, so that the children need not parse the project
        advance(*place, to=night_of(NIGHT), state_dir=state, progress=lambda _: None)
        with cloned(base, folder, "undisturbed") as settings:
            assert run_in_child(night, settings, NIGHT) == 0
            undisturbed = content(admin(base, settings))
        yield Scene(base, folder, undisturbed)


@pytest.mark.parametrize("point", Random(5).sample(POINTS, size(3, len(POINTS))))
def test_a_killed_night_run_again_leaves_the_same(scene: Scene, tally: Tally, point: str) -> None:
    name = point.replace(".", "_").replace("-", "_")
    with cloned(scene.product, scene.folder, name) as settings:
        killed = run_in_child(night, settings, NIGHT, failpoint=point)
        assert was_killed(killed), f"{point} was not reached"
        assert run_in_child(night, settings, NIGHT) == 0
        tally.struck("kills of the loader", point)
        tally.judge(verdict(admin(scene.product, settings), settings, scene.undisturbed))


def test_a_night_run_twice_changes_nothing(scene: Scene) -> None:
    with cloned(scene.product, scene.folder, "twice") as settings:
        assert run_in_child(night, settings, NIGHT) == 0
        assert run_in_child(night, settings, NIGHT) == 0
        found = content(admin(scene.product, settings))
        assert not differences(found, scene.undisturbed)


def test_the_naive_twin_loses_rows(scene: Scene) -> None:
    """A loader that keeps its position apart from its rows; so the test above can fail."""
    with cloned(scene.product, scene.folder, "naive") as settings:
        url = admin(scene.product, settings)
        naive_load(settings.source_url, url, killed_between=True)
        naive_load(settings.source_url, url, killed_between=False)
        with psycopg.connect(url) as twin, psycopg.connect(settings.source_url) as source:
            loaded = twin.execute("select count(*) from public.naive_payment").fetchone()
            there = source.execute("select count(*) from tst.chung_tu").fetchone()
        assert loaded is not None
        assert there is not None
        assert loaded[0] < there[0]


def naive_load(source_url: str, url: str, *, killed_between: bool) -> None:
    """Rows changed after the kept position; the position is committed before the rows."""
    with psycopg.connect(url, autocommit=True) as twin, psycopg.connect(source_url) as source:
        twin.execute("create table if not exists public.naive_payment (number text primary key)")
        twin.execute("create table if not exists public.naive_position (at timestamptz)")
        row = twin.execute("select coalesce(max(at), '2000-01-01') from naive_position").fetchone()
        rows = source.execute(
            "select so_chung_tu, ngay_sua from tst.chung_tu where ngay_sua > %s", row
        ).fetchall()
        if rows:
            newest = max(changed for _, changed in rows)
            twin.execute("insert into naive_position values (%s)", [newest])
        if killed_between:
            return
        for number, _ in rows:
            twin.execute("insert into naive_payment values (%s) on conflict do nothing", [number])
