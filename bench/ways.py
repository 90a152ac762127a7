"""The ways that are measured beside each other, their measurements, and what is shown of them."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from chotso import PROJECT_ROOT
from chotso.errors import ChotsoError

PEERS_PYTHON = PROJECT_ROOT / ".venv-bench" / "bin" / "python"
_PATIENCE_S = 1800


@dataclass(frozen=True)
class Way:
    """One way of doing the measured task.

    Attributes:
        name: As the table of results shows it.
        module: Run as a process of its own; prints what `bench.measured` prints.
        is_peer: Whether it runs in the peers' environment.
        share: The part of the rows that it gets, if all of them would take too long.
    """

    name: str
    module: str
    is_peer: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class Measurement:
    """One process: what it returned, seconds of work, total seconds, and peak memory."""

    result: Any
    work_s: float
    process_s: float
    peak_mib: float


@dataclass(frozen=True)
class Taken:
    """All measurements of one way, one a turn."""

    way: Way
    rows: int
    turns: list[Measurement]

    def seconds(self, *, whole_process: bool) -> list[float]:
        """Seconds of each turn for all rows; of a part, as many times as long."""
        return [
            (turn.process_s if whole_process else turn.work_s) / self.way.share
            for turn in self.turns
        ]

    @property
    def peak_mib(self) -> float:
        """The largest peak of memory."""
        return max(turn.peak_mib for turn in self.turns)


def measure(way: Way, environment: dict[str, str]) -> Measurement:
    """Run one way.

    Raises:
        ChotsoError: It failed; what it said is on standard error.
    """
    python = str(PEERS_PYTHON) if way.is_peer else sys.executable
    started = time.perf_counter()
    done = subprocess.run(
        [python, "-m", way.module],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=_PATIENCE_S,
        cwd=PROJECT_ROOT,
    )
    process_s = time.perf_counter() - started
    if done.returncode:
        raise ChotsoError(f"{way.name} failed.", next_step=f"read what {way.module} said above.")
    return Measurement(process_s=process_s, **json.loads(done.stdout.splitlines()[-1]))


def ratio(of: list[float], to: list[float]) -> float:
    """The median over the turns of one way's seconds, divided by another's in the same turn."""
    return median(one / other for one, other in zip(of, to, strict=True))


def keep(file: Path, results: dict[str, list[Taken]]) -> None:
    """Write every measurement of every task as JSON."""
    kept = {task: [asdict(taken) for taken in found] for task, found in results.items()}
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def show(title: str, found: list[Taken], floor: Way, product: Way, *, whole_process: bool) -> None:
    """Print medians, the least and the most of each way, and ratios to floor and product."""
    seconds = {taken.way: taken.seconds(whole_process=whole_process) for taken in found}
    measured = "whole process" if whole_process else "imports apart"
    table = Table(title=f"{title}, {measured}, median of {len(found[0].turns)} turns")
    for heading in ("way", "rows", "s", "from – to", f"÷ {floor.name}", "÷ chotso", "peak MiB"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for taken in found:
        own = seconds[taken.way]
        table.add_row(
            taken.way.name,
            f"{taken.rows:,}",
            f"{median(own):.2f}",
            f"{min(own):.2f} – {max(own):.2f}",
            f"{ratio(own, seconds[floor]):.2f}",
            f"{ratio(own, seconds[product]):.2f}",
            f"{taken.peak_mib:.0f}",
        )
    console = Console(width=110)
    console.print(table)
    if any(taken.way.share < 1 for taken in found):
        console.print("Seconds of a way with fewer rows are multiplied to the rows of the others.")
