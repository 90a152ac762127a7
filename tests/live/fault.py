"""What every fault has: how it is made, what is told of it, and how it is mended."""

import re
from typing import ClassVar

from tests.live.installation import Installation, Told


class Fault:
    """One fault of the list.

    Attributes:
        name: As the page calls it.
        kind: The incident that it must raise; None if it heals by itself.
        step: The part of the next step that the test carries out, as the page calls it.
    """

    name: ClassVar[str]
    kind: ClassVar[str | None]
    step: ClassVar[str]

    def prepare(self, live: Installation) -> None:
        """What has to be there before; nothing is wrong yet."""

    def make(self, live: Installation) -> None:
        """Do the harm, and what the clock would do meanwhile."""
        raise NotImplementedError

    def settle(self, live: Installation) -> None:
        """Wait until its consequences have come, too: by default, until Airflow has given up."""
        live.until_runs_are_over()

    def mend(self, live: Installation, told: Told) -> None:
        """Carry out the next step as it is written."""
        raise NotImplementedError

    def undo(self, live: Installation) -> None:
        """Take the harm away if the test ended before that."""


def to_clear(next_step: str) -> tuple[str, str]:
    """DAG and task that the next step tells to clear."""
    found = re.search(r"clear `(\w+)`(?: and all after it)? in `(\w+)`", next_step)
    assert found, next_step
    return found[2], found[1]
