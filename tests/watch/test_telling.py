"""What is told when something is amiss with the telling: no warehouse, no disk, no calm."""

import errno
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import psycopg
import pytest
import yaml

from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.watch import away, incidents, rounds, routes
from chotso.watch import judge as judging
from chotso.watch.fault import TaskFailure
from chotso.watch.handed import hand_over
from chotso.watch.limits import load_limits
from chotso.watch.rounds import look_once
from tests.worlds.quarantine_world import DAY, QuarantineWorld
from tests.worlds.receivers import webhook
from tests.worlds.watched import a_night_built, begin_anew, environment

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
CANARY = "7912345678"
NOWHERE = "postgresql://x:y@127.0.0.1:1/w?connect_timeout=1"
RUN_FAILED = """
from types import SimpleNamespace
from chotso.watch.callbacks import alert_run_failed
run = SimpleNamespace(dag_id="build_warehouse", partition_key="2021-11-01")
alert_run_failed({"dag_run": run, "reason": "task_failure"})
"""


class EnoughError(Exception):
    """Ends a loop that has no end; no error of ours."""


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A world whose night of 1 November is built."""
    with a_night_built(running, "telling", tmp_path_factory.mktemp("telling")) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """No incident yet; a cause that is gone ends its incident at once."""
    begin_anew(world, monkeypatch)
    monkeypatch.setattr(away, "_UNWRITTEN", {})
    shutil.rmtree(world.settings.home / "watch" / "failed", ignore_errors=True)


def heard(posts: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(each["event"], each["kind"], each["subject"]) for each in posts]


def environment_of(service: str, folder: Path) -> dict[str, str]:
    """A service's environment as the file has it; its volume is `folder`, no secret is there."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    image = (ROOT / "Dockerfile").read_text("utf-8")
    home = re.search(r"CHOTSO_HOME=(\S+)", image)
    assert home is not None
    assert compose["services"][service]["volumes"] == [
        f"watch:{home[1]}/watch",
        "logs:/var/log/airflow",
    ], "of the home it writes nothing else"
    given = compose["services"][service]["environment"]
    found = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(text)) for name, text in given.items()}
    return {name: text.replace(home[1], str(folder)) for name, text in found.items()} | {
        "CHOTSO_HOME": str(folder),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TZ": "UTC",
    }


def test_a_failed_run_is_told_from_a_dag_processor_that_knows_no_secret(
    world: QuarantineWorld,
) -> None:
    """Exactly compose's environment, in a process of its own; the next look of the watch tells."""
    given = environment_of("airflow-dag-processor", world.settings.home)
    assert not {"CHOTSO_WAREHOUSE_URL_FILE", "CHOTSO_ALERT_ROUTES_FILE"} & given.keys()
    done = subprocess.run(
        [sys.executable, "-c", RUN_FAILED], env=given, capture_output=True, text=True, check=True
    )
    assert "handed over to the next look of a watch" in done.stderr
    with webhook() as (url, posts):
        settings = world.settings.model_copy(update={"alert_webhook": url})
        for _ in range(3):
            look_once(settings)
    assert heard(posts) == [("opened", "task_failed", "build_warehouse")]
    assert (posts[0]["what"], posts[0]["business_date"]) == (
        "The run failed: task_failure", DAY.isoformat(),
    )  # fmt: skip
    assert [row["fault_count"] for row in world.rows("select * from ops.incident")] == [1]


