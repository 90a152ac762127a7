"""Every DAG can be read, documents itself, has an owner, tags, retries and an alert route."""

import json
import subprocess
import sys
import traceback
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pendulum
import psycopg
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Asset, AssetAll, AssetAny, RetryAction, TriggerRule
from airflow.sdk.exceptions import AirflowSkipException, ParamValidationError
from airflow.sdk.execution_time.context import OutletEventAccessors
from airflow.serialization.serialized_objects import DagSerialization
from wiring import assets
from wiring.night import BUSINESS_DATE

import chotso.orchestration.night as night_module
import chotso.orchestration.refresh as refresh_module
import chotso.settings as settings_module
from chotso import PROJECT_ROOT
from chotso.errors import BusyError, ChotsoError
from chotso.local.drive import ALL_DAGS, BUILD, EXTRACTS, FREEZE, RECONCILE, REFRESH, VERIFY
from chotso.orchestration import due
from chotso.orchestration.due import newest_due, run_date
from chotso.orchestration.extracts import extracts
from chotso.orchestration.night import business_date
from chotso.orchestration.quoting import quoting_nothing
from chotso.orchestration.retries import TransientOnly
from chotso.watch import callbacks as alerts
from chotso.watch.handed import handed_over

DAGS = PROJECT_ROOT / "dags"


def read_dags() -> DagBag:
    return DagBag(dag_folder=str(DAGS), safe_mode=True, bundle_path=DAGS)


@pytest.fixture(scope="module")
def bag() -> DagBag:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHOTSO_SCHEDULES", "on")
        return read_dags()


@pytest.fixture(scope="module")
def bag_off() -> DagBag:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHOTSO_SCHEDULES", "off")
        return read_dags()


def core_timetable(dag: DAG) -> Any:
    return DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable


def test_all_dags_can_be_read(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == set(ALL_DAGS)


def test_reading_them_needs_no_database_and_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys, extract_feeds, build_warehouse, freeze_results, reconcile_warehouse\n"
        "import verify_releases, refresh_figures, watch_nights\n"
        "heavy = {'great_expectations', 'dbt', 'pandas', 'pyarrow', 'psycopg'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    env = {
        "PYTHONPATH": f"{PROJECT_ROOT}:{DAGS}",
        "AIRFLOW_HOME": str(tmp_path),
        "CHOTSO_HOME": str(tmp_path / "nothing-here"),
        "CHOTSO_WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dag_id", ALL_DAGS)
def test_a_dag_tells_its_story(bag: DagBag, dag_id: str) -> None:
    dag = bag.dags[dag_id]
    page = dag.doc_md or ""
    assert page.startswith("# ")
    assert "$" not in page, "everything is filled in"
    assert dag.description, "the list of DAGs says what each is for"
    assert "**When it fails.**" in page
    steps = dag.topological_sort()  # type: ignore[no-untyped-call]
    for number, task in enumerate(steps, start=1):
        assert f"{number}. **{task.task_id}**" in page, "each task is a numbered step of the page"


@pytest.mark.parametrize("dag_id", ALL_DAGS)
def test_a_dag_has_allowed_tags_and_limits(bag: DagBag, dag_id: str) -> None:
    from wiring.defaults import TAGS

    dag = bag.dags[dag_id]
    assert dag.tags
    assert set(dag.tags) <= TAGS
    assert dag.max_active_runs == 1
    assert dag.catchup is False
    assert dag.dagrun_timeout is not None
    assert dag.on_failure_callback, "a killed task has no say; the run's alert has"


@pytest.mark.parametrize("dag_id", ALL_DAGS)
def test_every_task_has_owner_alert_route_and_fitting_retries(bag: DagBag, dag_id: str) -> None:
    for task in bag.dags[dag_id].tasks:
        assert task.owner == "phong-cntt"
        assert task.on_failure_callback, task.task_id
        assert task.retries in (2, 3)
        assert isinstance(task.retry_policy, TransientOnly)
        assert task.execution_timeout is not None


@pytest.mark.parametrize("dag_id", EXTRACTS)
def test_the_run_of_one_oclock_on_new_year_has_the_partition_of_the_day_before(
    bag: DagBag, dag_id: str
) -> None:
    timetable = core_timetable(bag.dags[dag_id])
    new_year = datetime(2021, 12, 31, 18, 0, tzinfo=UTC)  # 2022-01-01T01:00+07:00
    _, key = timetable._get_partition_info(run_date=timetable._align_to_next(new_year))
    assert timetable._align_to_next(new_year) == new_year, "01:00 local is a tick"
    assert key == "2021-12-31"


