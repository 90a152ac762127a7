"""Nights, a lost event, a killed process and the freeze, through a real scheduler, and its logs.

The tests build on each other, as the nights of a year's end do: they run in this order.
"""

import json
import os
import re
import signal
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chotso.calendar import night_of
from chotso.contracts import groups
from chotso.local import airflow as local
from chotso.local import processes
from chotso.local.airflow_home import AirflowHome
from chotso.local.client import DagRun
from chotso.local.drive import (
    BUILD,
    EXTRACTS,
    RECONCILE,
    run_again,
    run_freeze,
    run_night,
    tasks_not_clean,
)
from chotso.orchestration.night import dates_to_request
from chotso.watch.judge import judge
from tests.pipeline.content import figures_are_what_was_collected, holds_what_the_source_holds
from tests.pipeline.running import TIMEOUT_S, Pipeline, wait_until
from tests.pipeline.screen import has_opened_the_form, logged_in
from tests.worlds.chromium import CHROMIUM
from tests.worlds.collector import lineage, traces

pytestmark = [pytest.mark.pipeline, pytest.mark.warehouse]

FIRST, SECOND, THIRD = date(2021, 12, 28), date(2021, 12, 29), date(2021, 12, 30)
AFTER_CUTOFF = datetime.fromisoformat("2021-12-31T17:00:30+07:00")

TEN_DIGITS = re.compile(r"(?<!\d)\d{10}(?!\d)")
TABLES = ("xcom", "log", "task_instance", "dag_run", "rendered_task_instance_fields", "asset_event")


def states(pipeline: Pipeline, run: DagRun) -> dict[str, str | None]:
    return {task.task_id: task.state for task in pipeline.api.tasks(run)}


def told_of(pipeline: Pipeline, dag_id: str, day: date) -> list[dict[str, Any]]:
    """What people were told of a DAG's night, without the end of it."""
    return [
        line
        for line in alert_lines(pipeline)
        if (line["dag_id"], line["business_date"]) == (dag_id, day.isoformat())
        and line["event"] != "ended"
    ]


def alert_lines(pipeline: Pipeline) -> list[dict[str, Any]]:
    path = pipeline.home / "alerts.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_one_night_is_green_and_its_assets_start_the_build(pipeline: Pipeline) -> None:
    pipeline.advance(night_of(FIRST))
    night = run_night(pipeline.api, FIRST, timeout_s=TIMEOUT_S)
    assert night.is_green
    assert night.build is not None
    assert night.build.run_type == "asset_triggered"
    assert night.build.partition_key == "2021-12-28"
    assert all(run.run_id.startswith("manual__2021-12-28__") for run in night.extracts)
    assert tasks_not_clean(pipeline.api) == []
    holds_what_the_source_holds(pipeline)
    shape = pipeline.rows(
        "select count(*), count(distinct agency_code), count(distinct metric_code), "
        "count(distinct month) from marts.fct_monthly_attainment"
    )
    assert shape == [(11 * 13 * 12, 11, 13, 12)]
    figures_are_what_was_collected(pipeline)


def test_the_night_stands_in_the_log_and_was_told_to_the_collectors(pipeline: Pipeline) -> None:
    logs = AirflowHome(pipeline.home).logs
    text = "".join(path.read_text("utf-8") for path in logs.glob("dag_id=*/**/*.log"))
    for line in (
        r"landed payments: batch payments_20211228_\d+, [\d,]+ rows, so_tien [\d,]+ đồng, \d",
        r"published allocations: batch \w+, delivered [\d,]+ rows / [\d,]+ đồng, accepted ",
        r"model fct_contribution: success, [\d,]+ rows, \d",
    ):
        assert re.search(line, text), line
    spans = {span.name: span for span in traces(pipeline.told)}
    assert {f"{step} {group}" for step in ("land", "publish") for group in groups()} <= set(spans)
    assert spans["model fct_contribution"].parent_span_id == spans["build marts_build"].span_id
    events = {event["job"]["name"]: event for event in lineage(pipeline.told)}
    task, build = events["build_warehouse.build"], events["build marts_build"]
    assert build["run"]["facets"]["parent"]["run"]["runId"] == task["run"]["runId"]
    model = events["marts_build.fct_contribution"]
    assert model["run"]["facets"]["parent"]["run"]["runId"] == build["run"]["runId"]
    assert model["eventType"] == task["eventType"] == "COMPLETE"
    assert model["outputs"][0]["facets"]["schema"]["fields"]


