"""A hostile world after the turn of the year: its period is sealed, and two nights followed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from chotso.ingest.night import extract_all
from chotso.migrate import migrate
from chotso.release.seal.checks import Override
from chotso.release.seal.freeze import FreezeReport, freeze
from chotso.sandbox.server import SandboxServer
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.worlds import Night, World
from tests.worlds.deep_world import SPRINT, Lived, sealed
from tests.worlds.freeze_world import shorten_reports
from tests.worlds.product import SOURCE_LOGIN, Product, product

SEED = 67
"""Has accounts of every month, transfers, revised plans, and rows of every feed set aside."""


@dataclass(frozen=True)
class Asked:
    """A warehouse whose readers are asked, and what its extracts could know.

    Attributes:
        built: Nights whose figures readers were shown, oldest first.
        sealed_at: What the sealed release knew.
    """

    warehouse: Product
    world: World
    built: list[Night]
    sealed_at: datetime


@contextmanager
def asked(running: SandboxServer, folder: Path, seed: int = SEED) -> Iterator[Asked]:
    """A night that only reads, the freeze at the cutoff, then the nights that readers see."""
    with product(running, f"questions_{seed}", folder) as warehouse:
        world = World.create(
            warehouse.source_admin_url,
            warehouse.drop,
            seed,
            reader=SOURCE_LOGIN,
            plant_unknown=True,
        )
        # the first night of the new year still shows the closed one
        *before, last = world.nights
        world.nights = [*before, Night(last.clock - timedelta(days=1), date(2022, 1, 1))]
        built: list[Night] = []
        sealed_at = CUTOFF
        for _ in world.nights:
            night = world.advance()
            if CUTOFF <= night.clock < CUTOFF + timedelta(minutes=1):
                sealed_at = night.clock
                _seal(warehouse)
            elif night.clock < CUTOFF:
                stopped = extract_all(warehouse.settings, night.business_date)
                assert not [sentence for report in stopped for sentence in report.stopped]
            else:
                warehouse.night(night.business_date)
                built.append(night)
        migrate(warehouse.settings)  # the groups of agencies' readers
        yield Asked(warehouse, world, built, sealed_at)


def _seal(warehouse: Product) -> None:
    def make(override: Override | None) -> FreezeReport:
        return freeze(warehouse.settings, SPRINT, override=override)

    with pytest.MonkeyPatch.context() as patch:
        shorten_reports(patch)
        sealed(make, Lived(warehouse))