@pytest.mark.parametrize("dag_id", EXTRACTS)
def test_a_backfill_covers_the_last_local_day_when_asked_until_its_end(
    bag: DagBag, dag_id: str
) -> None:
    timetable = core_timetable(bag.dags[dag_id])
    first = datetime(2021, 12, 28, tzinfo=UTC)

    def keys(latest: datetime) -> list[str]:
        found = timetable.iter_partition_dagrun_infos(earliest=first, latest=latest)
        return [info.partition_key for info in found]

    # The trap of docs/airflow.md: midnight of the last day lies before its tick at 01:00.
    assert keys(datetime(2021, 12, 31, tzinfo=UTC)) == ["2021-12-28", "2021-12-29", "2021-12-30"]
    assert keys(datetime(2021, 12, 31, 23, 59, tzinfo=UTC))[-1] == "2021-12-31"


def test_the_freeze_fires_at_the_cutoff_and_sweeps_every_hour(bag: DagBag) -> None:
    timetable = core_timetable(bag.dags[FREEZE])
    before = pendulum.datetime(2021, 12, 31, 9, 50, tz="UTC")
    ticks = [each._align_to_next(before) for each in timetable._timetables]
    cutoff = datetime(2021, 12, 31, 10, 0, tzinfo=UTC)  # 17:00+07:00
    assert sorted(ticks) == [cutoff, cutoff + timedelta(minutes=20)]


def test_refreshes_tick_every_quarter_of_an_hour_on_the_last_days_alone(bag: DagBag) -> None:
    timetable = core_timetable(bag.dags[REFRESH])

    def next_tick(at: str) -> datetime:
        instant = pendulum.instance(datetime.fromisoformat(at))
        found: datetime = min(each._align_to_next(instant) for each in timetable._timetables)
        return found

    first = datetime.fromisoformat("2021-12-29T07:00:00+07:00")
    assert next_tick("2021-11-02T09:00:00+07:00") == first
    assert next_tick("2021-12-29T07:00:01+07:00") == first + timedelta(minutes=15)
    last = datetime.fromisoformat("2021-12-31T16:45:00+07:00")
    assert next_tick("2021-12-31T16:31:00+07:00") == last
    assert next_tick("2021-12-31T16:45:01+07:00").year == 2022, "the source's clock refuses it"


def test_a_refresh_that_steps_aside_is_skipped_and_one_that_was_stopped_fails(
    bag: DagBag, monkeypatch: pytest.MonkeyPatch
) -> None:
    task: Any = bag.dags[REFRESH].get_task("refresh")
    monkeypatch.setattr(settings_module, "load_settings", lambda: None)

    def busy(settings: None, *, only_if_due: bool) -> refresh_module.Refresh:
        assert only_if_due
        raise refresh_module.NotNowError("Another run works (freeze).", next_step="wait.")

    monkeypatch.setattr(refresh_module, "refresh", busy)
    with pytest.raises(AirflowSkipException, match=r"Another run works \(freeze\)"):
        task.python_callable()
    done = refresh_module.Refresh(date(2021, 12, 31), stopped=["payments is blocked"])
    monkeypatch.setattr(refresh_module, "refresh", lambda settings, only_if_due: done)
    with pytest.raises(ChotsoError, match="payments is blocked"):
        task.python_callable()
    done.stopped.clear()
    done.as_known_at = datetime.fromisoformat("2021-12-31T16:45:00+07:00")
    assert task.python_callable() == {
        "business_date": "2021-12-31", "as_known_at": "2021-12-31T16:45:00+07:00",
    }  # fmt: skip


def test_what_is_sealed_is_looked_at_every_morning(bag: DagBag) -> None:
    timetable = core_timetable(bag.dags[VERIFY])
    evening = pendulum.datetime(2021, 12, 31, 15, 0, tz="UTC")
    assert timetable._align_to_next(evening) == datetime(2021, 12, 31, 23, 30, tzinfo=UTC)


def test_without_schedules_no_clock_starts_anything_but_runs_may_name_their_date(
    bag_off: DagBag,
) -> None:
    assert bag_off.import_errors == {}
    for dag_id in EXTRACTS:
        timetable = core_timetable(bag_off.dags[dag_id])
        assert not timetable.can_be_scheduled
        assert timetable.partitioned_at_runtime
    assert not core_timetable(bag_off.dags[FREEZE]).can_be_scheduled
    assert not core_timetable(bag_off.dags[VERIFY]).can_be_scheduled
    assert not core_timetable(bag_off.dags[REFRESH]).can_be_scheduled
    build = core_timetable(bag_off.dags[BUILD])
    assert build.partitioned, "the build still starts by its assets"


