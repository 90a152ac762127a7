"""When a refresh is due: the last days of a period, at their hours, by the period's own zone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chotso.calendar import parse_instant
from chotso.orchestration.countdown import (
    Countdown,
    crons,
    load_countdown,
    next_cutoff,
    period_due,
    windows,
)
from chotso.registers import Period, load_registers

AS_SHIPPED = {"days": 3, "every_minutes": 15, "from_time": "07:00", "usual_minutes": 5}
TICK = timedelta(microseconds=1)


def countdown(**changes: Any) -> Countdown:
    return Countdown.of_content({**AS_SHIPPED, **changes})


def period(cutoff: str, zone: str = "Asia/Ho_Chi_Minh", code: str = "sprint") -> Period:
    (first, *_) = load_registers().periods
    changes = {"id": code, "cutoff_at": datetime.fromisoformat(cutoff), "time_zone": zone}
    return first.model_copy(update=changes)


def due(at: str, *periods: Period, **changes: Any) -> str | None:
    found = period_due(countdown(**changes), periods, parse_instant(at))
    return found.id if found else None


SPRINT = period("2021-12-31T17:00:00+07:00")


def test_the_register_as_it_ships() -> None:
    assert load_countdown() == countdown()


@pytest.mark.parametrize(
    ("at", "is_due"),
    [
        ("2021-12-28T12:00", False),
        ("2021-12-29T06:59:59.999999", False),
        ("2021-12-29T07:00", True),
        ("2021-12-29T16:59:59.999999", True),
        ("2021-12-29T17:00", False),
        ("2021-12-30T03:00", False),
        ("2021-12-30T12:00", True),
        ("2021-12-31T16:59:59.999999", True),
        ("2021-12-31T17:00", False),
        ("2022-01-01T12:00", False),
    ],
)
def test_in_the_last_three_days_from_seven_until_the_cutoff(at: str, is_due: bool) -> None:
    assert due(at, SPRINT) == ("sprint" if is_due else None)


def test_the_instant_may_come_in_any_zone() -> None:
    first = datetime(2021, 12, 29, 0, 0, tzinfo=UTC)  # 07:00 local
    assert period_due(countdown(), [SPRINT], first) == SPRINT
    assert period_due(countdown(), [SPRINT], first - TICK) is None


def test_a_cutoff_at_midnight_ends_the_day_before_and_the_year() -> None:
    midnight = period("2022-01-01T00:00:00+07:00")
    assert due("2021-12-29T07:00", midnight) == "sprint"
    assert due("2021-12-28T23:00", midnight) is None
    assert due("2021-12-31T23:59:59.999999", midnight) == "sprint"
    assert due("2022-01-01T00:00", midnight) is None
    assert due("2022-01-01T07:30", midnight) is None


def test_a_cutoff_in_the_first_days_of_a_year_begins_in_the_old_one() -> None:
    early = period("2022-01-02T17:00:00+07:00")
    assert due("2021-12-31T07:00", early) == "sprint"
    assert due("2021-12-30T12:00", early) is None


def test_a_cutoff_before_the_hour_has_no_refresh_at_all() -> None:
    assert windows(countdown(), period("2021-12-31T06:30:00+07:00")) == []


def test_days_and_hours_are_those_of_the_period_s_zone_over_a_change_of_clocks() -> None:
    berlin = period("2021-11-01T17:00:00+01:00", "Europe/Berlin")  # clocks went back on 31 October
    assert due("2021-10-30T07:00+02:00", berlin) == "sprint"
    assert due("2021-10-30T06:59+02:00", berlin) is None
    assert due("2021-10-30T16:59+02:00", berlin) == "sprint"
    assert due("2021-10-30T17:00+02:00", berlin) is None


def test_the_next_cutoff_comes_first_and_no_days_means_never() -> None:
    later = period("2022-01-01T17:00:00+07:00", code="later")
    assert due("2021-12-31T12:00", later, SPRINT) == "sprint"
    assert due("2021-12-31T17:00", later, SPRINT) is None
    assert due("2022-01-01T16:00", later, SPRINT) == "later"
    assert due("2021-12-31T12:00", SPRINT, days=0) is None
    assert due("2021-12-31T12:00", SPRINT, days=1) == "sprint"
    assert due("2021-12-30T12:00", SPRINT, days=1) is None
    at = SPRINT.cutoff_at
    assert next_cutoff([later, SPRINT], at - TICK) == at
    assert next_cutoff([later, SPRINT], at) == later.cutoff_at
    assert next_cutoff([SPRINT], at) is None


def test_the_clock_ticks_on_those_days_alone() -> None:
    other = period("2021-12-31T17:00:00+07:00", code="plan")
    ticks = ["*/15 7-16 29 12 *", "*/15 7-16 30 12 *", "*/15 7-16 31 12 *"]
    assert crons(countdown(), [SPRINT, other]) == ticks
    midnight = period("2022-01-01T00:00:00+07:00")
    assert crons(countdown(days=1, every_minutes=30), [midnight]) == ["*/30 7-23 31 12 *"]
    berlin = period("2021-11-01T23:00:00+01:00", "Europe/Berlin")  # 13:00 to 05:00 in Vietnam
    assert crons(countdown(days=1), [berlin]) == ["*/15 0-4 2 11 *", "*/15 13-23 1 11 *"]
    assert crons(countdown(days=0), [SPRINT]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"every_minutes": 7},
        {"every_minutes": 0},
        {"days": -1},
        {"from_time": "7 o'clock"},
        {"from_time": "07:00:30"},
        {"from_time": "07:00+07:00"},
        {"usual_minutes": 0},
        {"often": True},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        countdown(**wrong)
