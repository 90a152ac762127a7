"""Two schedulers, a run by hand and a backfill of a freeze at once: each period is sealed once."""

from collections.abc import Iterable
from datetime import datetime

import psycopg
import pytest

from chotso.local.client import DagRun
from chotso.local.drive import FREEZE, run_freeze
from tests.pipeline.running import TIMEOUT_S, Pipeline, wait_until
from tests.pipeline.test_nights import AFTER_CUTOFF, releases

pytestmark = [pytest.mark.slow, pytest.mark.pipeline, pytest.mark.warehouse]

AFTERNOON = datetime.fromisoformat("2021-12-31T15:00:00+07:00")


def test_two_schedulers_and_a_backfill_seal_each_period_once(pipeline: Pipeline) -> None:
    pipeline.advance(AFTER_CUTOFF)
    with pipeline.second_scheduler() as second, pipeline.airflow_database() as database:
        database.autocommit = True
        wait_until(lambda: working_schedulers(database) == 2)
        wait_until(lambda: has_a_clock(database, FREEZE))
        # A run by hand keeps to itself; those of a backfill run beside it and each other.
        by_hand = pipeline.api.create_run(FREEZE)
        # Airflow takes none before it has read the DAG with its schedule.
        wait_until(lambda: pipeline.backfill(FREEZE, AFTERNOON, AFTER_CUTOFF, at_once=3))
        runs = pipeline.api.runs(FREEZE)
        assert by_hand.run_id in {run.run_id for run in runs}
        ended = pipeline.api.wait(runs, timeout_s=TIMEOUT_S)
        assert second.is_running
        assert {run.state for run in ended} == {"success"}
        assert sum(run.run_type == "backfill" for run in ended) == 3
        while schedulers_that_queued(database, ended) < 2:
            assert len(ended) < 20, "one of the schedulers does nothing"
            ended.append(run_freeze(pipeline.api, timeout_s=TIMEOUT_S))
    sealed = releases(pipeline)
    assert [row[0] for row in sealed] == ["sprint-2021-q4", "plan-2021-m09-12"]
    assert sealed[1][2] == sealed[0][1], "one chain"
    tasks = [task for run in ended for task in pipeline.api.tasks(run)]
    periods_asked_for = [task for task in tasks if task.task_id == "freeze" and task.map_index >= 0]
    assert len(periods_asked_for) >= 4, "two runs at least were at it together"


def working_schedulers(database: psycopg.Connection) -> int:
    found = database.execute(
        "select count(*) from job where job_type = 'SchedulerJob' and state = 'running' "
        "and latest_heartbeat > now() - interval '20 seconds'"
    ).fetchone()
    assert found is not None
    return int(found[0])


def has_a_clock(database: psycopg.Connection, dag_id: str) -> bool:
    """Whether the DAG as it was read last has a schedule."""
    found = database.execute(
        "select timetable_summary from dag where dag_id = %s", [dag_id]
    ).fetchone()
    return found is not None and found[0] not in (None, "None")


def schedulers_that_queued(database: psycopg.Connection, runs: Iterable[DagRun]) -> int:
    """How many schedulers had a hand in these runs."""
    found = database.execute(
        "select count(distinct queued_by_job_id) from task_instance where run_id = any(%s)",
        [[run.run_id for run in runs]],
    ).fetchone()
    assert found is not None
    return int(found[0])