@pytest.mark.parametrize("dag_id", EXTRACTS)
def test_an_extract_waits_for_the_registers_lands_and_then_publishes(
    bag: DagBag, dag_id: str
) -> None:
    """What was landed is published also where the landing was stopped halfway."""
    dag = bag.dags[dag_id]
    waits = {"wait_for_registers"} if dag_id != "extract_registers" else set()
    assert set(dag.task_ids) == {"land", "publish", *waits}
    assert dag.get_task("land").upstream_task_ids == waits
    assert dag.get_task("publish").upstream_task_ids == {"land"}
    assert dag.get_task("publish").trigger_rule == TriggerRule.ALL_DONE


def test_a_build_waits_for_all_assets_of_a_date() -> None:
    awaited = {each.name for each in assets.A_NIGHT.objects if isinstance(each, Asset)}
    assert awaited == {each.name for each in extracts()}
    assert awaited >= {"registers", "contributions", "arrears", "participants", "plans"}
    assert isinstance(assets.A_NIGHT, AssetAll)
    assert isinstance(assets.A_NIGHT_OR_REQUESTED, AssetAny)


def test_ids_and_assets_that_people_know_stay(bag: DagBag) -> None:
    """A new group adds its own."""
    assert set(EXTRACTS) >= {
        "extract_registers", "extract_contributions", "extract_participants", "extract_arrears",
        "extract_plans",
    }  # fmt: skip
    places = {each.name: each.uri for each in (*assets.EXTRACTED.values(), assets.MARTS)}
    assert (
        places.items()
        >= {
            "registers": "chotso://raw/registers",
            "contributions": "chotso://raw/contributions",
            "participants": "chotso://raw/participations",
            "arrears": "chotso://raw/c12",
            "plans": "chotso://raw/plans",
            "marts": "chotso://marts/",
        }.items()
    )


def test_every_asset_says_what_it_is(bag: DagBag) -> None:
    outlets = {o.name: o for d in bag.dags.values() for t in d.tasks for o in t.outlets}
    assert {each.name for each in extracts()} < set(outlets)
    assert len(outlets) == len(extracts()) + 2  # the marts, and the request of a build
    assert all(outlet.extra["description"] for outlet in outlets.values())


def test_a_page_tells_what_the_contracts_say(bag: DagBag) -> None:
    pages = {group.group: group.page for group in extracts()}
    assert "`co_quan`, `can_bo`, `don_vi`, `phan_cong`" in pages["registers"]
    assert "`raw.payments`, `raw.allocations`" in pages["contributions"]
    counted = {group for group, page in pages.items() if "(`doi_soat`)" in page}
    assert counted == {"contributions", "participations"}
    assert {g for g, page in pages.items() if "holds the pseudonym key" in page} == {
        "participations"
    }
    assert {g for g, page in pages.items() if "every sheet's newest statement" in page} == {"c12"}
    assert {g for g, page in pages.items() if "`chotso_drop`" in page} == {"c12", "plans"}


NEW_GROUP = r"""
import json, shutil, sys
from pathlib import Path
import chotso.contracts
from tests.worlds.worked_examples import new_contract
feeds, dags = Path(sys.argv[1]), sys.argv[2]
shutil.copytree(chotso.contracts.FEEDS_DIR, feeds)
contract = new_contract()
(feeds / "points.yml").write_text(contract, "utf-8")
desks = contract.replace("feed: points", "feed: desks").replace("order: 60", "order: 14")
(feeds / "desks.yml").write_text(desks.replace("group: points", "group: registers"), "utf-8")
chotso.contracts.FEEDS_DIR = feeds
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=dags, safe_mode=True, bundle_path=Path(dags))
from wiring.assets import A_NIGHT
print(json.dumps({
    "errors": bag.import_errors,
    "tasks": sorted(bag.dags["extract_points"].task_ids),
    "page": bag.dags["extract_points"].doc_md,
    "registers": bag.dags["extract_registers"].doc_md,
    "about": bag.dags["extract_points"].description,
    "outlets": [o.name for o in bag.dags["extract_points"].get_task("publish").outlets],
    "awaited": [a.name for a in A_NIGHT.objects],
}))
"""


