"""Every figure of small hostile worlds, every night, against the independent recomputation."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from chotso.sandbox.server import SandboxServer
from tests.oracle.hostile.turn import CUTOFF, TICK
from tests.oracle.worlds import World
from tests.proofs import record
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(1800)]

QUICK = [2]
SLOW = [seed for seed in range(50) if seed not in QUICK]
SEEDS = [*QUICK, *(pytest.param(seed, marks=pytest.mark.slow) for seed in SLOW)]


@pytest.fixture(scope="module")
def compared() -> Iterator[Counter[str]]:
    """Worlds, states and rows of both facts that agreed."""
    counted: Counter[str] = Counter()
    yield counted
    record("Attainment and arrears against the recomputation", **counted, different=0)


def agreed(warehouse: Product, schema: str, compared: Counter[str]) -> None:
    compared["states"] += 1
    for table in ("fct_monthly_attainment", "fct_arrears_ratio"):
        compared["rows"] += len(warehouse.rows(schema, table))


def new_world(warehouse: Product, seed: int) -> World:
    """Odd seeds plant rows of an unknown agency."""
    return World.create(
        warehouse.source_admin_url,
        warehouse.drop,
        seed,
        reader=SOURCE_LOGIN,
        plant_unknown=seed % 2 == 1,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_every_night_and_every_past_night_agree(
    running: SandboxServer, tmp_path: Path, seed: int, compared: Counter[str]
) -> None:
    with product(running, f"world_{seed}", tmp_path) as warehouse:
        world = new_world(warehouse, seed)
        for _ in world.nights:
            night = world.advance()
            if CUTOFF <= night.clock < CUTOFF + timedelta(minutes=1) and seed % 4 < 2:
                warehouse.final(night.business_date)
            else:
                warehouse.night(night.business_date)
            wrong = warehouse.wrong_figures(world.observations, night.clock)
            assert not wrong, f"{night}\n" + "\n".join(wrong)
            agreed(warehouse, "marts", compared)
        for asked, cutoff in asked_again(world, seed):
            warehouse.rebuild("scratch_past", asked, cutoff)
            wrong = warehouse.wrong_figures(
                world.observations, asked, cutoff, schema="scratch_past"
            )
            assert not wrong, f"{asked} {cutoff}\n" + "\n".join(wrong)
            agreed(warehouse, "scratch_past", compared)
    compared["worlds"] += 1


def asked_again(world: World, seed: int) -> list[tuple[datetime, datetime | None]]:
    """A past night, and the cutoff as known then and now."""
    clocks = [night.clock for night in world.nights]
    final = next(number for number, clock in enumerate(clocks) if clock >= CUTOFF)
    # Just before the next extract nothing more was known than at this one.
    past = clocks[seed % final + 1] - TICK if seed % 2 else clocks[seed % final]
    return [(past, None), (clocks[final], CUTOFF), (clocks[-1], CUTOFF)]


@pytest.mark.slow
def test_a_second_run_of_a_night_changes_no_figure(running: SandboxServer, tmp_path: Path) -> None:
    with product(running, "again", tmp_path) as warehouse:
        world = new_world(warehouse, 3)
        for _ in world.nights[:2]:
            night = world.advance()
            for _ in range(2):
                warehouse.night(night.business_date)
                wrong = warehouse.wrong_figures(world.observations, night.clock)
                assert not wrong, f"{night}\n" + "\n".join(wrong)