def test_a_lost_asset_event_delays_nothing(pipeline: Pipeline) -> None:
    pipeline.advance(night_of(SECOND))
    api = pipeline.api
    first_four = [api.create_run(dag_id, SECOND) for dag_id in EXTRACTS[:4]]
    assert {run.state for run in api.wait(first_four, timeout_s=TIMEOUT_S)} == {"success"}
    with pipeline.airflow_database() as database:  # the event of the registers gets lost
        lost = database.execute(
            """
            delete from partitioned_asset_key_log
            where source_partition_key = '2021-12-29'
                and asset_id = (select id from asset where name = 'registers')
            """
        )
        assert lost.rowcount == 1
    # As the form sends it while the schedules are off: a date, and no partition key.
    by_form = api.create_run(EXTRACTS[4], conf={"business_date": "2021-12-29"})
    assert api.wait([by_form], timeout_s=TIMEOUT_S)[0].state == "success"
    time.sleep(5)
    assert api.runs(BUILD, SECOND) == [], "four of five assets start no build"
    assert dates_to_request(pipeline.settings) == [SECOND]

    reconciling = api.wait([api.create_run(RECONCILE)], timeout_s=TIMEOUT_S)[0]
    assert reconciling.state == "success"
    build = api.wait_for_run(BUILD, SECOND, timeout_s=TIMEOUT_S)
    assert (build.state, build.run_type) == ("success", "asset_triggered")
    assert dates_to_request(pipeline.settings) == []

    again = api.wait([api.create_run(RECONCILE)], timeout_s=TIMEOUT_S)[0]
    assert states(pipeline, again) == {"find_dates_to_build": "skipped"}
    assert len(api.runs(BUILD, SECOND)) == 1


def test_a_run_without_a_date_takes_what_is_due_and_is_built(pipeline: Pipeline) -> None:
    """The source's clock stands still: what comes again is known at the same instant."""
    api = pipeline.api
    earlier = {run.run_id for run in api.runs(BUILD, SECOND)}
    run = api.wait([api.create_run("extract_plans")], timeout_s=TIMEOUT_S)[0]
    assert (run.state, run.partition_key) == ("success", None)
    newest = "select business_date from ops.batch where feed = 'plans' order by started_at desc"
    assert pipeline.rows(f"{newest} limit 1") == [(SECOND,)]
    assert dates_to_request(pipeline.settings) == [SECOND]
    assert api.wait([api.create_run(RECONCILE)], timeout_s=TIMEOUT_S)[0].state == "success"
    build = api.wait_for_run(BUILD, SECOND, timeout_s=TIMEOUT_S, known=earlier)
    assert build.state == "success"
    assert dates_to_request(pipeline.settings) == []


def test_a_killed_process_is_tried_again_and_leaves_the_same_content(pipeline: Pipeline) -> None:
    pipeline.advance(night_of(THIRD))
    api = pipeline.api
    with psycopg.connect(pipeline.server.admin_url) as blocker:
        # Publishing gets stuck in the middle of its transaction, and there it is killed.
        blocker.execute("lock table raw.allocations in access exclusive mode")
        runs = [api.create_run(dag_id, THIRD) for dag_id in EXTRACTS]
        contributions = runs[1]

        def stuck_pid() -> int | None:
            waits = pipeline.rows(
                "select count(*) from pg_locks where relation = 'raw.allocations'::regclass "
                "and not granted"
            )
            publish = next(t for t in api.tasks(contributions) if t.task_id == "publish")
            is_stuck = publish.state == "running" and waits[0][0] > 0
            return publish.pid if is_stuck else None

        os.kill(wait_until(stuck_pid), signal.SIGKILL)
    runs = api.wait(runs, timeout_s=TIMEOUT_S)
    assert {run.state for run in runs} == {"success"}
    publish = next(t for t in api.tasks(contributions) if t.task_id == "publish")
    assert publish.try_number == 2
    assert api.wait_for_run(BUILD, THIRD, timeout_s=TIMEOUT_S).state == "success"
    holds_what_the_source_holds(pipeline)

    # The same by hand: clearing does the work again and changes nothing.
    before = pipeline.rows("select count(*), max(known_from) from raw.allocations")
    api.clear(contributions, ["land", "publish"])
    assert api.wait([api.run(contributions)], timeout_s=TIMEOUT_S)[0].state == "success"
    assert pipeline.rows("select count(*), max(known_from) from raw.allocations") == before


