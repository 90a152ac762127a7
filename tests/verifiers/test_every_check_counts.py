"""Taking any single check out of the verifier makes one of its tests fail."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proofs import IS_FULL, record
from tests.verifiers import weakened

pytestmark = pytest.mark.proof

CHECKS = weakened.checks(weakened.source())
# Checks that cannot be seen alone, with why: whatever they refuse, a later one refuses too.
NOT_ALONE = {
    "return 'too large for a certification'": "no certification in its form is that large; the "
    "check is there so that a large file is not read",
    "raise OSError(0, 'no plain file any more')": "what it refuses is closed by then, and reading "
    "from it is refused too",
    "raise ValueError('a key that is no text cannot stand in canonical JSON')": "JSON has no such; "
    "it is there for who writes (tests/release/test_canonical.py)",
}


def test_the_verifier_has_as_many_checks_as_are_tried() -> None:
    assert len(CHECKS) >= 45


def test_taking_out_any_check_is_noticed() -> None:
    numbers = [number for number, (_, text) in enumerate(CHECKS) if text not in NOT_ALONE]
    if not IS_FULL:
        numbers = random.Random(5).sample(numbers, 2)
    unnoticed = []
    for number in numbers:
        done = subprocess.run(
            [sys.executable, "-m", "tests.verifiers.weakened", str(number)],
            cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 1:
            unnoticed.append((*CHECKS[number], done.returncode, done.stdout[-300:]))
    assert unnoticed == []
    record("checks taken out of the verifier", checks=len(numbers), noticed=len(numbers))
