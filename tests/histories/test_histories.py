"""However late, repeated, reordered or crowded things arrive, the end is the clean run's."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chotso.sandbox.server import SandboxServer
from tests.faults.content import content
from tests.histories import naive
from tests.histories.disturbance import History, clean, disturbed, only_repeated
from tests.histories.ending import against_the_world, broken_books, differences, ending
from tests.histories.life import Life, live
from tests.histories.runs import Stage
from tests.proofs import record, size
from tests.worlds.product import product

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(3600)]

REPEATS_EVERY = 6
HISTORIES = size(12, 200)
AT_ONCE = 20
KINDS = (
    "delivered late",
    "delivered twice",
    "renamed",
    "csv instead of xlsx",
    "split over nights",
    "files between two runs of a night",
    "cut short, then whole",
    "night skipped",
    "run twice",
    "two processes",
    "--full",
)


@dataclass
class Done:
    """What was played so far, over all tests of this module."""

    histories: int = 0
    wrong: int = 0
    seconds: float = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, history: History, is_wrong: bool, seconds: float) -> None:
        self.histories += 1
        self.wrong += is_wrong
        self.seconds += seconds
        self.kinds.update(history.kinds)

    def record(self) -> None:
        record(
            "redelivery, disorder, concurrency",
            histories=self.histories,
            histories_that_end_otherwise=self.wrong,
            **{kind.replace(" ", "_").strip("-"): self.kinds[kind] for kind in KINDS},
            seconds_per_history=round(self.seconds / self.histories, 1),
        )


DONE = Done()


@pytest.fixture(scope="module")
def stage(running: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("histories")
    with product(running, "histories", folder / "base") as base:
        stage = Stage(base, folder)
        try:
            yield stage
        finally:
            stage.end()


@pytest.mark.parametrize("first", range(0, HISTORIES, AT_ONCE))
def test_every_history_ends_as_the_clean_run(stage: Stage, tmp_path: Path, first: int) -> None:
    wrong: list[str] = []
    for seed in range(first, min(first + AT_ONCE, HISTORIES)):
        began = time.monotonic()
        life = live(seed)
        play = _repeats if seed % REPEATS_EVERY == 0 else _disturbs
        told, history = play(stage, life, seed, tmp_path / str(seed))
        wrong += [f"history {seed}: {line}" for line in told]
        DONE.add(history, bool(told), time.monotonic() - began)
    DONE.record()
    assert not wrong, "\n".join(wrong[:60])


def test_every_kind_of_disturbance_occurred() -> None:
    if not DONE.histories:
        pytest.skip("no history was played")
    missing = [kind for kind in KINDS if not DONE.kinds[kind]]
    assert not missing, f"no history had {missing}"


def _disturbs(stage: Stage, life: Life, seed: int, folder: Path) -> tuple[list[str], History]:
    history = disturbed(life, seed, folder / "disturbed")
    with stage.place(f"d{seed}") as there, stage.place(f"c{seed}") as undisturbed:
        beside = stage.play_beside(undisturbed, life, clean(life, folder / "clean"))
        wrong = stage.play(there, life, history) + beside.result()
        wrong += differences(ending(there.admin_url), ending(undisturbed.admin_url))
        wrong += broken_books(there.admin_url)
        wrong += against_the_world(there.admin_url, life)
    return wrong, history


def _repeats(stage: Stage, life: Life, seed: int, folder: Path) -> tuple[list[str], History]:
    """Where only runs were repeated everything is compared, the times of knowledge too."""
    history, plain = only_repeated(life, seed, folder)
    with stage.place(f"d{seed}") as there, stage.place(f"c{seed}") as undisturbed:
        beside = stage.play_beside(undisturbed, life, plain)
        wrong = stage.play(there, life, history) + beside.result()
        wrong += differences(content(there.admin_url), content(undisturbed.admin_url))
        wrong += broken_books(there.admin_url)
        wrong += against_the_world(there.admin_url, life)
    return wrong, history


@pytest.mark.parametrize(
    "twin", [naive.cursor_without_overlap, naive.last_file_wins, naive.insert_only]
)
def test_the_naive_twins_end_otherwise(
    twin: Callable[[Life, History], bool], tmp_path: Path
) -> None:
    seeds = [seed for seed in range(12) if seed % REPEATS_EVERY]
    right = [
        seed
        for seed in seeds
        if twin(life := live(seed), disturbed(life, seed, tmp_path / str(seed)))
    ]
    assert len(right) < len(seeds) // 2, f"{twin.__name__} is right in {right}"