def test_a_night_that_failed_is_taken_up_again(pipeline: Pipeline) -> None:
    with psycopg.connect(pipeline.server.source_admin_url) as source:
        source.execute("alter table tst.phan_bo rename to phan_bo_away")
    broken = run_night(pipeline.api, THIRD, timeout_s=TIMEOUT_S)
    assert not broken.is_green
    assert broken.build is None
    told = wait_until(lambda: told_of(pipeline, "extract_contributions", THIRD), 60)
    with psycopg.connect(pipeline.server.source_admin_url) as source:
        source.execute("alter table tst.phan_bo_away rename to phan_bo")
    again = run_again(pipeline.api, broken, timeout_s=TIMEOUT_S)
    assert again.is_green
    assert dates_to_request(pipeline.settings) == [], "built with what came in the second go"
    assert {run.run_id for run in again.extracts} == {run.run_id for run in broken.extracts}
    unclean = {(task.dag_id, task.task_id) for task in tasks_not_clean(pipeline.api)}
    assert ("extract_contributions", "land") in unclean, "it is named, though all is well by now"
    assert "phan_bo" in told[0]["what"]
    assert "clear `land` and all after it in `extract_contributions`" in told[0]["next_step"]
    assert len(told_of(pipeline, "extract_contributions", THIRD)) == 1, "two tasks and a run failed"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_people_see_nothing_red_and_are_asked_for_the_date(pipeline: Pipeline) -> None:
    api = pipeline.api
    known = {run.run_id for run in api.runs("extract_plans")}
    home = AirflowHome(pipeline.home)
    with logged_in(home) as page:
        health = page.request.get(f"{home.url()}/api/v2/monitor/health").json()
        assert {part: told["status"] for part, told in health.items()} == dict.fromkeys(
            ("metadatabase", "scheduler", "triggerer", "dag_processor"), "healthy"
        )
        page.get_by_text("+07:00").wait_for()
        page.goto(f"{home.url()}/dags/extract_plans/details")
        page.get_by_text("Targets by decision").first.wait_for()
        wait_until(lambda: has_opened_the_form(page))
        page.get_by_text("Business date (ngày nghiệp vụ)").last.wait_for()
        page.locator("input[type=date]").fill("2021-12-29")
        page.get_by_test_id("trigger-dag-submit").click()
        new = wait_until(lambda: [r for r in api.runs("extract_plans") if r.run_id not in known])
    assert api.wait(new, timeout_s=TIMEOUT_S)[0].state == "success"
    newest = "select business_date from ops.batch where feed = 'plans' order by started_at desc"
    assert pipeline.rows(f"{newest} limit 1") == [(SECOND,)]


def test_a_refusal_fails_at_once_and_is_told_once_with_the_next_step(pipeline: Pipeline) -> None:
    tomorrow = date(2022, 1, 2)  # the source's clock has not reached it
    run = pipeline.api.wait(
        [pipeline.api.create_run("extract_registers", tomorrow)], timeout_s=TIMEOUT_S
    )[0]
    assert run.state == "failed"
    tasks = {task.task_id: task for task in pipeline.api.tasks(run)}
    assert tasks["land"].state == "failed"
    assert tasks["land"].try_number == 1, "a person has to act: no second try"
    counted = "select 1 from ops.incident where subject = 'extract_registers' and fault_count > 1"
    wait_until(lambda: pipeline.rows(counted), 90)  # the task's failure and the run's
    (told,) = told_of(pipeline, "extract_registers", tomorrow)
    assert told["kind"] == "task_failed"
    assert "lies after the source's clock" in told["what"]
    assert told["next_step"].startswith("name a date up to 2021-12-31")
    assert "/dags/extract_registers/runs/" in told["log_url"]


