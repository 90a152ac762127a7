"""When the DAGs run. With `CHOTSO_SCHEDULES=off` they run only by hand or by the API."""

import os

from airflow.sdk import (
    CronPartitionTimetable,
    CronTriggerTimetable,
    MultipleCronTriggerTimetable,
    PartitionedAtRuntime,
)

from chotso.calendar import LOCAL_ZONE, LOCAL_ZONE_NAME
from chotso.orchestration.countdown import crons, load_countdown
from chotso.registers import load_registers


def nightly() -> CronPartitionTimetable | PartitionedAtRuntime:
    """01:00 local time; the partition is the local day before, `YYYY-MM-DD`.

    The run of 2022-01-01T01:00+07:00 has the partition 2021-12-31. The timetable counts days in its
    own time zone, not in UTC.
    """
    if not _is_on():
        return PartitionedAtRuntime()  # no schedule, but a run can name its business date
    return CronPartitionTimetable(
        "0 1 * * *", timezone=LOCAL_ZONE_NAME, run_offset=-1, key_format="%Y-%m-%d"
    )


def every_ten_minutes() -> CronTriggerTimetable | None:
    """Every ten minutes, but not at the full hour, when everything else starts."""
    return CronTriggerTimetable("4-59/10 * * * *", timezone=LOCAL_ZONE_NAME) if _is_on() else None


def every_five_minutes() -> CronTriggerTimetable | None:
    """Every five minutes."""
    return CronTriggerTimetable("2-59/5 * * * *", timezone=LOCAL_ZONE_NAME) if _is_on() else None


def every_morning() -> CronTriggerTimetable | None:
    """06:30 local, when the night is over and people are about to read the figures."""
    return CronTriggerTimetable("30 6 * * *", timezone=LOCAL_ZONE_NAME) if _is_on() else None


def cutoffs() -> MultipleCronTriggerTimetable | None:
    """The minute of every cutoff in the period register, and a sweep each hour.

    The sweep freezes what is overdue because Airflow was down at the cutoff, or because a period
    was added late.
    """
    if not _is_on():
        return None
    local = {period.cutoff_at.astimezone(LOCAL_ZONE) for period in load_registers().periods}
    at_cutoffs = {f"{at.minute} {at.hour} {at.day} {at.month} *" for at in local}
    return MultipleCronTriggerTimetable(*sorted(at_cutoffs), "20 * * * *", timezone=LOCAL_ZONE_NAME)


def last_days() -> MultipleCronTriggerTimetable | None:
    """Every quarter of an hour in the last days before each cutoff, as configured.

    `config/operations/refresh.yml` says which days and hours; with `days: 0` there is no schedule.
    """
    ticks = crons(load_countdown(), load_registers().periods)
    if not _is_on() or not ticks:
        return None
    return MultipleCronTriggerTimetable(*ticks, timezone=LOCAL_ZONE_NAME)


def _is_on() -> bool:
    return os.environ.get("CHOTSO_SCHEDULES", "on").lower() not in ("off", "0", "false", "no")
