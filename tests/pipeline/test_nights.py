"""A night and the freeze through a real scheduler, what people see of them, and the logs.

The tests build on each other: they run in this order. `test_disturbed_nights.py` has the nights
that go wrong.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pytest
from psycopg import sql

from chotso.calendar import night_of
from chotso.contracts import groups
from chotso.local.airflow_home import AirflowHome
from chotso.local.client import DagRun
from chotso.local.drive import (
    BUILD,
    RECONCILE,
    run_freeze,
    run_night,
    tasks_not_clean,
)
from chotso.orchestration.night import dates_to_request
from tests.pipeline.content import figures_are_what_was_collected, holds_what_the_source_holds
from tests.pipeline.running import TIMEOUT_S, Pipeline, wait_until
from tests.pipeline.screen import has_opened_the_form, logged_in
from tests.worlds.chromium import CHROMIUM
from tests.worlds.collector import lineage, traces

pytestmark = [pytest.mark.pipeline, pytest.mark.warehouse]

DAY = date(2021, 12, 30)
DAY_BEFORE = date(2021, 12, 29)
NOON = datetime.fromisoformat("2021-12-31T12:00+07:00")
AFTER_CUTOFF = datetime.fromisoformat("2021-12-31T17:00:30+07:00")

TEN_DIGITS = re.compile(r"(?<!\d)\d{10}(?!\d)")
TABLES = ("xcom", "log", "task_instance", "dag_run", "rendered_task_instance_fields", "asset_event")


def test_one_night_is_green_and_its_assets_start_the_build(pipeline: Pipeline) -> None:
    pipeline.advance(night_of(DAY))
    night = run_night(pipeline.api, DAY, timeout_s=TIMEOUT_S)
    assert night.is_green
    assert night.build is not None
    assert night.build.run_type == "asset_triggered"
    assert night.build.partition_key == DAY.isoformat()
    assert all(run.run_id.startswith("manual__2021-12-30__") for run in night.extracts)
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
        r"landed payments: batch payments_20211230_\d+, [\d,]+ rows, so_tien [\d,]+ đồng, \d",
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


def test_a_run_without_a_date_takes_what_is_due_and_is_built(pipeline: Pipeline) -> None:
    """The source's clock stands still: what comes again is known at the same instant."""
    api = pipeline.api
    earlier = {run.run_id for run in api.runs(BUILD, DAY)}
    run = api.wait([api.create_run("extract_plans")], timeout_s=TIMEOUT_S)[0]
    assert (run.state, run.partition_key) == ("success", None)
    newest = "select business_date from ops.batch where feed = 'plans' order by started_at desc"
    assert pipeline.rows(f"{newest} limit 1") == [(DAY,)]
    assert dates_to_request(pipeline.settings) == [DAY]
    assert api.wait([api.create_run(RECONCILE)], timeout_s=TIMEOUT_S)[0].state == "success"
    build = api.wait_for_run(BUILD, DAY, timeout_s=TIMEOUT_S, known=earlier)
    assert build.state == "success"
    assert dates_to_request(pipeline.settings) == []


def test_a_refresh_shows_the_figures_of_the_last_day_by_noon(pipeline: Pipeline) -> None:
    by_night = refreshed(pipeline)
    assert pipeline.states(by_night) == {"refresh": "skipped"}, "none is due at one o'clock"
    pipeline.advance(NOON)
    assert pipeline.states(refreshed(pipeline)) == {"refresh": "success"}
    seen = "select distinct business_date, known_at >= %s from marts.fct_intraday_attainment"
    assert pipeline.rows(seen, NOON) == [(NOON.date(), True)]
    nights = "select count(*) from marts.fct_nightly_attainment where business_date = %s"
    assert pipeline.rows(nights, NOON.date()) == [(0,)], "the night of the day is still to come"
    figures_are_what_was_collected(pipeline)


def refreshed(pipeline: Pipeline) -> DagRun:
    """A run of the DAG of refreshes, at its end."""
    run = pipeline.api.create_run("refresh_figures")
    return pipeline.api.wait([run], timeout_s=TIMEOUT_S)[0]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_people_see_nothing_red_and_are_asked_for_the_date(pipeline: Pipeline) -> None:
    api = pipeline.api
    known = {run.run_id for run in api.runs("extract_registers")}
    home = AirflowHome(pipeline.home)
    with logged_in(home) as page:
        health = page.request.get(f"{home.url()}/api/v2/monitor/health").json()
        assert {part: told["status"] for part, told in health.items()} == dict.fromkeys(
            ("metadatabase", "scheduler", "triggerer", "dag_processor"), "healthy"
        )
        page.get_by_text("+07:00").wait_for()
        page.goto(f"{home.url()}/dags/extract_registers/details")
        page.get_by_text("agencies, officers, employers").first.wait_for()
        wait_until(lambda: has_opened_the_form(page))
        page.get_by_text("Business date (ngày nghiệp vụ)").last.wait_for()
        page.locator("input[type=date]").fill("2021-12-29")
        page.get_by_test_id("trigger-dag-submit").click()
        new = wait_until(
            lambda: [r for r in api.runs("extract_registers") if r.run_id not in known]
        )
    assert api.wait(new, timeout_s=TIMEOUT_S)[0].state == "success"
    newest = "select business_date from ops.batch where feed = 'agencies' order by started_at desc"
    assert pipeline.rows(f"{newest} limit 1") == [(DAY_BEFORE,)]


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
    (told,) = pipeline.alerts_of("extract_registers", tomorrow)
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
    assert first.state == "success", pipeline.alerts()
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
