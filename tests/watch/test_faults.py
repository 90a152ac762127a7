"""Each fault is found once, with what happened and a next step; its consequences are not."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest

from chotso.build.dbt import run_build
from chotso.errors import ChotsoError
from chotso.ingest.night import extract_all
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.watch import judge as judging
from chotso.watch import places
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.judge import judge
from chotso.watch.limits import Limits, load_limits
from chotso.watch.moment import wall_clock
from tests.worlds.freeze_world import past_the_guards
from tests.worlds.quarantine_world import DAY, QuarantineWorld, account
from tests.worlds.watched import (
    a_build_that_waits,
    a_night_built,
    leave_a_batch,
    leave_a_build,
    rename_column,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(300)]

NIGHT = timedelta(days=1)


@pytest.fixture(scope="module")
def made(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """Somebody takes part, and an agency has stated its accounts."""

    def also(world: QuarantineWorld) -> None:
        world.spell(1, "7912345678")
        world.accounts({"07201": [account("TA0001A", 100)]})

    with a_night_built(running, "watch", tmp_path_factory.mktemp("watch"), also) as world:
        yield world


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """No grace: what failed a moment ago is told."""
    limits = load_limits()
    monkeypatch.setattr(
        judging, "load_limits", lambda: limits.model_copy(update={"retry_grace_minutes": 0})
    )


@pytest.fixture(autouse=True)
def clock(made: QuarantineWorld) -> Iterator[None]:
    """The source's clock stands where it stood."""
    before = made.clock
    yield
    made.clock = before
    made.tick(hours=0)


def limited(monkeypatch: pytest.MonkeyPatch, **changed: object) -> Limits:
    limits = load_limits().model_copy(update={"retry_grace_minutes": 0} | changed)
    monkeypatch.setattr(judging, "load_limits", lambda: limits)
    return limits


def found(settings: Settings) -> dict[str, Fault]:
    """Causes by kind; no kind may be there twice."""
    causes = judge(settings).causes
    by_kind = {each.kind: each for each in causes}
    assert len(by_kind) == len(causes), causes
    return by_kind


def only(settings: Settings, kind: str) -> Fault:
    causes = found(settings)
    assert set(causes) == {kind}, causes
    each = causes[kind]
    assert each.what
    assert each.next_step
    assert each.business_date >= date(2021, 10, 31)
    return each


@pytest.mark.usefixtures("sure")
def test_nothing_is_wrong_after_a_night_that_went_well(made: QuarantineWorld) -> None:
    diagnosis = judge(made.settings)
    assert diagnosis.causes == []
    assert diagnosis.moment.night == DAY, "by the source's clock, not by this machine's"
    assert diagnosis.is_warehouse_there


@pytest.mark.usefixtures("sure")
def test_a_night_that_is_due_and_has_not_begun(made: QuarantineWorld) -> None:
    made.tick(days=1, minutes=4)
    assert judge(made.settings).causes == [], "01:04: Airflow is starting it"
    made.tick(minutes=2)
    told = only(made.settings, "night_not_begun")
    assert told.business_date == DAY + NIGHT
    assert f"chotso nightly --date {DAY + NIGHT}" in told.next_step
    assert told.dag_id == "extract_registers"


@pytest.mark.usefixtures("sure")
def test_a_warehouse_that_another_session_locks_is_not_away(made: QuarantineWorld) -> None:
    with psycopg.connect(made.warehouse.admin_url) as holder:
        holder.execute("lock table frozen.release in access exclusive mode")
        diagnosis = judge(made.settings)
    assert diagnosis.is_warehouse_there
    assert "warehouse_away" not in {each.kind for each in diagnosis.causes}


def broken_look(*_: object) -> NoReturn:
    raise PermissionError(13, "Permission denied", "/archive/0123456789")


