"""One incident per cause and night; everybody is told once, and of its end."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chotso.build.dbt import run_build
from chotso.errors import ChotsoError
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.watch import callbacks as alerts
from chotso.watch import incidents, rounds
from chotso.watch import judge as judging
from chotso.watch.fault import TaskFailure
from chotso.watch.limits import load_limits
from chotso.watch.rounds import look_once
from chotso.watch.routes import routes_of
from tests.worlds.quarantine_world import DAY, QuarantineWorld
from tests.worlds.receivers import mailbox, webhook
from tests.worlds.typed import typed
from tests.worlds.watched import (
    a_night_built,
    begin_anew,
    environment,
    leave_a_batch,
    leave_a_build,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A world whose night of 1 November is built."""
    folder = tmp_path_factory.mktemp("told")
    with a_night_built(running, "told", folder) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh(world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No incident yet; a cause that is gone ends its incident at once."""
    begin_anew(world, monkeypatch)
    yield
    world.act("delete from ops.batch where batch_id like '%%_999999'")


def block(world: QuarantineWorld, feed: str = "payments") -> None:
    """A batch of the night that a rule blocked."""
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "reason, code_version) values (%s, %s, 'contributions', %s, 'blocked', 'changes', "
        "'rule r: 3 rows', 'x') on conflict (batch_id) do update set status = 'blocked'",
        f"{feed}_20211101_999999",
        feed,
        DAY,
    )


def fail(world: QuarantineWorld, feed: str, group: str) -> None:
    """A batch of the night that could not be read."""
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "reason, code_version) values (%s, %s, %s, %s, 'failed', 'whole', 'it is gone', 'x')",
        f"{feed}_20211101_999999",
        feed,
        group,
        DAY,
    )


def in_good_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow has its minutes to try again; a cause that is gone ends its incident at once."""
    limits = load_limits().model_copy(update={"quiet_minutes": 0})
    monkeypatch.setattr(judging, "load_limits", lambda: limits)


def mend(world: QuarantineWorld) -> None:
    world.act("delete from ops.batch where batch_id like '%%_999999'")


def told(world: QuarantineWorld) -> list[tuple[str, str, str]]:
    """(event, kind, subject) of each line of the file of alerts."""
    path = world.settings.home / "alerts.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return [(each["event"], each["kind"], each["subject"]) for each in found]


def test_a_cause_is_one_incident_for_as_long_as_it_lasts(world: QuarantineWorld) -> None:
    block(world)
    for _ in range(3):
        look_once(world.settings)
    assert told(world) == [("opened", "batch_blocked", "payments")]
    mend(world)
    for _ in range(2):
        look_once(world.settings)
    assert told(world)[1:] == [("ended", "batch_blocked", "payments")]
    rows = world.rows("select ended_by, end_reason, business_date from ops.incident")
    assert rows == [{"ended_by": "watch", "end_reason": "its cause is gone", "business_date": DAY}]


def test_what_comes_back_in_the_same_night_is_the_same_incident(world: QuarantineWorld) -> None:
    for _ in range(4):  # it flaps
        block(world)
        look_once(world.settings)
        mend(world)
        look_once(world.settings)
    events = [event for event, _, _ in told(world)]
    # With no quiet time at all; what the quiet time bounds is in test_telling.py.
    assert events == ["opened", "ended", *["again", "ended"] * 3]
    assert [row["fault_count"] for row in world.rows("select * from ops.incident")] == [4]


def test_failed_tasks_are_counted_into_the_incident_that_explains_them(
    world: QuarantineWorld,
) -> None:
    block(world)
    failures = [
        TaskFailure("extract_contributions", task, DAY, "blocked", "mend", log_url="http://x/log")
        for task in ("publish", None, "publish")
    ]
    for failure in failures:
        look_once(world.settings, failure)
    rows = world.rows("select kind, fault_count, log_url from ops.incident")
    assert rows == [{"kind": "batch_blocked", "fault_count": 4, "log_url": "http://x/log"}]
    assert len(told(world)) == 1


def test_what_airflow_is_about_to_do_is_nobody_s_fault(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A landed batch waits for its `publish`, while another task is given up."""
    in_good_time(monkeypatch)
    block(world, "allocations")
    leave_a_batch(world)
    world.act("update ops.batch set landed_at = clock_timestamp() where status = 'running'")
    failure = TaskFailure("extract_contributions", "land", DAY, "blocked", "mend")
    look_once(world.settings, failure)
    assert told(world) == [("opened", "batch_blocked", "allocations")]
    fail(world, "participations", "participations")
    look_once(world.settings, replace(failure, dag_id="extract_participants"))
    (what,) = world.rows("select what from ops.incident where kind = 'landing_failed'")
    assert "participations" in what["what"]
    assert "payments" not in what["what"]
    look_once(world.settings, replace(failure, task_id="publish"))
    (what,) = world.rows("select what from ops.incident where kind = 'landing_failed'")
    assert "payments" in what["what"], "nobody publishes it now"
    assert len(told(world)) == 2


@pytest.mark.parametrize("kind", ["landing_failed", "build_failed"])
def test_what_was_given_up_stays_open_until_it_is_mended(
    world: QuarantineWorld, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_good_time(monkeypatch)
    if kind == "landing_failed":
        leave_a_batch(world)
        failure = TaskFailure("extract_contributions", "land", DAY, "killed", "clear it")
    else:
        leave_a_build(world)
        failure = TaskFailure("build_warehouse", "build", DAY, "killed", "clear it")
    look_once(world.settings)
    assert told(world) == [], "Airflow is about to try it again"
    look_once(world.settings, failure)
    for _ in range(2):
        look_once(world.settings)
    assert [(event, each) for event, each, _ in told(world)] == [("opened", kind)]
    mend(world)
    world.act("delete from ops.build where status = 'running'")
    look_once(world.settings)
    assert [event for event, _, _ in told(world)] == ["opened", "ended"]


def test_a_failure_that_the_ledger_does_not_explain_is_an_incident_of_its_dag(
    world: QuarantineWorld,
) -> None:
    failure = TaskFailure("build_warehouse", "build", None, "ImportError: dbt", "mend it")
    look_once(world.settings, failure)
    look_once(world.settings, replace(failure, task_id=None, what="The run failed"))
    look_once(world.settings)
    (row,) = world.rows("select * from ops.incident")
    assert (row["kind"], row["subject"], row["what"]) == (
        "task_failed", "build_warehouse", "ImportError: dbt",
    )  # fmt: skip
    assert row["business_date"] == DAY, "a run without a date belongs to the night that was due"
    assert row["fault_count"] == 2
    run_build(world.settings)
    look_once(world.settings)
    assert [event for event, _, _ in told(world)] == ["opened", "ended"]


def test_a_person_acknowledges_and_closes(world: QuarantineWorld) -> None:
    block(world)
    (open_one,) = look_once(world.settings).open_incidents
    with connect(world.settings) as conn:
        seen = incidents.acknowledge(conn, open_one.incident_id, "Trần Thị Thử")
        again = incidents.acknowledge(conn, open_one.incident_id, "Lê Văn Mẫu")
    assert seen.acknowledged_by == again.acknowledged_by == "Trần Thị Thử"
    closed = rounds.closed(world.settings, open_one.incident_id, "Lê Văn Mẫu", "nguồn đã xác nhận")
    assert closed.end_reason == "nguồn đã xác nhận"
    assert look_once(world.settings).open_incidents == [], "closed for this night"
    assert [event for event, _, _ in told(world)] == ["opened", "ended"]


def test_the_command_line_tells_the_same(world: QuarantineWorld) -> None:
    block(world)

    def run(*arguments: str) -> tuple[int, str]:
        done = typed(*arguments, environment=environment(world))
        return done.returncode, done.stdout + done.stderr

    code, said = run("watch", "--once", "--json")
    assert code == 1, said
    assert [each["kind"] for each in json.loads(said)["incidents"]] == ["batch_blocked"]
    number = str(json.loads(said)["incidents"][0]["incident_id"])
    code, said = run("status")
    assert code == 1
    assert said.splitlines()[0] == "NOT WELL: 1 error"
    assert "payments_20211101_999999: rule r: 3 rows" in said
    assert "    next: see `ops.rule_result`" in said
    code, said = run("incidents", "show", number)
    assert code == 0
    assert "runbook    docs/runbooks/batch-blocked.md" in said
    code, said = run("incidents", "acknowledge", number, "--by", "Trần Thị Thử")
    assert "seen to    by Trần Thị Thử" in said
    assert run("incidents", "show", "987654")[0] == 1
    mend(world)
    code, said = run("status")
    assert code == 0
    assert said.splitlines()[0] == "healthy"
    assert max(map(len, run("incidents", "list")[1].splitlines())) <= 80


def test_two_watches_and_four_failed_tasks_at_once_tell_once(world: QuarantineWorld) -> None:
    block(world)
    failure = TaskFailure("extract_contributions", "publish", DAY, "blocked", "mend")
    errors: list[BaseException] = []

    def look(failure: TaskFailure | None) -> None:
        try:
            look_once(world.settings, failure)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=look, args=[f]) for f in (None, None, *[failure] * 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(told(world)) == 1
    assert [row["fault_count"] for row in world.rows("select * from ops.incident")] == [5]


def with_routes(settings: Settings, folder: Path, *lines: str, **more: Any) -> Settings:
    path = folder / "routes"
    path.write_text("\n".join(["# routes", *lines]) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return settings.model_copy(update={"alert_routes_file": path} | more)


def test_a_mail_and_a_webhook_receive_it_once_in_words_that_help(
    world: QuarantineWorld, tmp_path: Path
) -> None:
    with mailbox() as (mail_url, mails), webhook() as (url, posts):
        settings = with_routes(world.settings, tmp_path, f"truc {mail_url}", alert_webhook=url)
        block(world)
        look_once(settings)
        look_once(settings)
        assert [post["event"] for post in posts] == ["opened"]
        assert posts[0]["business_date"] == "2021-11-01"
        assert posts[0]["at"].endswith("+07:00"), "local time"
        (mail,) = mails
        assert "[critical]" not in mail["subject"]
        assert "Quy tắc chặn cả lô — A rule blocked a batch" in mail["subject"]
        for part in (
            "payments_20211101_999999",
            "Next: see `ops.rule_result`",
            "Airflow: extract_contributions / publish",
            "docs/runbooks/batch-blocked.md",
        ):
            assert part in mail["text"]
        mend(world)
        look_once(settings)
        assert [post["event"] for post in posts] == ["opened", "ended"]
        assert len(mails) == 2
        assert "Over: its cause is gone" in mails[1]["text"]


def test_a_route_that_fails_is_told_of_on_another_and_catches_up(
    world: QuarantineWorld, tmp_path: Path
) -> None:
    with webhook() as (url, posts), mailbox() as (mail_url, mails):
        dead = with_routes(
            world.settings, tmp_path, "truc mailto://127.0.0.1:1?from=a@b.vn&to=c@d.vn&mode=insecure",
            alert_webhook=url,
        )  # fmt: skip
        block(world)
        look_once(dead)
        look_once(dead)
        look_once(dead)
        assert [(p["event"], p["kind"]) for p in posts] == [
            ("opened", "batch_blocked"), ("opened", "route_failed"),
        ]  # fmt: skip
        assert posts[1]["subject"] == "truc"
        mended = with_routes(world.settings, tmp_path, f"truc {mail_url}", alert_webhook=url)
        look_once(mended)
        assert len(mails) == 1, "what was due is sent"
        look_once(mended)
        assert [(p["event"], p["kind"]) for p in posts][2:] == [("ended", "route_failed")]


def test_secrets_of_routes_stand_nowhere(world: QuarantineWorld, tmp_path: Path) -> None:
    secret = "s3cretT0ken"
    settings = with_routes(
        world.settings, tmp_path, f"json://127.0.0.1:1/{secret}",
        alert_webhook=f"http://127.0.0.1:1/{secret}",
    )  # fmt: skip
    block(world)
    look_once(settings)
    look_once(settings)
    kept = str(world.rows("select * from ops.incident"))
    kept += str(world.rows("select * from ops.incident_notice"))
    kept += (world.settings.home / "alerts.jsonl").read_text("utf-8")
    assert "route_failed" in kept
    assert secret not in kept


@pytest.mark.parametrize(
    ("line", "mode", "why"),
    [
        ("truc mailto://127.0.0.1?to=a@b.vn", 0o644, "can be read by others"),
        ("no url at all", 0o600, "line 2"),
        ("truc nothing://x", 0o600, "line 2"),
    ],
)
def test_a_file_of_routes_that_is_wrong_is_an_incident_on_the_others(
    world: QuarantineWorld, tmp_path: Path, line: str, mode: int, why: str
) -> None:
    settings = with_routes(world.settings, tmp_path, line)
    assert settings.alert_routes_file is not None
    settings.alert_routes_file.chmod(mode)
    found = look_once(settings).diagnosis.causes
    assert [each.kind for each in found] == ["route_failed"]
    assert why in found[0].what
    assert told(world) == [("opened", "route_failed", "CHOTSO_ALERT_ROUTES_FILE")]


@pytest.mark.parametrize(
    "line", ["truc json://h/b", "file json://h/b", "webhook json://h/b", "json://h/b json://h/b"]
)
def test_two_routes_of_one_name_are_refused(
    world: QuarantineWorld, tmp_path: Path, line: str
) -> None:
    settings = with_routes(world.settings, tmp_path, "truc json://h/a", "", line)
    with pytest.raises(ChotsoError, match="a line 4 whose name") as refused:
        routes_of(settings)
    assert "://" not in str(refused.value)


def test_while_the_warehouse_is_away_each_is_told_once_and_written_down_after(
    world: QuarantineWorld,
) -> None:
    with webhook() as (url, posts):
        there = world.settings.model_copy(update={"alert_webhook": url})
        away = there.model_copy(
            update={"warehouse_url": "postgresql://x:y@127.0.0.1:1/w?connect_timeout=1"}
        )
        for _ in range(3):
            look_once(away)
        assert [(p["event"], p["kind"]) for p in posts] == [("opened", "warehouse_away")]
        look_once(there)
        look_once(there)
        assert [(p["event"], p["kind"]) for p in posts][1:] == [("ended", "warehouse_away")]
        (row,) = world.rows("select kind, ended_by from ops.incident")
        assert row == {"kind": "warehouse_away", "ended_by": "watch"}


def test_the_callbacks_of_airflow_go_to_the_watch(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(world).items():
        if name.startswith("CHOTSO_"):
            monkeypatch.setenv(name, value)
    block(world)
    context = {
        "dag_run": type("Run", (), {"dag_id": "extract_contributions", "partition_key": str(DAY)}),
        "ti": type("Task", (), {"task_id": "publish", "log_url": "http://x/log"}),
        "exception": RuntimeError("blocked"),
    }
    alerts.alert_task_failed(context)
    alerts.alert_run_failed({**context, "reason": "task_failure"})
    assert told(world) == [("opened", "batch_blocked", "payments")]


def test_the_naive_way_says_it_fifteen_times_or_not_at_all(world: QuarantineWorld) -> None:
    """on_failure_callback alone: as many alerts as failures, and none of what never ran."""
    block(world)
    tasks = [("extract_contributions", "publish"), ("extract_contributions", None)] * 7
    naive: list[str] = []
    for dag, task in tasks:
        naive.append(f"{dag}/{task} failed")  # what a callback of Airflow would send
        look_once(world.settings, TaskFailure(dag, task, DAY, "blocked", "mend"))
    assert len(told(world)) == 1 < len(naive)
    mend(world)
    look_once(world.settings)
    world.tick(days=1, minutes=6)
    try:
        # a night that never began fails no task: the callback is never called
        assert [e.kind for e in look_once(world.settings).diagnosis.causes] == ["night_not_begun"]
    finally:
        world.tick(days=-1, minutes=-6)


def test_the_watch_leaves_no_session_behind(world: QuarantineWorld) -> None:
    def sessions() -> list[dict[str, Any]]:
        return world.rows(
            "select pid from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid() order by pid"
        )

    look_once(world.settings)
    before = sessions()
    look_once(world.settings)
    assert sessions() == before
