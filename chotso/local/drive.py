"""Runs a night and a freeze through Airflow's API and scheduler, as the schedules would."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from chotso.local.client import AirflowClient, DagRun, Task
from chotso.orchestration.extracts import extracts

EXTRACTS = tuple(each.dag_id for each in extracts())
BUILD = "build_warehouse"
RECONCILE = "reconcile_warehouse"
FREEZE = "freeze_results"
VERIFY = "verify_releases"
WATCH = "watch_nights"
REFRESH = "refresh_figures"
ALL_DAGS = (*EXTRACTS, BUILD, RECONCILE, FREEZE, VERIFY, WATCH, REFRESH)
ENDED_WELL = frozenset({"success", "skipped"})
NIGHT_TIMEOUT_S = 900.0
_BY_ASSETS_S = 60.0  # how long after the last extract a build is expected


@dataclass(frozen=True)
class Night:
    """The runs of one business date: the extracts, and the build that their assets triggered."""

    business_date: date
    extracts: Sequence[DagRun]
    build: DagRun | None

    @property
    def is_green(self) -> bool:
        """Whether every run succeeded."""
        runs = [*self.extracts, *([self.build] if self.build else [])]
        return self.build is not None and all(run.state == "success" for run in runs)


def get_ready(api: AirflowClient) -> None:
    """Wait until Airflow knows the DAGs, and unpause them; their schedules may be off.

    Raises:
        ChotsoError: A DAG cannot be read.
    """
    api.wait_for_dags(ALL_DAGS)
    api.unpause(ALL_DAGS)


def warm_up(api: AirflowClient) -> None:
    """Run a small task: the first task has to wait until Airflow has imported what tasks need."""
    api.create_run(RECONCILE)


def run_night(api: AirflowClient, day: date, *, timeout_s: float = NIGHT_TIMEOUT_S) -> Night:
    """Create the extracts of a business date; wait for them and the build they trigger.

    If not all succeed, no asset event can trigger the build, so it does not wait for one.

    Raises:
        ChotsoError: A run did not end in time, or the assets started no build.
    """
    earlier = {run.run_id for run in api.runs(BUILD, day)}
    created = [api.create_run(dag_id, day) for dag_id in EXTRACTS]
    extracts = api.wait(created, timeout_s=timeout_s)
    if any(run.state != "success" for run in extracts):
        return Night(day, extracts, None)
    return Night(day, extracts, wait_for_build(api, day, earlier, timeout_s=timeout_s))


def wait_for_build(
    api: AirflowClient, day: date, earlier: Collection[str], *, timeout_s: float
) -> DagRun:
    """Wait for the build that the assets of a date trigger, and until it has ended.

    Airflow may count two assets that come at the same moment for two builds, and then neither is
    complete. So the DAG that compares Airflow with the ledger is run, as its schedule does every
    ten minutes.

    Raises:
        ChotsoError: No build was created in time, or it did not end in time.
    """
    within_s = min(_BY_ASSETS_S, timeout_s)
    build = api.wait_until_created(BUILD, day, timeout_s=within_s, known=earlier)
    if build is None:
        return _asked_build(api, day, earlier, timeout_s)
    return api.wait([build], timeout_s=timeout_s)[0]


def run_again(api: AirflowClient, night: Night, *, timeout_s: float = NIGHT_TIMEOUT_S) -> Night:
    """Clear the failed tasks of a night, as a person would; wait for them and for the build.

    Raises:
        ChotsoError: A run did not end in time, or the assets started no build.
    """
    earlier = {run.run_id for run in api.runs(BUILD, night.business_date)}
    broken = [run for run in night.extracts if run.state != "success"]
    for run in broken:
        _clear_failed(api, run)
    again = {run.dag_id: run for run in api.wait(map(api.run, broken), timeout_s=timeout_s)}
    extracts = [again.get(run.dag_id, run) for run in night.extracts]
    if any(run.state != "success" for run in extracts):
        return Night(night.business_date, extracts, None)
    build = night.build
    if build is None:
        build = _asked_build(api, night.business_date, earlier, timeout_s)
    elif build.state != "success":
        _clear_failed(api, build)
        build = api.wait([api.run(build)], timeout_s=timeout_s)[0]
    return Night(night.business_date, extracts, build)


def _asked_build(
    api: AirflowClient, day: date, earlier: Collection[str], timeout_s: float
) -> DagRun:
    """The build of a date for which no event is left that would trigger it.

    Its feeds landed in two parts, say, and the assets had triggered it before the last one came.
    So the DAG that compares Airflow with the ledger is run.
    """
    asked = api.wait([api.create_run(RECONCILE)], timeout_s=timeout_s)
    is_built = all(task.state == "skipped" for task in api.tasks(asked[0]))
    done = api.runs(BUILD, day) if is_built else []
    if done:
        return api.wait(done[-1:], timeout_s=timeout_s)[0]
    return api.wait_for_run(BUILD, day, timeout_s=timeout_s, known=earlier)


def _clear_failed(api: AirflowClient, run: DagRun) -> None:
    failed = [task.task_id for task in api.tasks(run) if task.state not in ENDED_WELL]
    if failed:
        api.clear(run, failed)


def run_freeze(api: AirflowClient, *, timeout_s: float = NIGHT_TIMEOUT_S) -> DagRun:
    """Create a run of the freeze and wait for it.

    Raises:
        ChotsoError: It did not end in time.
    """
    return api.wait([api.create_run(FREEZE)], timeout_s=timeout_s)[0]


def tasks_not_clean(api: AirflowClient) -> list[Task]:
    """Tasks of any run that failed, or that needed a second try."""
    runs = [run for dag_id in ALL_DAGS for run in api.runs(dag_id)]
    return [
        task
        for run in runs
        for task in api.tasks(run)
        if task.state not in ENDED_WELL or task.try_number > 1
    ]
