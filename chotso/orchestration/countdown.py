"""The register `config/operations/refresh.yml`: in a period's last days, when is a refresh due?"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from chotso import PROJECT_ROOT
from chotso.calendar import LOCAL_ZONE
from chotso.registers import Period
from chotso.strict_models import StrictModel

FILE = PROJECT_ROOT / "config" / "operations" / "refresh.yml"
_INSTANT = timedelta(microseconds=1)


class Countdown(StrictModel):
    """How often, and in how many of a period's last days, figures are refreshed."""

    days: int = Field(ge=0, le=31)
    every_minutes: int = Field(ge=5, le=60)
    from_time: time
    usual_minutes: int = Field(gt=0)

    @field_validator("every_minutes")
    @classmethod
    def _divides_an_hour(cls, value: int) -> int:
        if 60 % value:
            raise ValueError("must divide 60, so that every hour has the same minutes")
        return value

    @field_validator("from_time")
    @classmethod
    def _is_a_full_minute_of_a_zone_not_named(cls, value: time) -> time:
        if value.tzinfo or value.second or value.microsecond:
            raise ValueError("must be local HH:MM")
        return value


@cache
def load_countdown() -> Countdown:
    """The register as configured.

    Raises:
        ChotsoError: The file is missing or does not fit; each fault is named.
    """
    return Countdown.of_file(FILE, kept="everything; only refreshes within the day do not run.")


def windows(countdown: Countdown, period: Period) -> list[tuple[datetime, datetime]]:
    """Begin and end of the hours of refreshes on each of the last days, the newest day first.

    A cutoff at midnight ends the day before it.
    """
    zone = ZoneInfo(period.time_zone)
    end = period.cutoff_at.astimezone(zone)
    last_day = (end - _INSTANT).date()
    found = []
    for days in range(countdown.days):
        back = timedelta(days=days)  # of the calendar: the same time of day
        start = datetime.combine(last_day - back, countdown.from_time, tzinfo=zone)
        if start < end - back:
            found.append((start, end - back))
    return found


def period_due(countdown: Countdown, periods: Iterable[Period], now: datetime) -> Period | None:
    """The period for which a refresh is due at an instant; of several, that with the next cutoff.

    Args:
        countdown: When refreshes are due.
        periods: The register's.
        now: An instant of the source's clock.
    """
    return next(
        (
            period
            for period in sorted(periods, key=lambda each: each.cutoff_at)
            if any(start <= now < end for start, end in windows(countdown, period))
        ),
        None,
    )


def next_cutoff(periods: Iterable[Period], now: datetime) -> datetime | None:
    """The next instant at which a freeze begins."""
    return min((each.cutoff_at for each in periods if each.cutoff_at > now), default=None)


def crons(countdown: Countdown, periods: Iterable[Period]) -> list[str]:
    """The schedule of the last days in local time, as cron lines of whole hours.

    The task itself asks the source's clock, so a run that is not due does nothing.
    """
    found = set()
    for period in periods:
        for window in windows(countdown, period):
            start, end = (instant.astimezone(LOCAL_ZONE) for instant in window)
            last = end - _INSTANT
            if start.date() == last.date():
                hours = [(start.day, start.month, f"{start.hour}-{last.hour}")]
            else:  # the period's zone is not ours
                hours = [
                    (start.day, start.month, f"{start.hour}-23"),
                    (last.day, last.month, f"0-{last.hour}"),
                ]
            for day, month, span in hours:
                found.add(f"*/{countdown.every_minutes} {span} {day} {month} *")
    return sorted(found)
