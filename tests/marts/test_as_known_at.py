"""Any past night, asked for again: the figures of then, whatever became known since."""

import hashlib
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from chotso.errors import ChotsoError
from chotso.sandbox.server import SandboxServer
from tests.oracle.hostile.turn import CUTOFF, TICK
from tests.oracle.worlds import World
from tests.proofs import record, size
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.slow, pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(5000)]

WORLDS = size(1, 14)
ASKED_PER_NIGHT = size(1, 2)
TABLES = ("fct_monthly_attainment", "fct_arrears_ratio")
Question = tuple[datetime, datetime | None]


class Archive:
    """Past builds asked for so far: what each answered, and how many cells were judged."""

    def __init__(self, warehouse: Product, world: World) -> None:
        self.warehouse = warehouse
        self.world = world
        self.answers: dict[Question, str] = {}
        self.builds = 0
        self.cells = 0

    def ask(self, question: Question) -> None:
        """Build it again; equal to the recomputation, and to what it answered before."""
        asked, cutoff = question
        self.warehouse.rebuild("scratch_past", asked, cutoff)
        wrong = self.warehouse.wrong_figures(
            self.world.observations, asked, cutoff, schema="scratch_past"
        )
        assert not wrong, f"{asked} {cutoff}\n" + "\n".join(wrong)
        digest = hashlib.sha256()
        for table in TABLES:
            rows = [repr(sorted(row.items())) for row in self.warehouse.rows("scratch_past", table)]
            digest.update("\n".join(sorted(rows)).encode())
            self.cells += len(rows)
        assert self.answers.setdefault(question, digest.hexdigest()) == digest.hexdigest()
        self.builds += 1


def test_past_builds_equal_the_recomputation_and_never_change(
    running: SandboxServer, tmp_path: Path
) -> None:
    builds = cells = 0
    for seed in range(100, 100 + WORLDS):
        with product(running, f"past_{seed}", tmp_path / str(seed)) as warehouse:
            world = World.create(
                warehouse.source_admin_url, warehouse.drop, seed, reader=SOURCE_LOGIN
            )
            archive = Archive(warehouse, world)
            random = Random(seed)
            for _ in world.nights:
                night = world.advance()
                warehouse.night(night.business_date)
                for question in questions(random, [o.known_at for o in world.observations]):
                    archive.ask(question)
                with pytest.raises(ChotsoError, match="outside what the warehouse knows"):
                    warehouse.rebuild("scratch_past", night.clock + TICK)
            # what was asked first is asked last once more: everything else came in between
            archive.ask(next(iter(archive.answers)))
            builds, cells = builds + archive.builds, cells + archive.cells
    assert builds >= size(4, 100)
    assert cells >= size(3_000, 10_000)
    record("As known at", histories=WORLDS, past_builds=builds, rows_compared=cells, different=0)


def questions(random: Random, clocks: list[datetime]) -> list[Question]:
    """Instants of nights and between them, with and without the cutoff."""
    asked: list[Question] = []
    for _ in range(ASKED_PER_NIGHT):
        number = random.randrange(len(clocks))
        later = clocks[number + 1] if number + 1 < len(clocks) else None
        # just before the next extract nothing more was known than at this one
        instants = [clocks[number], *([later - TICK] if later else [])]
        asked.append((random.choice(instants), random.choice([None, CUTOFF])))
    return asked
