"""The parameters of a synthetic province: the same parameters give the same bytes."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

from chotso.errors import ChotsoError
from chotso.sandbox.province.timeline import Timeline

DefectLevel = Literal["none", "some", "all"]
SMALLEST_PERSONS = 500
SMALLEST_EMPLOYERS = 30
SMALLEST_EMPLOYERS_WITH_DEFECTS = 60
FILE_NAME = "parameters.json"


@dataclass(frozen=True, slots=True)
class Parameters:
    """Size, year, seed and planted defects of a province."""

    persons: int
    employers: int
    year: int
    seed: int
    defects: DefectLevel

    @property
    def timeline(self) -> Timeline:
        """The months and decisive instants of the year."""
        return Timeline(self.year)

    def check(self) -> None:
        """Refuses sizes for which the generator cannot make realistic data.

        Raises:
            ChotsoError: A size or the level of defects is out of range.
        """
        employers = (
            SMALLEST_EMPLOYERS if self.defects == "none" else SMALLEST_EMPLOYERS_WITH_DEFECTS
        )
        if self.persons < SMALLEST_PERSONS or self.employers < employers:
            raise ChotsoError(
                f"The synthetic province needs at least {SMALLEST_PERSONS} persons and "
                f"{employers} employers; asked for {self.persons} and {self.employers}.",
                next_step="Ask for a larger province.",
            )
        if self.defects not in ("none", "some", "all"):
            raise ChotsoError(
                f"Unknown level of defects: {self.defects!r}.",
                next_step="Use none, some or all.",
            )

    def save(self, state_dir: Path) -> None:
        """Writes the parameters to a file for `advance`."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"
        (state_dir / FILE_NAME).write_text(text, encoding="utf-8")


def load_parameters(state_dir: Path) -> Parameters:
    """The parameters of the province that was seeded in this folder.

    Raises:
        ChotsoError: No province was seeded in this folder.
    """
    path = state_dir / FILE_NAME
    if not path.exists():
        raise ChotsoError(
            f"No synthetic province was seeded in {state_dir}.",
            next_step="Run: chotso sandbox seed",
        )
    found = json.loads(path.read_text(encoding="utf-8"))
    return Parameters(
        persons=int(found["persons"]),
        employers=int(found["employers"]),
        year=int(found["year"]),
        seed=int(found["seed"]),
        defects=cast(DefectLevel, found["defects"]),
    )