def test_what_was_handed_over_stays_until_a_look_took_it(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = TaskFailure("build_warehouse", "build", DAY, "it broke", "mend it")
    hand_over(world.settings.home, failure)
    with monkeypatch.context() as broken:
        broken.setattr(rounds, "judge", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            look_once(world.settings)
    (world.settings.home / "watch" / "failed" / "0.json").write_text("{", "utf-8")
    look_once(world.settings)
    look_once(world.settings)
    assert [r["fault_count"] for r in world.rows("select * from ops.incident")] == [1]
    left = [each.name for each in (world.settings.home / "watch" / "failed").iterdir()]
    assert left == ["0.bad"], "what is no failure is kept for a person"


def test_one_bad_file_stops_no_telling(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A NUL, a pipe, a huge file, and one that the ledger refuses; what is due is sent."""
    failed = world.settings.home / "watch" / "failed"
    for dag in ("extract_plans", "extract_arrears", "refused_dag"):
        hand_over(world.settings.home, TaskFailure(dag, None, DAY, "a\0b\x1b[2J", "mend\0"))
    os.mkfifo(failed / "pipe.json")
    (failed / "huge.json").write_bytes(b" " * 200_000)
    noted = incidents.note_failure

    def refuse(conn: Any, failure: Any, *more: Any) -> None:
        if failure.dag_id == "refused_dag":
            conn.execute("select 'a'::int")
        noted(conn, failure, *more)

    monkeypatch.setattr(incidents, "note_failure", refuse)
    with webhook() as (url, posts):
        settings = world.settings.model_copy(update={"alert_webhook": url})
        look_once(settings)
        look_once(settings)
        assert sorted(heard(posts)) == [
            ("opened", "task_failed", "extract_arrears"),
            ("opened", "task_failed", "extract_plans"),
        ]
    assert posts[0]["what"] == "a b [2J"
    assert sorted(path.suffix for path in failed.iterdir()) == [".bad"] * 3


def test_what_is_due_is_sent_by_a_round_that_fails(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as (url, posts):
        dead = world.settings.model_copy(update={"alert_webhook": "http://127.0.0.1:1/x"})
        look_once(dead, TaskFailure("build_warehouse", "build", DAY, "it broke", "mend it"))
        monkeypatch.setattr(rounds, "judge", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            look_once(world.settings.model_copy(update={"alert_webhook": url}))
        assert heard(posts) == [("opened", "task_failed", "build_warehouse")]


def test_a_failure_whose_file_cannot_be_taken_away_is_counted_once(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = TaskFailure("build_warehouse", "build", DAY, "it broke", "mend it")
    hand_over(world.settings.home, failure)
    monkeypatch.setattr(Path, "unlink", full)
    look_once(world.settings)
    look_once(world.settings)
    monkeypatch.undo()
    assert [r["fault_count"] for r in world.rows("select * from ops.incident")] == [1]


def test_a_failure_that_was_mended_before_it_was_read_is_over_at_once(
    world: QuarantineWorld,
) -> None:
    (built,) = world.rows("select max(started_at) as at from ops.build where status = 'exposed'")
    before = built["at"] - timedelta(minutes=1)
    failure = TaskFailure("build_warehouse", "build", DAY, "it broke", "mend it", failed_at=before)
    hand_over(world.settings.home, failure)
    assert look_once(world.settings).open_incidents == []
    (row,) = world.rows("select opened_at, last_seen_at, end_reason from ops.incident")
    assert (row["opened_at"], row["last_seen_at"]) == (before, before)
    assert row["end_reason"] == "its work was done since"
    hand_over(world.settings.home, failure)
    look_once(world.settings)
    assert len(world.rows("select 1 from ops.incident_notice")) == 2, "and nothing is told again"


def test_a_dead_route_is_tried_once_a_round(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refuse(*_: object) -> None:
        tried.append("webhook")
        raise OSError("it is dead")

    monkeypatch.setattr(routes, "_post", refuse)
    settings = world.settings.model_copy(update={"alert_webhook": "http://127.0.0.1:1/x"})
    for dag in ("extract_plans", "extract_arrears", "extract_documents"):
        hand_over(settings.home, TaskFailure(dag, None, DAY, "it broke", "mend it"))
    look_once(settings)
    assert len(tried) == 1
    lines = (settings.home / "alerts.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["subject"] for line in lines} >= {"extract_plans", "extract_arrears"}
    look_once(settings.model_copy(update={"warehouse_url": NOWHERE}), failure_of("other_dag"))
    assert len(tried) == 2
    with webhook() as (url, posts):
        monkeypatch.undo()
        look_once(settings.model_copy(update={"alert_webhook": url}))
        subjects = {subject for _, _, subject in heard(posts)}
    assert subjects >= {"extract_plans", "extract_arrears", "extract_documents"}


def failure_of(dag: str) -> TaskFailure:
    return TaskFailure(dag, None, DAY, "it broke", "mend it")


def test_a_value_that_a_foreign_error_quotes_leaves_no_house(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from chotso.watch.callbacks import alert_task_failed

    for name, value in environment(world).items():
        if name.startswith("CHOTSO_"):
            monkeypatch.setenv(name, value)

    def fail(exception: object) -> None:
        run = SimpleNamespace(dag_id="extract_participants", partition_key=DAY.isoformat())
        task = SimpleNamespace(task_id="publish", log_url=None)
        alert_task_failed({"dag_run": run, "ti": task, "exception": exception})

    with psycopg.connect(world.settings.warehouse_url) as conn:
        conn.execute("create temporary table person (number text primary key)")
        conn.execute("insert into person values (%s)", [CANARY])
        with pytest.raises(psycopg.errors.UniqueViolation) as refused:
            conn.execute("insert into person values (%s)", [CANARY])
    assert CANARY in str(refused.value)
    with webhook() as (url, posts), caplog.at_level(logging.DEBUG):
        monkeypatch.setenv("CHOTSO_ALERT_WEBHOOK", url)
        fail(refused.value)
        fail(ValueError(f"no person {CANARY}"))
        fail(f"no person {CANARY}")
        monkeypatch.setattr(rounds, "judge", lambda *_: int(f"no number: {CANARY}"))
        fail(ValueError(f"no person {CANARY}"))
    assert heard(posts) == [("opened", "task_failed", "extract_participants")]
    assert "SQLSTATE 23505" in posts[0]["what"]
    kept = str(world.rows("select * from ops.incident")) + json.dumps(posts) + caplog.text
    for path in world.settings.home.rglob("*"):
        kept += path.read_text("utf-8", "ignore") if path.is_file() and "watch" in str(path) else ""
    assert CANARY not in kept
    assert "ValueError" in kept, "and the kind of error is told"


def full(*_: object, **_options: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_and_no_warehouse_are_told_once(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One disk for both is the usual pairing; the file of what was told cannot be written then."""
    with webhook() as (url, posts):
        there = world.settings.model_copy(update={"alert_webhook": url})
        gone = there.model_copy(update={"warehouse_url": NOWHERE})
        with monkeypatch.context() as disk:
            disk.setattr(away, "write_private", full)
            disk.setattr(routes, "_append", full)
            for _ in range(3):
                look_once(gone)
        assert heard(posts) == [
            ("opened", "warehouse_away", "warehouse"),
            ("opened", "route_failed", "file"),
        ]
        look_once(there)
        look_once(there)
        assert set(heard(posts)[2:]) == {
            ("ended", "warehouse_away", "warehouse"),
            ("ended", "route_failed", "file"),
        }
        assert len(posts) == 4
    lines = (world.settings.home / "alerts.jsonl").read_text("utf-8").splitlines()
    assert ("opened", "warehouse_away") in {
        (each["event"], each["kind"]) for each in map(json.loads, lines)
    }, "what the file could not take is written there when it can be"


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root")
def test_a_home_on_a_disk_that_is_really_full(world: QuarantineWorld, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)])
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        with pytest.raises(OSError, match="No space left"):
            (disk / "ballast").write_bytes(bytes(1 << 20))
        with webhook() as (url, posts):
            more = {"alert_webhook": url, "warehouse_url": NOWHERE, "home": disk}
            for _ in range(3):
                look_once(world.settings.model_copy(update=more))
        kinds = [(event, kind) for event, kind, _ in heard(posts)]
        assert len(kinds) == len(set(kinds)), kinds
        assert ("opened", "warehouse_away") in kinds
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_failures_while_the_warehouse_is_away_are_counted(world: QuarantineWorld) -> None:
    gone = world.settings.model_copy(update={"warehouse_url": NOWHERE})
    failure = TaskFailure("build_warehouse", "build", DAY, "the warehouse is away", "start it")
    look_once(gone, failure)
    look_once(gone, failure)
    look_once(world.settings)
    rows = world.rows("select kind, fault_count from ops.incident")
    assert rows == [{"kind": "warehouse_away", "fault_count": 3}]


def test_a_route_that_fails_while_the_warehouse_is_away_is_told_of_on_another(
    world: QuarantineWorld,
) -> None:
    with webhook() as (url, posts):
        gone = world.settings.model_copy(
            update={"alert_webhook": "http://127.0.0.1:1/x", "warehouse_url": NOWHERE}
        )
        look_once(gone)
        look_once(gone)
        lines = (world.settings.home / "alerts.jsonl").read_text("utf-8").splitlines()
        assert heard([json.loads(line) for line in lines]) == [
            ("opened", "warehouse_away", "warehouse"),
            ("opened", "route_failed", "webhook"),
        ]
        mended = world.settings.model_copy(update={"alert_webhook": url})
        look_once(mended)
        look_once(mended)
        assert heard(posts)[:1] == [("opened", "warehouse_away", "warehouse")], "it catches up"


def watch_for(settings: Settings, rounds_: int, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == rounds_:
            raise EnoughError

    monkeypatch.setattr(time, "sleep", sleep)
    with pytest.raises(EnoughError):
        rounds.watch_on(lambda: settings, 1)


def test_a_watch_with_an_old_password_is_told_of_once_and_takes_the_new_one(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes have the new one: what the watch told is written down, and it tells again."""
    with webhook() as (url, posts):
        there = world.settings.model_copy(update={"alert_webhook": url})
        old = there.model_copy(update={"warehouse_url": NOWHERE})
        for _ in range(3):
            look_once(old)
            with monkeypatch.context() as another:
                another.setattr(away, "_TOLD_HERE", {})
                look_once(there)
                look_once(there)
        assert heard(posts) == [
            ("opened", "warehouse_away", "warehouse"),
            ("ended", "warehouse_away", "warehouse"),
        ]
        look_once(there)
        look_once(old)
        look_once(there)
        assert [event for event, *_ in heard(posts)[2:]] == ["opened", "ended"], "this one is new"


def test_the_watch_reads_its_settings_before_each_round(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.settings.model_copy(update={"warehouse_url": NOWHERE})
    seen: list[str] = []

    def look(settings: Settings) -> Any:
        seen.append(settings.warehouse_url)
        return SimpleNamespace(diagnosis=SimpleNamespace(causes=[]))

    monkeypatch.setattr(rounds, "look_once", look)
    monkeypatch.setattr(time, "sleep", lambda _: 1 / 0 if len(seen) == 2 else None)
    with pytest.raises(ZeroDivisionError):
        rounds.watch_on(iter([old, old, world.settings]).__next__, 1)
    assert seen == [NOWHERE, world.settings.warehouse_url]


@pytest.mark.parametrize(
    "error", [full, lambda *_: json.loads("{"), lambda *_: [][0], lambda *_: psycopg.connect("x")]
)
def test_a_round_s_error_ends_no_watch_and_is_told_once(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    with webhook() as (url, posts):
        settings = world.settings.model_copy(update={"alert_webhook": url})
        with monkeypatch.context() as broken:
            broken.setattr(rounds, "judge", error)
            watch_for(settings, 1, monkeypatch)
            assert posts == [], "a single round may fail"
            watch_for(settings, 4, monkeypatch)
        assert heard(posts) == [("opened", "task_failed", "watch")]
        watch_for(settings, 2, monkeypatch)
        assert len(posts) == 1, "and the watch looks again"
    rows = world.rows("select kind, subject from ops.incident")
    assert rows == [{"kind": "task_failed", "subject": "watch"}]


def test_the_last_end_of_what_flaps_is_told_and_nothing_more(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes and goes every five minutes for an hour, then it is gone."""
    monkeypatch.setattr(judging, "load_limits", lambda: load_limits_of(quiet_minutes=2))
    insert = (
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "reason, code_version) values ('payments_20211101_999999', 'payments', 'contributions', "
        "%s, 'blocked', 'changes', 'rule r: 3 rows', 'x')"
    )

    def later(minutes: int) -> None:
        world.act(
            "update ops.incident set last_seen_at = last_seen_at - make_interval(mins => %s)",
            minutes,
        )
        look_once(world.settings)

    for _ in range(6):
        world.act(insert, DAY)
        later(5)
        world.act("delete from ops.batch where batch_id like '%%_999999'")
        later(5)
    lines = (world.settings.home / "alerts.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["opened", "ended", "again"]
    later(16)
    later(60)
    lines = (world.settings.home / "alerts.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["opened", "ended", "again", "ended"]


def load_limits_of(**changed: int) -> Any:
    return load_limits().model_copy(update=changed | {"retry_grace_minutes": 0})


def test_the_file_of_alerts_is_bounded(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_LARGEST_BYTES", 10)
    for day in range(1, 4):
        failure = TaskFailure("freeze_results", "freeze", DAY.replace(day=day), "it broke", "mend")
        look_once(world.settings, failure)
    kept = sorted(world.settings.home.glob("alerts.jsonl*"))
    assert [path.name for path in kept] == ["alerts.jsonl", "alerts.jsonl.1"]
    assert [len(path.read_text("utf-8").splitlines()) for path in kept] == [1, 1]
    kept[1].unlink()
