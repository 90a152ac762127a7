"""Months and instants of the synthetic province, as whole numbers that numpy can work on.

A month is a number relative to January of the province's year (0 = January, -1 = December
before). An instant is whole seconds since 1970 UTC. The generator makes `HORIZON_MONTHS` months:
the year and the quarter after it, in which late facts become known.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from chotso.calendar import LOCAL_ZONE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

HORIZON_MONTHS = 15
OPEN_MONTH = 999
DAY = 86_400
# Viet Nam has had UTC+7 without summer time since 1975, so no time-zone table is needed.
LOCAL_OFFSET = 7 * 3_600


@dataclass(frozen=True, slots=True)
class Timeline:
    """The months and decisive instants of the province's year."""

    year: int

    def month_date(self, month: int) -> date:
        """First day of a month."""
        years, index = divmod(int(month), 12)
        return date(self.year + years, index + 1, 1)

    def month_start(self, month: int) -> int:
        """The first instant (local midnight) of a month."""
        return instant_of(self.month_date(month))

    def month_starts(self, first: int, last: int) -> Ints:
        """First instants of the months `first`..`last`, inclusive; shape (last - first + 1,)."""
        return np.array([self.month_start(m) for m in range(first, last + 1)], dtype=np.int64)

    def months_of(self, instants: Ints) -> Ints:
        """The local month of each instant, exact from two years before to the horizon."""
        starts = self.month_starts(-24, HORIZON_MONTHS + 2)
        return np.searchsorted(starts, instants, side="right").astype(np.int64) - 25

    @property
    def seeded_until(self) -> int:
        """1 October, local midnight: the source's clock after `seed`."""
        return self.month_start(9)

    @property
    def cutoff(self) -> int:
        """17:00 local on 31 December: the end of the year's emulation period."""
        return self.month_start(12) - 7 * 3_600

    @property
    def horizon(self) -> int:
        """The instant at which the generated data end."""
        return self.month_start(HORIZON_MONTHS)


def instant_of(day: date) -> int:
    """Local midnight of a day."""
    return (day - date(1970, 1, 1)).days * DAY - LOCAL_OFFSET


def aware(instant: int) -> datetime:
    """An instant as an aware local datetime."""
    return datetime.fromtimestamp(int(instant), tz=UTC).astimezone(LOCAL_ZONE)


def iso(instant: int) -> str:
    """An instant as ISO 8601 with the local offset."""
    local = datetime(1970, 1, 1) + timedelta(seconds=int(instant) + LOCAL_OFFSET)
    return f"{local.isoformat()}+07:00"


def iso_many(instants: Ints) -> list[str]:
    """Instants as ISO 8601 with the local offset."""
    local = (instants + LOCAL_OFFSET).astype("datetime64[s]")
    return [text + "+07:00" for text in np.datetime_as_string(local).tolist()]


def local_day(instants: Ints) -> Ints:
    """The local day number of each instant (days since 1970)."""
    return (instants + LOCAL_OFFSET) // DAY


def at_office_hours(days: Ints, rng: np.random.Generator) -> Ints:
    """A time between 07:30 and 17:40 local on each day; Saturdays and Sundays become Monday."""
    weekday = (days + 3) % 7
    working = days + np.where(weekday >= 5, 7 - weekday, 0)
    seconds = rng.integers(27_000, 63_600, size=days.shape)
    return working * DAY - LOCAL_OFFSET + seconds
