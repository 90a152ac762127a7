"""What a cause leaves behind is no incident of its own, and keeps the cause's incident open."""

import json
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from chotso.build.dbt import run_build
from chotso.ingest.night import extract_all
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.watch import judge as judging
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.judge import judge
from chotso.watch.limits import load_limits
from chotso.watch.moment import wall_clock
from chotso.watch.rounds import look_once
from tests.worlds.quarantine_world import DAY, QuarantineWorld
from tests.worlds.watched import a_night_built, begin_anew

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(300)]

AWAY = "postgresql://nobody:x@127.0.0.1:1/tst?connect_timeout=2"


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A world whose night of 1 November is built."""
    folder = tmp_path_factory.mktemp("left")
    with a_night_built(running, "left", folder) as made:
        yield made


@pytest.fixture(autouse=True)
def at_once(world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_anew(world, monkeypatch)


@pytest.fixture
def away(world: QuarantineWorld) -> Settings:
    return world.settings.model_copy(update={"source_url": AWAY})


def told(world: QuarantineWorld) -> list[tuple[str, str]]:
    """(event, kind) of each line of the file of alerts."""
    lines = (world.settings.home / "alerts.jsonl").read_text("utf-8").splitlines()
    return [(each["event"], each["kind"]) for each in map(json.loads, lines)]


def test_a_night_that_failed_while_the_source_was_away_is_part_of_that(
    world: QuarantineWorld, away: Settings
) -> None:
    extract_all(away, DAY)
    look_once(away)
    for _ in range(2):  # the source is back, the night is not read yet
        assert [each.kind for each in look_once(world.settings).diagnosis.causes] == [
            "landing_failed"
        ]
    look_once(world.settings, TaskFailure("extract_registers", "land", DAY, "away", "clear it"))
    assert told(world) == [("opened", "source_away")]
    (row,) = world.rows("select kind, fault_count from ops.incident")
    assert row == {"kind": "source_away", "fault_count": 2}
    world.extract()
    run_build(world.settings)
    look_once(world.settings)
    assert told(world) == [("opened", "source_away"), ("ended", "source_away")]


def test_a_task_that_fails_because_another_did_is_part_of_that_one_s_cause(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk explains the landing, by its words; the landing explains the task after it."""
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "reason, code_version) values ('agencies_20211101_999999', 'agencies', 'registers', "
        "%s, 'failed', 'whole', 'No space left on device', 'x')",
        DAY,
    )
    full = [
        lambda moment: [
            moment.fault(
                "disk_nearly_full", "landing", "no room", kept="all", next_step="make room"
            )
        ]
    ]
    monkeypatch.setattr(judging, "_PLACES", full)
    stopped = "The landing of registers was stopped."
    try:
        look_once(world.settings)
        failed = TaskFailure("extract_registers", "publish", DAY, stopped, "clear it")
        look_once(world.settings, failed)
        assert told(world) == [("opened", "disk_nearly_full")]
        (row,) = world.rows("select kind, fault_count from ops.incident")
        assert row == {"kind": "disk_nearly_full", "fault_count": 2}
    finally:
        world.act("delete from ops.batch where batch_id like '%%_999999'")


def test_what_fails_after_the_source_is_back_is_another_matter(
    world: QuarantineWorld, away: Settings
) -> None:
    look_once(away)
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "reason, code_version) values ('payments_20211101_999999', 'payments', 'contributions', "
        "%s, 'failed', 'whole', 'no rights', 'x')",
        DAY,
    )
    try:
        look_once(world.settings)
        assert ("opened", "landing_failed") in told(world)
    finally:
        world.act("delete from ops.batch where batch_id like '%%_999999'")


