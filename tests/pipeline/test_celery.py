"""Compose's services with Celery: workers die in the middle of a task, and the nights end well.

Each service is started by its very command, with its environment, secrets, volumes and rights, and
found healthy by its own check (tests/pipeline/composed.py).
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.calendar import night_of
from chotso.local.airflow_home import ADMIN
from chotso.local.client import AirflowClient, DagRun
from chotso.local.drive import BUILD, EXTRACTS, get_ready
from chotso.sandbox import place
from chotso.sandbox import server as sandbox
from tests.pipeline.composed import Composed, what_is_missing
from tests.pipeline.container import private_network
from tests.pipeline.content import figures_are_what_was_collected, holds_what_the_source_holds
from tests.pipeline.images import SERVICES
from tests.pipeline.running import advance_province, seed_province, wait_until
from tests.proofs import record

FIRST, SECOND = date(2021, 12, 28), date(2021, 12, 29)
CONTRIBUTIONS = "extract_contributions"
WORKERS = ("airflow-worker", "airflow-worker-2")
TIMEOUT_S = 900.0
MISSING = what_is_missing("redis-server", environment=SERVICES)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.pipeline,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]


@dataclass(frozen=True)
class Office:
    """The services, the source beside them, and the way into both."""

    services: Composed
    source: sandbox.SandboxServer
    home: Path
    api: AirflowClient

    def advance_to(self, day: date) -> None:
        """Let the source live until a date's night."""
        drop = self.services.volume("drop")
        advance_province(self.source, self.home, drop, night_of(day))
        _readable(drop)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, read as its superuser."""
        with psycopg.connect(self.url("admin_url")) as connection:
            return connection.execute(query, values).fetchall()

    def source_rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the source."""
        with psycopg.connect(self.source.source_url) as connection:
            return connection.execute(query).fetchall()

    def tasks_of(self, worker: str) -> list[tuple[str, str]]:
        """DAG and task of what a worker has in work."""
        url = self.url("airflow_db_url").replace("+psycopg2", "")
        with psycopg.connect(url) as connection:
            return connection.execute(
                "select dag_id, task_id from task_instance "
                "where state = 'running' and hostname = %s order by 1, 2",
                [worker],
            ).fetchall()

    def url(self, secret: str) -> str:
        """A URL of the file's server, as this process reaches it."""
        text = self.services.secret(secret).read_text("utf-8")
        return text.replace("@postgres:", "@127.0.0.1:")

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """A table that nobody else can read or write meanwhile."""
        with psycopg.connect(self.url("admin_url")) as blocker:
            blocker.execute(f"lock table {table} in access exclusive mode".encode())
            yield
            blocker.rollback()

    def waits_for(self, table: str) -> bool:
        """Whether somebody waits for a table."""
        waiting = "select from pg_locks where relation = %s::regclass and not granted"
        return bool(self.rows(waiting, table))


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    folder = Path(tempfile.mkdtemp(prefix="chotso-compose-", dir="/var/tmp"))
    folder.chmod(0o755)
    home = folder / "source"
    # In Compose's own words: CeleryExecutor, and the profile. The province's clock is not the
    # wall's, so the schedules are off, as in the demo.
    dotenv = {"CHOTSO_EXECUTOR": "CeleryExecutor", "COMPOSE_PROFILES": "celery"}
    services = Composed(folder / "compose", dotenv, changed={"CHOTSO_SCHEDULES": "off"})
    with private_network():
        try:
            yield _opened(services, home)
        finally:
            services.down()
            sandbox.stop(home)
            shutil.rmtree(place.relocation_of(home.resolve()), ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)


def _opened(services: Composed, home: Path) -> Office:
    source = sandbox.start(home)
    seed_province(source, home, services.volume("drop"))
    _readable(services.volume("drop"))
    services.draw_secrets(source.source_url)
    for name in ("apiserver", "scheduler", "dag-processor", "triggerer"):
        services.up(f"airflow-{name}")
    services.up("watch")
    for number in (1, 2):
        services.up("airflow-worker", number)
    password = services.secret("airflow_admin_password").read_text("utf-8")
    api = AirflowClient("http://127.0.0.1:8080", ADMIN, password)
    get_ready(api)
    return Office(services, source, home, api)


