"""Local days and months: all dates that decide anything are local in Asia/Ho_Chi_Minh."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL_ZONE_NAME = "Asia/Ho_Chi_Minh"
LOCAL_ZONE = ZoneInfo(LOCAL_ZONE_NAME)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def local_date(instant: datetime) -> date:
    """The local calendar day of an aware instant."""
    return instant.astimezone(LOCAL_ZONE).date()


def local_midnight(day: date) -> datetime:
    """The first instant of a local day, aware."""
    return datetime.combine(day, time(), tzinfo=LOCAL_ZONE)


def month_after(month: date) -> date:
    """The first day of the next month; for the last possible month, its last day."""
    if (month.year, month.month) == (date.max.year, 12):
        return date.max
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def night_of(day: date) -> datetime:
    """The instant at which the night of a business date runs: 01:00 local on the next day."""
    return datetime.combine(day + timedelta(days=1), time(hour=1), tzinfo=LOCAL_ZONE)


def parse_date(text: str) -> date:
    """A calendar day as `YYYY-MM-DD`, and in no other form of ISO 8601.

    Raises:
        ValueError: The text is not such a day.
    """
    if not _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is not YYYY-MM-DD")
    return date.fromisoformat(text)


def parse_instant(text: str) -> datetime:
    """An ISO-8601 instant; one without an offset is local time.

    Raises:
        ValueError: The text is not an instant.
    """
    if not _DAY.match(
        text
    ):  # `2021-W52-5` and `20211231` are ISO 8601, too, and here typing errors
        raise ValueError(f"{text!r} does not begin with YYYY-MM-DD")
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=LOCAL_ZONE)


def local_minute(instant: datetime) -> str:
    """An aware instant as local time to the minute: 2021-12-31 17:00."""
    return f"{instant.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"


def local_instant(instant: datetime) -> str:
    """An aware instant exactly, as people write it and as options take it, in local time."""
    return instant.astimezone(LOCAL_ZONE).isoformat()
