"""Of a chain of twenty releases nothing can be taken out, put in, exchanged or rolled back."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.proofs import IS_FULL, record
from tests.verifiers.both import Verifiers, codes
from tests.worlds import bundles

pytestmark = pytest.mark.proof

# Ten periods, each sealed and then corrected once, in the order of sealing.
CHAIN = [(f"p{number}", is_first) for number in range(10) for is_first in (True, False)]


def release(number: int) -> dict[str, Any]:
    period, is_first = CHAIN[number]
    changes: dict[str, Any] = {"period_id": period, "release_id": period}
    if not is_first:
        changes |= {"release_id": f"{period}-c1", "kind": "corrigendum", "corrects": period}
    return changes


def seal_in_order(folder: Path, numbers: list[int]) -> str:
    """Releases in this order, each following the one before; the newest root."""
    root = None
    roots: dict[str, str] = {}
    for number in numbers:
        changes = release(number) | {"previous_root": root}
        if changes.get("corrects") in roots:
            changes["correction"] = bundles.correction(roots[changes["corrects"]])
        root = roots[changes["release_id"]] = bundles.make(
            folder / changes["release_id"], **changes
        )
    assert root is not None
    return root


@pytest.fixture
def chain(tmp_path: Path) -> tuple[Path, str]:
    return tmp_path / "r", seal_in_order(tmp_path / "r", list(range(len(CHAIN))))


def some(cases: list[int]) -> list[int]:
    return cases if IS_FULL else random.Random(3).sample(cases, 3)


def folder_of(chain: Path, number: int) -> Path:
    return chain / str(release(number)["release_id"])


def test_twenty_releases_are_one_chain(both: Verifiers, chain: tuple[Path, str]) -> None:
    answer = both.ask(*chain)
    assert (answer["status"], answer["release_id"]) == ("verified", "p9-c1")


def test_any_of_them_taken_away(both: Verifiers, chain: tuple[Path, str], tmp_path: Path) -> None:
    cases = some(list(range(len(CHAIN))))
    for number in cases:
        folder_of(chain[0], number).rename(tmp_path / "away")
        found = codes(both.ask(*chain))
        assert found >= ({"anchor"} if number == len(CHAIN) - 1 else {"chain-gap"}), number
        (tmp_path / "away").rename(folder_of(chain[0], number))
    record("releases taken out of a chain of twenty", cases=len(cases), found=len(cases))


def test_rolled_back_to_any_of_them(
    both: Verifiers, chain: tuple[Path, str], tmp_path: Path
) -> None:
    cases = some(list(range(1, len(CHAIN))))
    for length in cases:
        shutil.copytree(chain[0], tmp_path / "back")
        for number in range(length, len(CHAIN)):
            shutil.rmtree(folder_of(tmp_path / "back", number))
        assert codes(both.ask(tmp_path / "back", chain[1])) == {"anchor"}
        assert both.ask(tmp_path / "back")["status"] == "unanchored"
        shutil.rmtree(tmp_path / "back")
    record("a chain of twenty rolled back", cases=len(cases), found=len(cases))


def test_a_fork_after_any_of_them(both: Verifiers, chain: tuple[Path, str]) -> None:
    cases = some(list(range(len(CHAIN) - 1)))
    for number in cases:
        before = bundles.sha256((folder_of(chain[0], number) / "manifest.json").read_bytes())
        other = {"period_id": "other", "release_id": "other", "previous_root": before}
        bundles.make(chain[0] / "other", **other)
        assert codes(both.ask(*chain)) >= {"chain-fork"}
        shutil.rmtree(chain[0] / "other")
    record("forks of a chain of twenty", cases=len(cases), found=len(cases))


def test_any_two_exchanged_and_sealed_anew(
    both: Verifiers, chain: tuple[Path, str], tmp_path: Path
) -> None:
    cases = some(list(range(len(CHAIN) - 1)))
    for number in cases:
        order = list(range(len(CHAIN)))
        order[number], order[number + 1] = order[number + 1], order[number]
        forged = seal_in_order(tmp_path / "forged", order)
        assert codes(both.ask(tmp_path / "forged", chain[1])) >= {"anchor"}
        # Even with the forger's own anchor, a corrigendum cannot stand before its original.
        wanted = {"chain-order"} if CHAIN[number][1] else set()
        assert codes(both.ask(tmp_path / "forged", forged)) == wanted
        shutil.rmtree(tmp_path / "forged")
    record("a chain of twenty reordered", cases=len(cases), found=len(cases))


def test_any_two_in_each_others_folders(
    both: Verifiers, chain: tuple[Path, str], tmp_path: Path
) -> None:
    for number in some(list(range(len(CHAIN) - 1))):
        one, two = folder_of(chain[0], number), folder_of(chain[0], number + 1)
        for source, target in [(one, tmp_path / "x"), (two, one), (tmp_path / "x", two)]:
            source.rename(target)
        assert codes(both.ask(*chain)) == {"folder-name"}
        for source, target in [(one, tmp_path / "x"), (two, one), (tmp_path / "x", two)]:
            source.rename(target)