def _readable(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def end_the_worker_of(office: Office, dag_id: str, task_id: str) -> list[tuple[str, str]]:
    """Kill the worker that has this task in work, whole; what it had in work."""

    def busy() -> str | None:
        return next((w for w in WORKERS if (dag_id, task_id) in office.tasks_of(w)), None)

    worker = wait_until(busy, 60)
    lost = office.tasks_of(worker)
    office.services.running.pop(worker).kill()
    return lost


def test_a_night_outlives_the_worker_that_published(office: Office) -> None:
    office.advance_to(FIRST)
    api = office.api
    with office.locked("raw.allocations"):
        runs = [api.create_run(dag_id, FIRST) for dag_id in EXTRACTS]
        wait_until(lambda: office.waits_for("raw.allocations"), TIMEOUT_S)
        lost = end_the_worker_of(office, CONTRIBUTIONS, "publish")
        killed = time.monotonic()
    runs = api.wait(runs, timeout_s=TIMEOUT_S)
    assert {run.state for run in runs} == {"success"}
    build = api.wait_for_run(BUILD, FIRST, timeout_s=TIMEOUT_S)
    assert build.state == "success"
    seconds = round(time.monotonic() - killed)
    assert set(lost) <= second_tries(office, [*runs, build])
    nothing_is_doubled(office, FIRST)
    record("Celery: the worker that publishes is killed", seconds_to_green=seconds, tasks=len(lost))


def test_a_night_outlives_the_worker_that_built(office: Office) -> None:
    for number, name in enumerate(WORKERS, 1):
        if name not in office.services.running:  # as `restart: unless-stopped` would
            office.services.up("airflow-worker", number)
    office.advance_to(SECOND)
    api = office.api
    others = [api.create_run(dag_id, SECOND) for dag_id in EXTRACTS if dag_id != CONTRIBUTIONS]
    runs = api.wait(others, timeout_s=TIMEOUT_S)
    with office.locked("raw.participations"):  # which the build alone reads from now on
        runs += api.wait([api.create_run(CONTRIBUTIONS, SECOND)], timeout_s=TIMEOUT_S)
        assert {run.state for run in runs} == {"success"}
        wait_until(lambda: office.waits_for("raw.participations"), TIMEOUT_S)
        lost = end_the_worker_of(office, BUILD, "build")
        killed = time.monotonic()
    build = api.wait_for_run(BUILD, SECOND, timeout_s=TIMEOUT_S)
    assert build.state == "success"
    seconds = round(time.monotonic() - killed)
    assert lost == [(BUILD, "build")]
    assert set(lost) <= second_tries(office, [build])
    nothing_is_doubled(office, SECOND)
    record("Celery: the worker that builds is killed", seconds_to_green=seconds)


def test_what_is_run_beside_the_services(office: Office) -> None:
    """The command line, a backup and the receiver of the WAL, as Compose starts them."""
    services = office.services
    told = json.loads(services.run("chotso", "incidents", "list", "--json"))["incidents"]
    assert [each for each in told if "cannot be written" in each["what"]] == []
    services.up("wal")
    backup = services.volume("backup")
    wait_until(lambda: list((backup / "wal").glob("0*")), 60)
    services.run("backup")
    assert list((backup / "nightly").iterdir())


def second_tries(office: Office, runs: list[DagRun]) -> set[tuple[str, str]]:
    """DAG and task of what was tried exactly once more."""
    tasks = [task for run in runs for task in office.api.tasks(run)]
    assert {task.state for task in tasks} == {"success"}
    assert max(task.try_number for task in tasks) == 2
    return {(task.dag_id, task.task_id) for task in tasks if task.try_number == 2}


def nothing_is_doubled(office: Office, day: date) -> None:
    """The figures are the source's, and each batch, version and build of the date is there once."""
    holds_what_the_source_holds(office)
    figures_are_what_was_collected(office)
    published = office.rows(
        "select feed, count(*) from ops.batch where business_date = %s and status = 'published' "
        "group by feed having count(*) > 1 and feed not in ('c12', 'plans')",  # one per file
        day,
    )
    assert published == []
    for feed, key in (("payments", "so_chung_tu"), ("allocations", "so_chung_tu, so_dong")):
        doubled = f"select from raw.{feed} group by {key}, known_from having count(*) > 1"
        assert office.rows(doubled) == []
    shown = "select count(*) from ops.build where business_date = %s and status = 'exposed'"
    assert office.rows(shown, day) == [(1,)]