def test_a_night_that_has_not_begun_waits_for_the_end_of_what_held_it_up(
    world: QuarantineWorld, away: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow makes up for it at once; if it does not, that is told when the incident has ended."""
    limits = load_limits()
    monkeypatch.setattr(judging, "load_limits", lambda: limits)
    world.tick(days=1, minutes=6)
    try:
        look_once(away)
        look_once(world.settings)
        assert told(world) == [("opened", "source_away")]
        world.act("update ops.incident set last_seen_at = last_seen_at - interval '3 minutes'")
        look_once(world.settings)
        look_once(world.settings)
        assert told(world)[1:] == [("ended", "source_away"), ("opened", "night_not_begun")]
    finally:
        world.tick(days=-1, minutes=-6)


@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_clock_of_airflow_that_is_wrong_is_one_incident(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    beat = wall_clock() + timedelta(minutes=minutes)
    health = {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": "healthy", "latest_scheduler_heartbeat": beat.isoformat()},
        "dag_processor": {"status": "healthy", "latest_dag_processor_heartbeat": beat.isoformat()},
    }

    class Answer:
        headers: ClassVar = {"Date": format_datetime(beat)}

        def raise_for_status(self) -> "Answer":
            return self

        def json(self) -> dict[str, Any]:
            return health

    monkeypatch.setattr(httpx, "get", lambda *_, **__: Answer())
    settings = world.settings.model_copy(update={"airflow_url": "http://airflow"})
    (cause,) = judge(settings).causes
    assert cause.kind == "clock_differs"
    assert "Airflow's scheduler and DAG processor" in cause.what
    health["scheduler"]["status"] = "unhealthy"
    (cause,) = judge(settings).causes
    assert "Airflow's DAG processor" in cause.what, "a loaded machine is no dead one"
    silent = (beat - timedelta(minutes=3)).isoformat()
    health["scheduler"]["latest_scheduler_heartbeat"] = silent
    assert {each.kind for each in judge(settings).causes} == {"airflow_away", "clock_differs"}


def test_a_restored_warehouse_gives_no_id_twice_and_has_read_on(world: QuarantineWorld) -> None:
    """Its numbers went back: the next ids stand in the archive, for what was lost."""
    archive = Path(world.settings.landing_url) / "agencies" / str(DAY)
    newest = max(archive.iterdir())
    manifest = json.loads((newest / "manifest.json").read_text("utf-8"))
    (row,) = world.rows("select nextval('ops.batch_number') as number")
    lost = [archive / f"agencies_20211101_{row['number'] + more:06}" for more in range(1, 4)]
    manifest["known_at"] = (world.clock + timedelta(minutes=1)).isoformat()
    for folder in lost:
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    before = {folder: (folder / "manifest.json").read_bytes() for folder in lost}
    (cause,) = judge(world.settings).causes
    assert cause.kind == "warehouse_restored"
    assert f"`chotso nightly --date {DAY}`" in cause.next_step
    world.tick()
    world.extract()
    run_build(world.settings)
    assert {folder: (folder / "manifest.json").read_bytes() for folder in lost} == before
    assert judge(world.settings).causes == []


def test_a_night_that_nobody_builds_is_late_when_somebody_should_have(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`reconcile_warehouse` comes every ten minutes: before that, nothing is wrong."""
    world.tick()
    world.extract()
    limits = load_limits()
    never = limits.night.model_copy(update={"longest_minutes": 1})
    monkeypatch.setattr(judging, "load_limits", lambda: limits.model_copy(update={"night": never}))
    late = "update ops.batch set started_at = started_at - %s::interval"
    for minutes, kinds in (
        ("0", set()),
        ("10 minutes", set()),
        ("10 minutes", {"night_not_ended"}),
    ):
        world.act(late, minutes)
        assert {each.kind for each in judge(world.settings).causes} == kinds
    run_build(world.settings)
    assert judge(world.settings).causes == []


def test_a_build_for_another_date_fails_for_the_same_reason() -> None:
    """Whatever date a run names: a build takes in all that is published."""
    failed = Fault("build_failed", "build", DAY, "a test", "mend it", dag_id="build_warehouse")
    late = TaskFailure("build_warehouse", "build", None, "a test", "mend it")
    assert judging.explained(late.as_fault(DAY - timedelta(days=1)), failed)
    blocked = Fault("batch_blocked", "c12", DAY, "a rule", "mend it", dag_id="extract_arrears")
    other = TaskFailure("extract_arrears", "land", None, "it failed", "clear it")
    assert not judging.explained(other.as_fault(DAY - timedelta(days=1)), blocked)
