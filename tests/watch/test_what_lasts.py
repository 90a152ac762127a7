"""What lasts is told until it is mended, however many nights begin meanwhile."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.folder import nearest
from chotso.sandbox.server import SandboxServer
from chotso.watch import builds, places
from chotso.watch import judge as judging
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.judge import judge
from chotso.watch.limits import load_limits
from chotso.watch.rounds import look_once
from tests.worlds.quarantine_world import DAY, QuarantineWorld
from tests.worlds.watched import a_night_built, begin_anew

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(300)]

NIGHT = timedelta(days=1)
CUTOFF = date(2021, 12, 31)


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """A world whose night of 1 November is built; its clock only goes on."""
    with a_night_built(running, "lasts", tmp_path_factory.mktemp("lasts")) as made:
        yield made


@pytest.fixture(autouse=True)
def at_once(world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_anew(world, monkeypatch)


def told(world: QuarantineWorld) -> list[tuple[str, str]]:
    """(event, kind) of each line of the file of alerts."""
    path = world.settings.home / "alerts.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [(each["event"], each["kind"]) for each in map(json.loads, lines)]


def causes(world: QuarantineWorld) -> dict[str, Fault]:
    return {each.kind: each for each in judge(world.settings).causes}


def block(world: QuarantineWorld, day: date, number: int) -> None:
    """A batch of payments that a rule blocked."""
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "reason, code_version) values (%s, 'payments', 'contributions', %s, 'blocked', 'changes', "
        "'rule r: 3 rows', 'x')",
        f"payments_{day:%Y%m%d}_{number}",
        day,
    )


def test_a_blocked_feed_is_one_incident_until_it_is_published(world: QuarantineWorld) -> None:
    block(world, DAY, 900001)
    look_once(world.settings)
    world.tick(days=1)
    world.extract("registers")  # another night begins
    look_once(world.settings)
    block(world, DAY + NIGHT, 900002)  # and is blocked, too
    look_once(world.settings)
    with closing(psycopg.connect(world.settings.warehouse_url)) as other:
        other.execute(
            "select pg_advisory_lock(hashtextextended('chotso/extract of contributions', 0))"
        )
        other.commit()
        world.act(
            "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
            "code_version) values ('payments_20211102_900003', 'payments', 'contributions', %s, "
            "'running', 'changes', 'x')",
            DAY + NIGHT,
        )
        look_once(world.settings)  # it is read again
    assert told(world) == [("opened", "batch_blocked")]
    (row,) = world.rows("select business_date, what, ended_at from ops.incident")
    assert row["business_date"] == DAY
    assert "payments_20211102_900002" in row["what"]
    world.extract("contributions", "participations", "c12", "plans")
    run_build(world.settings)
    look_once(world.settings)
    assert told(world)[1:] == [("ended", "batch_blocked")]


def test_a_feed_that_could_not_be_read_is_told_while_the_next_night_begins(
    world: QuarantineWorld,
) -> None:
    day = DAY + NIGHT
    world.act(
        "insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode, "
        "reason, code_version) values ('c12_20211102_900004', 'c12', 'c12', %s, 'failed', 'file', "
        "'no rights', 'x')",
        day,
    )
    look_once(world.settings)
    world.tick(days=1)
    world.extract("registers")
    found = causes(world)["landing_failed"]
    assert found.business_date == day
    assert f"`chotso extract c12 --date {day}`" in found.next_step
    world.extract("contributions", "participations", "c12", "plans")
    run_build(world.settings)
    assert causes(world) == {}


def test_a_feed_that_is_never_read_is_named_with_its_dag_though_readers_see_the_night(
    world: QuarantineWorld,
) -> None:
    """`extract_arrears` is paused; `reconcile_warehouse` has the night built without it."""
    world.tick(days=1)
    world.extract("registers", "contributions", "participations", "plans")
    run_build(world.settings)
    day = world.rows("select max(business_date) as day from ops.batch")[0]["day"]
    assert causes(world) == {}, "its time has not come"
    world.act(
        "update ops.batch set started_at = started_at - interval '5 hours' "
        "where business_date = %s",
        day,
    )
    look_once(world.settings)
    found = causes(world)["night_not_ended"]
    assert "Not read at all: c12." in found.what
    assert "readers do not see it" not in found.what
    assert (found.dag_id, found.task_id) == ("extract_arrears", "land")
    assert "`extract_arrears` is not paused" in found.next_step
    assert f"`chotso nightly --date {day}`" in found.next_step
    failed = Fault("build_failed", "build", day, "a test", "mend it", dag_id="build_warehouse")
    assert not judging.explained(found, failed), "two causes"
    assert judging.explained(found, Fault("airflow_away", "airflow", day, "gone", "start it"))
    world.tick(days=1)
    world.extract("registers", "contributions", "participations", "plans")  # paused still
    run_build(world.settings)
    look_once(world.settings)
    assert told(world) == [("opened", "night_not_ended")]
    world.extract("c12")
    run_build(world.settings)
    look_once(world.settings)
    assert told(world)[1:] == [("ended", "night_not_ended")]


def test_a_log_folder_on_a_full_disk_of_its_own_is_told(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = Path("/dev/shm")  # a disk of its own
    if logs.stat().st_dev in {
        nearest(each).stat().st_dev for each in places.written_to(world.settings).values()
    }:
        pytest.skip("needs a second disk")
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(logs))
    whole = shutil.disk_usage
    monkeypatch.setattr(
        shutil,
        "disk_usage",
        lambda place: whole(place)._replace(free=10**6) if place == logs else whole(place),
    )
    assert str(logs) in causes(world)["disk_nearly_full"].what


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (psycopg.errors.UndefinedTable(), "chotso migrate"),
        (psycopg.errors.InsufficientPrivilege(), "chotso migrate"),
        (psycopg.errors.QueryCanceled(), "server's log"),
        (psycopg.errors.DiskFull(), "server's log"),
    ],
)
def test_what_the_watch_could_not_look_at_is_mended_by_its_cause(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch, error: psycopg.Error, step: str
) -> None:
    def blind(*_: object) -> Iterator[Fault]:
        raise error

    monkeypatch.setattr(judging, "_LEDGER", (blind,))
    assert step in causes(world)["task_failed"].next_step


def test_a_freeze_that_hangs_is_told_though_its_lock_is_held(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal that hangs keeps the freeze of the cutoff from its lock."""
    world.clock = world.clock.replace(month=12, day=31, hour=18)
    world.tick(minutes=1)
    world.act(
        'insert into ops."freeze" (release_id, period_id, is_rehearsal, state, cutoff_at, '
        "business_date, as_known_at, target_schema) values ('rehearsal-x', 'sprint-2021-q4', true, "
        "'extracted', now(), %s, now(), 'rehearsal_x')",
        CUTOFF,
    )
    world.act(
        "with build as (insert into ops.build (business_date, as_known_at, target_schema, config, "
        "config_sha256, code_version, status) select business_date, as_known_at, 'rehearsal_x', "
        "config, config_sha256, code_version, 'running' from ops.build order by build_id limit 1 "
        "returning build_id) insert into ops.build_node (build_id, node, kind, status, started_at) "
        "select build_id, 'int_islands', 'model', 'running', clock_timestamp() from build"
    )
    url = world.settings.warehouse_url
    with closing(psycopg.connect(url, application_name="chotso: freeze")) as holder:
        holder.execute("select pg_advisory_lock(hashtextextended('chotso/freeze', 0))")
        holder.commit()
        assert "freeze_due" not in causes(world), "it is given its time"
        limits = load_limits()
        assert limits.freeze.longest_minutes < 60, "an hour of silence at a cutoff is too long"
        at_once = limits.freeze.model_copy(update={"longest_minutes": 0})
        monkeypatch.setattr(
            judging, "load_limits", lambda: limits.model_copy(update={"freeze": at_once})
        )
        due = causes(world)["freeze_due"]
        assert due.severity == "critical"
        assert "rehearsal-x, `extracted` since" in due.what
        assert "int_islands" in due.what
        assert "chotso: freeze (pid" in due.what
        assert "clear `freeze` in `freeze_results`" in due.next_step
        end = f"select pg_terminate_backend({holder.info.backend_pid})"
        assert f"`{end}`" in due.next_step
        with closing(psycopg.connect(url)) as own:
            own.execute(end.encode())
    begin = causes(world)["freeze_due"]
    assert "no run has begun" in begin.what
    assert "trigger `freeze_results`" in begin.next_step
    assert "`chotso freeze sprint-2021-q4`, then `chotso freeze plan-2021-m09-12`" in (
        begin.next_step
    )


def test_what_a_near_cutoff_needs_is_critical_and_names_the_period(world: QuarantineWorld) -> None:
    """After the test above: the cutoffs have passed."""
    begun = causes(world)["night_not_begun"]
    assert (begun.severity, begun.period_id) == ("critical", "sprint-2021-q4")
    moment = judge(world.settings).moment
    for dag, severity in (
        ("extract_plans", "critical"),
        ("build_warehouse", "critical"),
        ("freeze_results", "critical"),
        ("refresh_figures", "error"),
        ("watch_nights", "error"),
    ):
        failed = moment.of_task(TaskFailure(dag, "land", DAY, "it failed", "clear it"))
        assert failed.severity == severity, dag
        assert (failed.period_id is not None) is (severity == "critical"), dag
        assert (failed.business_date, failed.task_id) == (DAY, "land")


@pytest.mark.parametrize(
    ("schema", "dag"),
    [
        ("marts_build", "build_warehouse"),
        ("freeze_sprint_2021_q4", "freeze_results"),
        ("rehearsal_1_sprint_2021_q4", None),
    ],
)
def test_a_build_that_waits_names_the_dag_that_builds_in_its_schema(
    schema: str, dag: str | None
) -> None:
    assert builds.works_in(schema)[0] == dag
