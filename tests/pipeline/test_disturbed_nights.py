"""Nights that go wrong through a real scheduler: a lost event, killed processes, a failed task.

The tests build on each other, as the nights of a year's end do: they run in this order.
"""

import os
import signal
import time
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from chotso.calendar import night_of
from chotso.local import airflow as local
from chotso.local import processes
from chotso.local.airflow_home import AirflowHome
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
from tests.pipeline.content import holds_what_the_source_holds
from tests.pipeline.running import TIMEOUT_S, Pipeline, wait_until

pytestmark = [pytest.mark.pipeline, pytest.mark.warehouse, pytest.mark.long]

SECOND, THIRD = date(2021, 12, 29), date(2021, 12, 30)


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
    assert pipeline.states(again) == {"find_dates_to_build": "skipped"}
    assert len(api.runs(BUILD, SECOND)) == 1


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
    told = wait_until(lambda: pipeline.alerts_of("extract_contributions", THIRD), 60)
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
    assert len(pipeline.alerts_of("extract_contributions", THIRD)) == 1, (
        "two tasks and a run failed"
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