def test_a_new_group_has_its_dag_and_its_asset_without_python(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NEW_GROUP, str(tmp_path / "feeds"), str(DAGS)],
        cwd=PROJECT_ROOT,
        env={"PYTHONPATH": f"{PROJECT_ROOT}:{DAGS}", "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    assert made["errors"] == {}
    assert made["tasks"] == ["land", "publish", "wait_for_registers"]
    assert made["outlets"] == ["points"]
    assert made["awaited"][-1] == "points", "the build waits for it"
    assert made["about"] == "Collection points"
    assert "`diem_thu` of the collection system" in made["page"]
    assert "`raw.points`" in made["page"]
    assert "write `dags/groups/points.md`" in made["page"]
    assert "`raw.assignments`, `raw.desks`" in made["registers"], "a new feed of an old group"


@pytest.mark.parametrize("dag_id", EXTRACTS)
def test_an_extract_s_publishing_says_that_its_asset_is_there(bag: DagBag, dag_id: str) -> None:
    outlets = [outlet.name for outlet in bag.dags[dag_id].get_task("publish").outlets]
    assert outlets == [dag_id.removeprefix("extract_")]


def test_a_run_without_a_date_is_refused_with_the_next_step() -> None:
    assert business_date("2021-12-31") == date(2021, 12, 31)
    for key in (None, "", "31/12/2021", "2021-12-31T01:00:00"):
        with pytest.raises(ChotsoError, match="partition key"):
            business_date(key)


def test_the_form_asks_for_the_business_date(bag: DagBag, bag_off: DagBag) -> None:
    """Airflow's form has a field for the partition key only while the schedules are on."""
    for read in (bag, bag_off):
        for dag_id in EXTRACTS:
            asked = read.dags[dag_id].params.get_param("business_date")
            assert asked.schema["format"] == "date"
            assert asked.value is None, "empty is allowed"
    assert deepcopy(BUSINESS_DATE).resolve("2021-12-31") == "2021-12-31"
    with pytest.raises(ParamValidationError):
        deepcopy(BUSINESS_DATE).resolve("31/12/2021")


def test_a_run_takes_its_key_then_the_form_then_what_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    night = datetime.fromisoformat("2022-01-01T01:00:00+07:00")
    monkeypatch.setattr(due, "source_now", lambda settings: night)
    settings: Any = None
    form, handed_on = {"business_date": "2021-12-30"}, {"business_date": "2021-12-29"}
    nothing: dict[str, Any] = {"business_date": None}
    assert run_date(settings, "2021-12-28", form, handed_on) == date(2021, 12, 28)
    assert run_date(settings, None, form, handed_on) == date(2021, 12, 29), "decided before"
    assert run_date(settings, None, form) == date(2021, 12, 30)
    assert run_date(settings, None, nothing) == date(2021, 12, 31)
    assert run_date(settings, None) == date(2021, 12, 31)
    assert newest_due(night - timedelta(seconds=1)) == date(2021, 12, 30)
    assert newest_due(night + timedelta(hours=23, minutes=59)) == date(2021, 12, 31)


def test_reconcile_requests_every_date_and_says_what_is_missing(
    bag: DagBag, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's `add_partitions` takes one list."""
    task: Any = bag.dags[RECONCILE].get_task("find_dates_to_build")
    asked = task.python_callable
    events = OutletEventAccessors()
    monkeypatch.setattr(settings_module, "load_settings", lambda: None)
    monkeypatch.setattr(due, "missing", lambda _: ["plans, 2021-12-31: failed: the folder is gone"])
    dates = [date(2021, 12, 30), date(2021, 12, 31)]
    monkeypatch.setattr(night_module, "dates_to_request", lambda _: dates)
    assert asked(outlet_events=events) == ["2021-12-30", "2021-12-31"]
    assert events[assets.BUILD_REQUESTED].partition_keys == {"2021-12-30", "2021-12-31"}
    monkeypatch.setattr(night_module, "dates_to_request", lambda _: [])
    with pytest.raises(AirflowSkipException, match=r"is built; nothing of: plans, .* gone"):
        asked(outlet_events=events)


def test_only_what_can_pass_by_itself_is_tried_again() -> None:
    def wrapped(cause: Exception) -> ChotsoError:
        try:
            raise ChotsoError("The warehouse does not answer.", next_step="start it.") from cause
        except ChotsoError as error:
            return error

    def action(exception: BaseException) -> RetryAction:
        return TransientOnly().evaluate(exception, 1, 3).action

    assert action(ChotsoError("blocked", next_step="mend it.")) is RetryAction.FAIL
    assert action(wrapped(ValueError("no"))) is RetryAction.FAIL
    assert action(TypeError("a bug")) is RetryAction.FAIL
    assert action(psycopg.errors.CheckViolation("identity")) is RetryAction.FAIL
    assert action(FileNotFoundError("verify.py")) is RetryAction.FAIL
    assert action(wrapped(psycopg.OperationalError("away"))) is RetryAction.RETRY
    assert action(psycopg.errors.AdminShutdown("going down")) is RetryAction.RETRY
    assert action(ConnectionResetError("reset")) is RetryAction.RETRY
    assert action(BusyError("held", next_step="wait.")) is RetryAction.RETRY
    assert action(RuntimeError("who knows")) is RetryAction.DEFAULT


def test_a_database_error_of_a_task_quotes_nothing_in_its_log_and_is_tried_again_as_before() -> (
    None
):
    """Airflow writes an error with its causes; PostgreSQL's DETAIL has the row's values."""
    said = "duplicate key value\nDETAIL:  Key (so)=(7912345678) already exists."

    def raised(error: psycopg.Error) -> BaseException:
        def step() -> None:
            raise error

        with pytest.raises(ChotsoError) as told:
            quoting_nothing(step)()
        shown = "".join(traceback.format_exception(told.value))
        assert "7912345678" not in shown
        return told.value

    decide = TransientOnly()
    assert decide.evaluate(raised(psycopg.errors.UniqueViolation(said)), 1, 3).action is (
        RetryAction.FAIL
    )
    assert decide.evaluate(raised(psycopg.errors.AdminShutdown(said)), 1, 3).action is (
        RetryAction.RETRY
    )


@pytest.mark.parametrize("dag_id", ALL_DAGS)
def test_every_task_that_calls_us_quotes_nothing(bag: DagBag, dag_id: str) -> None:
    for task in bag.dags[dag_id].tasks:
        called: Any = getattr(task, "python_callable")  # noqa: B009 - not every operator has it
        assert called.__code__.co_filename.endswith("/quoting.py"), task.task_id


def context_of_a_failure() -> dict[str, Any]:
    return {
        "dag_run": SimpleNamespace(
            dag_id="extract_arrears", run_id="manual__1", partition_key="2021-12-31"
        ),
        "ti": SimpleNamespace(
            task_id="publish", map_index=-1, try_number=1, log_url="http://127.0.0.1/log"
        ),
        "exception": ChotsoError("Tệp C12 bị từ chối.", next_step="ask for the file again."),
    }


def test_a_failure_where_no_warehouse_is_known_is_handed_to_the_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the DAG processor of Compose; who is told of it is in tests/watch/test_telling.py."""
    monkeypatch.setenv("CHOTSO_HOME", str(tmp_path))
    monkeypatch.delenv("CHOTSO_WAREHOUSE_URL", raising=False)
    alerts.alert_task_failed(context_of_a_failure())
    of_the_form = SimpleNamespace(
        dag_id="extract_plans", partition_key=None, conf={"business_date": "2021-12-30"}
    )
    alerts.alert_run_failed({"dag_run": of_the_form, "reason": "task_failure"})
    handed = list(handed_over(tmp_path))
    found = {each.failure.dag_id: each.failure for each in handed}
    first, second = found["extract_arrears"], found["extract_plans"]
    assert (first.task_id, first.business_date) == ("publish", date(2021, 12, 31))
    assert first.what == "Tệp C12 bị từ chối."
    assert first.next_step == "ask for the file again."
    assert second.what == "The run failed: task_failure"
    assert second.business_date == date(2021, 12, 30)
    for each in handed:
        assert each.failure.failed_at is not None
        each.forget()
    assert list(handed_over(tmp_path)) == [], "each is taken once"


@pytest.mark.parametrize("conf", [{"business_date": 20211228}, {"business_date": ["x"]}, "x", [1]])
def test_whatever_a_person_sent_with_a_run_its_failure_is_told(
    conf: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHOTSO_HOME", str(tmp_path))
    monkeypatch.delenv("CHOTSO_WAREHOUSE_URL", raising=False)
    run = SimpleNamespace(dag_id="freeze_results", partition_key=None, conf=conf)
    alerts.alert_run_failed({"dag_run": run, "reason": "task_failure"})
    assert [
        (each.failure.dag_id, each.failure.business_date) for each in handed_over(tmp_path)
    ] == [("freeze_results", None)]