@pytest.mark.usefixtures("sure")
@pytest.mark.parametrize("where", ["_LEDGER", "_PLACES"])
def test_a_look_that_fails_in_any_way_blinds_no_other(
    made: QuarantineWorld, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(judging, where, (broken_look, *getattr(judging, where)))
    made.tick(days=1, minutes=6)
    causes = found(made.settings)
    assert set(causes) == {"night_not_begun", "task_failed"}
    told = causes["task_failed"]
    assert "could not look at broken_look" in told.what
    assert "0123456789" not in told.what
    assert told.next_step


@pytest.mark.usefixtures("sure")
def test_a_register_that_does_not_fit_is_not_the_warehouse_s_fault(
    made: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def misspelt() -> NoReturn:
        raise ChotsoError("config/periods.yml does not fit.", next_step="mend it.")

    monkeypatch.setattr(judging, "load_registers", misspelt)
    with pytest.raises(ChotsoError, match=r"periods\.yml"):
        judge(made.settings)


@pytest.mark.usefixtures("sure")
def test_a_source_that_is_away_is_one_cause(made: QuarantineWorld) -> None:
    away = made.settings.model_copy(
        update={"source_url": "postgresql://nobody:x@127.0.0.1:1/tst?connect_timeout=2"}
    )
    reports = extract_all(away, DAY)
    assert len([s for r in reports for s in r.stopped]) >= 4, "four groups say the same"
    told = only(away, "source_away")
    assert "does not answer" in told.what
    assert "chotso nightly --date" in told.next_step
    # the source is back: the night is still not read, and that is one thing to do
    again = found(made.settings)
    assert set(again) <= {"landing_failed"}
    made.extract()
    assert judge(made.settings).causes == []


@pytest.mark.usefixtures("sure")
def test_a_folder_that_is_gone(made: QuarantineWorld, tmp_path: Path) -> None:
    gone = made.settings.model_copy(update={"drop_url": str(tmp_path / "gone")})
    extract_all(gone, DAY)
    told = only(gone, "drop_folder_away")
    assert str(tmp_path / "gone") in told.what
    made.extract()
    assert judge(made.settings).causes == []


@pytest.mark.usefixtures("sure")
def test_a_truncated_file_is_named_with_what_to_do(made: QuarantineWorld) -> None:
    path = made.accounts({"07201": [account("TA0001A", 300)]}, stated="20211101T210000")
    path.write_bytes(path.read_bytes()[:200])
    try:
        extract_all(made.settings, DAY)
        told = only(made.settings, "file_refused")
        assert path.name in told.what
        assert path.name in told.next_step
        assert told.dag_id == "extract_arrears"
    finally:
        path.unlink()
        extract_all(made.settings, DAY)
    assert judge(made.settings).causes == []


@pytest.mark.usefixtures("sure")
def test_a_rule_that_blocks_a_batch(made: QuarantineWorld) -> None:
    rename_column(made, "tien_goc", "tien_khac")
    try:
        extract_all(made.settings, DAY)
        causes = found(made.settings)
        assert set(causes) == {"batch_blocked"}, causes
        told = causes["batch_blocked"]
        assert told.subject == "allocations"
        assert "tien_goc" in told.what
        assert told.dag_id == "extract_contributions"
    finally:
        rename_column(made, "tien_khac", "tien_goc")
    made.extract()
    assert judge(made.settings).causes == []


def test_a_run_that_was_killed_is_told_when_nobody_takes_it_up(
    made: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_a_batch(made)
    try:
        assert judge(made.settings).causes == [], "Airflow is about to try it again"
        limited(monkeypatch)
        told = only(made.settings, "landing_failed")
        assert "payments" in told.what
        assert "gone" in told.what
        with psycopg.connect(made.settings.warehouse_url) as other:
            other.execute(
                "select pg_advisory_lock(hashtextextended('chotso/extract of contributions', 0))"
            )
            assert judge(made.settings).causes == [], "somebody works on it"
            limited(monkeypatch, extract_longest_minutes=0)
            assert only(made.settings, "extract_hangs").task_id == "land"
    finally:
        made.act("delete from ops.batch where batch_id = 'payments_20211101_999999'")


@pytest.mark.usefixtures("sure")
def test_a_build_that_failed_or_whose_process_is_gone(made: QuarantineWorld) -> None:
    copy = (
        "insert into ops.build (business_date, as_known_at, target_schema, config, "
        "config_sha256, code_version, status, reason, finished_at) "
        "select business_date, as_known_at, 'marts_build', config, config_sha256, "
        "code_version, %s, %s, case when %s = 'failed' then clock_timestamp() end "
        "from ops.build order by build_id limit 1"
    )
    made.act(copy, "failed", "model fct_plan_target: division by zero", "failed")
    told = only(made.settings, "build_failed")
    assert "fct_plan_target" in told.what
    assert told.task_id == "build"
    leave_a_build(made)
    assert "process that built is gone" in only(made.settings, "build_failed").what
    run_build(made.settings)
    assert judge(made.settings).causes == []


def test_a_build_that_hangs_names_the_models_that_run(
    made: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, build_longest_minutes=0)
    made.act(
        "with build as (insert into ops.build (business_date, as_known_at, target_schema, config, "
        "config_sha256, code_version, status) select business_date, as_known_at, 'marts_build', "
        "config, config_sha256, code_version, 'running' from ops.build order by build_id limit 1 "
        "returning build_id) insert into ops.build_node (build_id, node, kind, status, started_at) "
        "select build_id, 'int_islands', 'model', 'running', clock_timestamp() from build"
    )
    with psycopg.connect(made.settings.warehouse_url) as other:
        other.execute("select pg_advisory_lock(hashtextextended('chotso/build marts_build', 0))")
        told = only(made.settings, "build_hangs")
    assert "int_islands" in told.what
    made.act("delete from ops.build_node where node = 'int_islands'")
    made.act("delete from ops.build where status = 'running'")


def test_a_build_behind_a_lock_names_the_holder_and_nothing_else(
    made: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, lock_wait_seconds=1, build_longest_minutes=1)
    with psycopg.connect(made.warehouse.admin_url) as holder:
        holder.execute("set application_name = 'pg_dump'")
        with a_build_that_waits(made, holder):
            told = _until(lambda: judge(made.settings).causes)
        holder.rollback()
    assert [each.kind for each in told] == ["lock_waited_for"]
    assert "pg_dump" in told[0].what
    assert "pg_terminate_backend" in told[0].next_step


@pytest.mark.usefixtures("sure")
def test_control_totals_that_differ_explain_the_build_that_is_not_shown(
    made: QuarantineWorld,
) -> None:
    made.source("select 1")
    with psycopg.connect(made.warehouse.source_admin_url) as conn:
        conn.execute("update tst.doi_soat set so_dong = so_dong + 1 where bang = 'chung_tu'")
    try:
        extract_all(made.settings, DAY)
        with pytest.raises(ChotsoError):
            run_build(made.settings)
        told = only(made.settings, "control_totals_differ")
        assert "--full" in told.next_step
    finally:
        made.source("select 1")
    made.extract()
    run_build(made.settings)
    assert judge(made.settings).causes == []


@pytest.mark.usefixtures("sure")
def test_a_freeze_that_is_due_is_critical_and_names_its_period(made: QuarantineWorld) -> None:
    made.tick(days=60, hours=17)  # past the cutoff, and no night since November
    causes = found(made.settings)
    assert set(causes) == {"freeze_due", "night_not_begun"}
    due = causes["freeze_due"]
    assert due.severity == "critical"
    assert due.business_date == date(2021, 12, 31)
    assert due.period_id == "sprint-2021-q4"
    assert "plan-2021-m09-12" in due.what
    assert "chotso freeze sprint-2021-q4" in due.next_step
    assert causes["night_not_begun"].severity == "critical", "a cutoff is at stake"


@pytest.mark.usefixtures("sure")
def test_a_release_that_nobody_checks_and_one_that_differs(made: QuarantineWorld) -> None:
    with past_the_guards(made.settings) as conn:
        conn.execute(
            "insert into frozen.release select 'sprint-2021-q4', 'sprint-2021-q4', 'original', "
            "null, true, %(at)s, %(at)s, repeat('a', 64), null, repeat('b', 64), %(at)s, '1', "
            "'sealed'",
            {"at": made.clock},
        )
    checked = "insert into ops.release_check (result, releases, what) values (%s, 1, %s)"
    try:
        assert judge(made.settings).causes == [], "it was sealed this very hour"
        made.tick(hours=23)
        assert judge(made.settings).causes == []
        made.tick(hours=4)
        unchecked = found(made.settings)["releases_unchecked"]
        assert "27 hours" in unchecked.what
        made.act(checked, "unanchored", "no anchor vouches for sprint-2021-q4")
        assert "no anchor vouches" in found(made.settings)["releases_unchecked"].what
        made.act(checked, "differs", "sums: data/attainment.csv")
        differs = found(made.settings)["release_differs"]
        assert differs.severity == "critical"
        assert "touch nothing" in differs.next_step
        made.act(checked, "verified", None)
        assert set(found(made.settings)) == {"night_not_begun"}
    finally:
        made.act("delete from ops.release_check")
        with past_the_guards(made.settings) as conn:
            conn.execute("delete from frozen.release")


@pytest.mark.usefixtures("sure")
def test_a_full_disk_explains_what_could_not_be_written(
    made: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    use = shutil.disk_usage(made.settings.home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: use._replace(free=10**6))
    told = only(made.settings, "disk_nearly_full")
    assert told.severity == "critical"
    assert str(made.settings.home) in told.what
    full = Fault("landing_failed", "source", DAY, "c12: No space left on device", "make room")
    other = Fault("landing_failed", "source", DAY, "c12: no rights", "grant them")
    assert judging.explained(full, told)
    assert not judging.explained(other, told)


@pytest.mark.usefixtures("sure")
def test_clocks_that_differ(made: QuarantineWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "wall_clock", lambda: wall_clock() + timedelta(hours=7))
    told = only(made.settings, "clock_differs")
    assert "25200 seconds apart" in told.what


@pytest.mark.usefixtures("sure")
def test_a_warehouse_that_is_older_than_its_archive(made: QuarantineWorld) -> None:
    newest = made.rows("select max(batch_id) as id from ops.batch where feed = 'agencies'")
    folder = max((Path(made.settings.landing_url) / "agencies").iterdir())
    lost = folder / "agencies_20211101_987654"
    lost.mkdir()
    assert judge(made.settings).causes == [], "without a manifest it never landed"
    later = {"known_at": (made.clock + NIGHT).isoformat()}
    (lost / "manifest.json").write_text(json.dumps(later), encoding="utf-8")
    try:
        told = only(made.settings, "warehouse_restored")
        assert lost.name in told.what
        assert newest[0]["id"] not in told.what
        assert told.severity == "critical"
    finally:
        shutil.rmtree(lost)


def test_a_warehouse_that_is_away_is_all_that_is_told(made: QuarantineWorld) -> None:
    away = made.settings.model_copy(
        update={"warehouse_url": "postgresql://nobody:x@127.0.0.1:1/warehouse?connect_timeout=2"}
    )
    diagnosis = judge(away)
    assert [each.kind for each in diagnosis.causes] == ["warehouse_away"]
    assert not diagnosis.is_warehouse_there


@pytest.mark.parametrize(
    ("dag", "kind", "explains"),
    [
        ("extract_participants", "landing_failed", True),
        ("extract_plans", "landing_failed", False),
        ("build_warehouse", "build_failed", True),
        ("freeze_results", "build_failed", False),
        ("freeze_results", "freeze_due", True),
        ("extract_registers", "warehouse_away", True),
    ],
)
def test_a_task_s_failure_is_counted_into_the_cause_that_explains_it(
    dag: str, kind: str, explains: bool
) -> None:
    of_dag = {"build_failed": "build_warehouse", "freeze_due": "freeze_results"}
    cause = Fault(
        kind, "x", DAY, "what", "next", dag_id=of_dag.get(kind, "extract_registers"),
        about=frozenset({"extract_participants"}),
    )  # fmt: skip
    failed = TaskFailure(dag, "land", DAY, "it failed", "clear it").as_fault(DAY)
    assert judging.explained(failed, cause) is explains


def _until(look: object, seconds: float = 30.0) -> list[Fault]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if told := look():  # type: ignore[operator]
            return list(told)
        time.sleep(0.5)
    raise AssertionError("nothing was found in time")
