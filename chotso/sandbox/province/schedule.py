"""When exports are made, and which transactions are committed later than their own time."""

import numpy as np

from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.randomness import choice_by_name, stream
from chotso.sandbox.province.timeline import DAY, HORIZON_MONTHS, LOCAL_OFFSET, Ints, Timeline

LONGEST_LAG_SECONDS = 55 * 60
_NIGHT_SECOND = 23 * 3_600 + 30 * 60
_YEAR_END_SECOND = 16 * 3_600 + 45 * 60


def _night(day: int) -> int:
    # The second differs every night, as on a busy server; it comes from a hash.
    return day * DAY - LOCAL_OFFSET + _NIGHT_SECOND + choice_by_name(f"night {day}", 240)


def export_instants(timeline: Timeline) -> list[int]:
    """Instants of all C12 exports, ascending.

    Until 1 October: the last night of each month and the middle of each quarter's last month.
    After it: every night, and once more on 31 December a quarter of an hour before the cutoff.
    """
    live = (timeline.seeded_until + LOCAL_OFFSET) // DAY
    days = [(timeline.month_start(month + 1) + LOCAL_OFFSET) // DAY - 1 for month in range(9)]
    days += [(timeline.month_start(month) + LOCAL_OFFSET) // DAY + 14 for month in (2, 5, 8)]
    days += range(live, (timeline.month_start(HORIZON_MONTHS) + LOCAL_OFFSET) // DAY)
    last_day = (timeline.cutoff + LOCAL_OFFSET) // DAY
    return sorted([*map(_night, days), last_day * DAY - LOCAL_OFFSET + _YEAR_END_SECOND])


def late_commits(parameters: Parameters, purpose: str, at: Ints, floor: Ints) -> Ints:
    """The transactions' own times: 2 % of those after the seed lie up to 55 minutes before commit.

    Args:
        parameters: The province.
        purpose: Names the random numbers.
        at: Commit instants; shape (n,).
        floor: An instant that each must stay after; shape (n,).
    """
    rng = stream(parameters.seed, f"late commits of {purpose}")
    lag = rng.integers(60, LONGEST_LAG_SECONDS + 1, size=at.size)
    late = (rng.random(at.size) < 0.02) & (at > parameters.timeline.seeded_until)
    own = np.maximum(at - lag, floor + 1)
    # At least one transaction begins before the cutoff and is committed after it.
    cutoff = parameters.timeline.cutoff
    across = np.flatnonzero((at >= cutoff) & (at < cutoff + 2_400) & (floor < cutoff - 600))[:1]
    own[across], late[across] = cutoff - 600, True
    # No export may be between the two: a row that it lacks must have a later time than it.
    exports = np.array(export_instants(parameters.timeline), dtype=np.int64)
    straddles = np.searchsorted(exports, own) != np.searchsorted(exports, at)
    return np.where(late & ~straddles & (own > parameters.timeline.seeded_until), own, at)
