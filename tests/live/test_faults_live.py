"""The fifteen faults, live: each is told once, within ten minutes, and its next step mends it.

A real Airflow, PostgreSQL, SMTP server and HTTP receiver, and `chotso watch` beside them with the
limits as configured. `make faults-live` also writes what it found into docs/watch.md. The faults
follow each other as the nights of a December do, but each can be tried alone (`-k`).
"""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.live.fault import Fault
from tests.live.faults_of_places import (
    DiskFull,
    FolderGone,
    MissedNight,
    SchedulerDead,
    SourceDown,
    TruncatedFile,
    WarehouseRestored,
    WrongClock,
)
from tests.live.faults_of_work import (
    BehindALock,
    BuildHung,
    BuildTestFails,
    FreezeStopped,
    ProcessStopped,
    RuleBlocks,
    TaskKilled,
)
from tests.live.installation import IN_TIME_S, WATCH_EVERY_S, Installation, Told, wait_until
from tests.live.results import record

pytestmark = [
    pytest.mark.slow,
    pytest.mark.pipeline,
    pytest.mark.warehouse,
    pytest.mark.timeout(2400),
]
FAULTS: tuple[Fault, ...] = (
    TruncatedFile(),
    RuleBlocks(),
    FolderGone(),
    SourceDown(),
    DiskFull(),
    MissedNight(),
    SchedulerDead(),
    TaskKilled(),
    BehindALock(),
    ProcessStopped(),
    BuildTestFails(),
    BuildHung(),
    WrongClock(),
    WarehouseRestored(),
    FreezeStopped(),
)
ENDS_IN_S = 300.0
_MENDED: dict[str, Told] = {}


def test_nothing_is_told_of_a_night_that_goes_well(live: Installation) -> None:
    live.night()
    time.sleep(3 * WATCH_EVERY_S)
    assert live.causes() == set()
    assert live.posts == []
    assert live.mails == []


@pytest.fixture
def begun(live: Installation) -> tuple[int, int]:
    """How much was posted and mailed before; the fault has no run yet."""
    live.runs.clear()
    return len(live.posts), len(live.mails)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_it_is_told_once_and_its_next_step_mends_it(
    live: Installation, begun: tuple[int, int], fault: Fault
) -> None:
    fault.prepare(live)
    since, started = datetime.now(UTC), time.monotonic()
    try:
        fault.make(live)
        told = until_told(live, begun, started) if fault.kind else None
        fault.settle(live)
        time.sleep(2 * WATCH_EVERY_S)  # two more looks at what came of it
        naive = live.callbacks(since)
        assert_told_once(live, begun, fault)
        if told is not None:
            fault.mend(live, told)
    except pytest.skip.Exception:
        raise
    except BaseException:
        fault.undo(live)
        raise
    assert_told_once(live, begun, fault)
    if told is None:
        record(fault, naive=naive)
        return
    _MENDED[fault.name] = told
    wait_until(lambda: not live.causes(), 60, "something is wrong still")
    record(fault, post=round(told.seconds_to_post), mail=round(told.seconds_to_mail), naive=naive)


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.kind], ids=lambda f: type(f).__name__)
def test_its_end_is_told_once(live: Installation, fault: Fault) -> None:
    if fault.name not in _MENDED:
        pytest.skip("it was not made, or not mended")
    opened = _MENDED[fault.name].posted
    same = {name: opened[name] for name in ("incident_id", "kind", "opened_at")}

    def posts() -> list[dict[str, str]]:
        return [each for each in live.posts if same.items() <= each.items()]

    wait_until(lambda: posts()[-1]["event"] == "ended", ENDS_IN_S, "its end was not told")
    assert [each["event"] for each in posts()] == ["opened", "ended"]
    assert posts()[-1]["end_reason"] == "its cause is gone"
    wait_until(lambda: len(_mails(live, opened)) == 2, 30, "its end was not mailed")
    assert [each.split("— ")[-1].split(")")[0] for each in _mails(live, opened)] == ["new", "over"]
    begun, ended = (datetime.fromisoformat(each["at"]) for each in posts())
    record(fault, open=round((ended - begun).total_seconds()))


def _mails(live: Installation, opened: dict[str, Any]) -> list[str]:
    """The subjects of the mails on an incident."""
    known = (opened["title"], f"acknowledge {opened['incident_id']} --by")
    return [
        mail["subject"]
        for mail in live.mails
        if all(each in mail["subject"] + mail["text"] for each in known)
    ]


def until_told(live: Installation, begun: tuple[int, int], started: float) -> Told:
    """Wait until both receivers have the incident."""
    at: dict[str, float] = {}

    def is_told() -> bool:
        posts, mails = live.opened_since(*begun)
        for name, found in (("post", posts), ("mail", mails)):
            if found:
                at.setdefault(name, time.monotonic() - started)
        return len(at) == 2

    wait_until(is_told, IN_TIME_S, "nobody was told")
    posts, mails = live.opened_since(*begun)
    assert max(at.values()) < IN_TIME_S
    return Told(posts[0], mails[0], at["post"], at["mail"])


def assert_told_once(live: Installation, begun: tuple[int, int], fault: Fault) -> None:
    posts, mails = live.opened_since(*begun)
    kinds = [each["kind"] for each in posts]
    assert kinds == ([fault.kind] if fault.kind else []), posts
    assert len(mails) == len(posts), mails