def test_a_freeze_seals_each_period_and_run_again_changes_nothing(pipeline: Pipeline) -> None:
    early = run_freeze(pipeline.api, timeout_s=TIMEOUT_S)
    assert early.state == "success"
    assert releases(pipeline) == [], "the cutoff is to come"
    pipeline.advance(AFTER_CUTOFF)
    first = run_freeze(pipeline.api, timeout_s=TIMEOUT_S)
    assert first.state == "success", alert_lines(pipeline)
    sealed = releases(pipeline)
    assert [row[0] for row in sealed] == ["sprint-2021-q4", "plan-2021-m09-12"]
    assert sealed[1][2] == sealed[0][1], "one chain"
    assert run_freeze(pipeline.api, timeout_s=TIMEOUT_S).state == "success"
    pipeline.api.clear(first, ["find_due_periods", "freeze"])
    assert pipeline.api.wait([pipeline.api.run(first)], timeout_s=TIMEOUT_S)[0].state == "success"
    assert releases(pipeline) == sealed


def releases(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    """Id, root and predecessor's root of every release, in the order of their sealing."""
    return pipeline.rows(
        "select release_id, root_sha256, previous_root from frozen.release order by sealed_at"
    )


def test_a_killed_scheduler_comes_back_without_leftovers(pipeline: Pipeline) -> None:
    home = AirflowHome(pipeline.home)
    scheduler = processes.recorded("scheduler", home.run)
    assert scheduler is not None
    os.kill(scheduler.pid, signal.SIGKILL)
    wait_until(lambda: not scheduler.is_running, 10)
    assert "its scheduler is gone" in next(what_airflow_lacks(pipeline))
    local.start(pipeline.home)
    assert list(what_airflow_lacks(pipeline)) == []
    found = processes.recorded("scheduler", home.run)
    assert found is not None
    assert found.is_running
    assert found.pid != scheduler.pid
    assert processes.session_members(scheduler) == [], "its workers are gone with it"
    assert run_freeze(pipeline.api, timeout_s=TIMEOUT_S).state == "success"


def what_airflow_lacks(pipeline: Pipeline) -> Iterator[str]:
    """What the watch says of Airflow."""
    return (each.what for each in judge(pipeline.settings).causes if each.kind == "airflow_away")


def found(text: str, numbers: set[str], names: Iterable[str]) -> list[str]:
    """Persons' numbers and whole names in a text."""
    return [
        *(n for n in TEN_DIGITS.findall(text) if n in numbers),
        *(n for n in names if n in text),
    ]


def test_no_person_stands_in_logs_or_xcoms(pipeline: Pipeline) -> None:
    if not pipeline.rows("select batch_id from ops.batch where feed = 'participations' limit 1"):
        pytest.skip("no night was run before: run the whole file")
    persons = pipeline.source_rows("select distinct ma_so_bhxh, ho_ten from tst.tham_gia")
    officers = {name for (name,) in pipeline.source_rows("select ho_ten from tst.can_bo")}
    numbers = {number for number, _ in persons}
    names = {name for _, name in persons} - officers
    assert len(numbers) > 500
    texts = {
        str(path): path.read_text(encoding="utf-8", errors="replace")
        for path in (pipeline.home / "airflow").rglob("*.log")
    }
    assert len(texts) > 3
    for path, bodies in pipeline.told.received.items():
        texts[f"sent to {path}"] = b"\n".join(bodies).decode("utf-8", errors="replace")
    with pipeline.airflow_database() as conn:
        for table in TABLES:
            if conn.execute("select to_regclass(%s)", [table]).fetchone() != (None,):
                query = sql.SQL("select * from {}").format(sql.Identifier(table))
                texts[f"table {table}"] = str(conn.execute(query).fetchall())
    told = [
        f"{where}: {what}" for where, text in texts.items() for what in found(text, numbers, names)
    ]
    assert not told, "\n".join(told[:20])


def test_a_log_that_names_a_person_would_be_found() -> None:
    """The twin: a task that logs the row it failed on."""
    line = "ERROR cannot load row (7, '7912345678', 'Trần Thị Thử')"
    assert found(line, {"7912345678"}, ["Trần Thị Thử"]) == ["7912345678", "Trần Thị Thử"]


def test_a_row_that_stands_twice_would_be_found() -> None:
    """The twin: a warehouse that took one row twice."""

    class Doubled:
        def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
            return [*self.source_rows(query), (7,)]

        def source_rows(self, query: str) -> list[tuple[Any, ...]]:
            return [(number,) for number in range(200)]

    with pytest.raises(AssertionError):
        holds_what_the_source_holds(Doubled())
