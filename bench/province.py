"""`make bench-province`: a whole province's nights, a refresh, and its year end.

Routine nights are measured beside whole builds of the same state; the medians count. Then comes a
refresh within the day, and at the cutoff a freeze and its verification. Each command is a process
of its own, as an operator types it. The source lives on before each of them.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.home import new_home
from chotso.calendar import LOCAL_ZONE, night_of
from chotso.settings import load_settings
from chotso.warehouse.connect import connect

FIRST_NIGHT = date(2021, 9, 30)
FIRST_OF_MONTH = date(2021, 10, 4)  # it counts everybody, as the first night of each month
ROUTINE = [date(2021, 10, day) for day in (5, 6, 7)]
WITHIN_A_DAY = datetime(2021, 10, 8, 15, tzinfo=LOCAL_ZONE)
LAST_NIGHT = date(2021, 12, 30)
AFTER_THE_CUTOFF = datetime(2021, 12, 31, 17, 0, 20, tzinfo=LOCAL_ZONE)
PERIOD = "sprint-2021-q4"
MOST_RATIO = 0.4
MOST_REFRESH_SECONDS = 15
MOST_NIGHTS_OF_A_FREEZE = 2
_BUILT = "select base_build_id is not null from ops.build order by build_id desc limit 1"


@dataclass(frozen=True)
class Took:
    """Wall and CPU seconds of one process; the server's CPU is not in it."""

    wall: float
    cpu: float


def main() -> None:
    """Run everything, and print the times; exit status 1 if one is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=1_150_000)
    parser.add_argument("--employers", type=int, default=4_000)
    asked = parser.parse_args()
    home = new_home("bench-province")
    shown = Table("what", "wall, s", "Python's CPU, s")
    try:
        _run("sandbox", "start")
        _run("migrate")
        size = ("--persons", str(asked.persons), "--employers", str(asked.employers))
        _row(shown, "the province is made", [_run("sandbox", "seed", *size)])
        _row(shown, "first night", [_night(FIRST_NIGHT)])
        _row(shown, "first night of a month", [_night(FIRST_OF_MONTH, advances=True)])
        nights, wholes, builds = [], [], []
        for day in ROUTINE:
            nights.append(_night(day, advances=True))
            assert _adds(), "the night counted everybody"
            wholes.append(_run("build", "--whole"))
            builds.append(_run("build"))
        _row(shown, "routine night", nights)
        _row(shown, "whole build of the same state", wholes)
        _row(shown, "build of the same state", builds)
        _advance(WITHIN_A_DAY)
        refresh = _run("refresh")
        _row(shown, "refresh within the day", [refresh])
        _row(
            shown,
            "night of 30 December, with three months' rows",
            [_night(LAST_NIGHT, advances=True)],
        )
        _advance(AFTER_THE_CUTOFF)
        freeze, verified = _run("freeze", PERIOD), _run("verify", str(home / "releases"))
        _row(shown, "freeze of a period", [freeze])
        _row(shown, "its verification", [verified])
    finally:
        _run("sandbox", "stop")
    Console().print(shown)
    night = median(n.wall for n in nights)
    is_missed = [
        _told(
            "a routine night ÷ a whole build", night / median(w.wall for w in wholes), MOST_RATIO
        ),
        _told("a refresh, seconds", refresh.wall, MOST_REFRESH_SECONDS),
        _told(
            "freeze and verification ÷ a routine night",
            (freeze.wall + verified.wall) / night,
            MOST_NIGHTS_OF_A_FREEZE,
        ),
    ]
    shutil.rmtree(home, ignore_errors=True)
    raise SystemExit(any(is_missed))


def _told(what: str, value: float, limit: float) -> bool:
    """Print a figure with its limit; True if it is above."""
    Console().print(f"{what}: {value:.2f} (limit {limit})")
    return value > limit


def _advance(clock: datetime) -> None:
    _run("sandbox", "advance", "--to", clock.isoformat())


def _night(day: date, *, advances: bool = False) -> Took:
    if advances:
        _advance(night_of(day) + timedelta(minutes=1))
    return _run("nightly", "--date", day.isoformat())


def _adds() -> bool:
    with connect(load_settings()) as conn:
        row = conn.execute(_BUILT).fetchone()
    return bool(row and row[0])


def _run(*command: str) -> Took:
    before, started = _cpu(), time.monotonic()
    subprocess.run([sys.executable, "-m", "chotso", *command], check=True, capture_output=True)
    return Took(time.monotonic() - started, _cpu() - before)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _row(shown: Table, what: str, took: list[Took]) -> None:
    walls = [each.wall for each in took]
    wall = f"{median(walls):.1f}"
    if len(walls) > 1:
        wall += f" ({min(walls):.1f} to {max(walls):.1f})"
    shown.add_row(what, wall, f"{median(each.cpu for each in took):.1f}")


if __name__ == "__main__":
    main()
