"""One real Airflow on one real PostgreSQL, with a tiny province."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.local import airflow as local
from chotso.local import airflow_home, processes
from chotso.local.airflow_home import AirflowHome
from chotso.local.client import AirflowClient, DagRun
from chotso.local.drive import get_ready
from chotso.migrate import migrate
from chotso.sandbox import province
from chotso.sandbox import server as sandbox
from chotso.settings import Settings, load_settings
from tests.worlds.collector import Collector, collector

PERSONS, EMPLOYERS = 1_500, 60
TIMEOUT_S = 400.0


def wait_until(condition: Callable[[], Any], seconds: float = TIMEOUT_S) -> Any:
    """What a condition gives, as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Pipeline:
    """A running warehouse, its source, and the Airflow that moves data from one to the other."""

    home: Path
    server: sandbox.SandboxServer
    settings: Settings
    api: AirflowClient
    told: Collector

    def advance(self, to: datetime) -> None:
        """Let the source live until an instant."""
        advance_province(self.server, self.home, self.home / "drop", to)

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, read as its superuser."""
        with psycopg.connect(self.server.admin_url) as connection:
            return connection.execute(query, values).fetchall()

    def source_rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the source."""
        with psycopg.connect(self.server.source_url) as connection:
            return connection.execute(query).fetchall()

    def states(self, run: DagRun) -> dict[str, str | None]:
        """The state of each task of a run."""
        return {task.task_id: task.state for task in self.api.tasks(run)}

    def alerts(self) -> list[dict[str, Any]]:
        """What people were told so far, as the file of alerts has it."""
        path = self.home / "alerts.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    def alerts_of(self, dag_id: str, day: date) -> list[dict[str, Any]]:
        """What people were told of a DAG's night, without the end of it."""
        return [
            line
            for line in self.alerts()
            if (line["dag_id"], line["business_date"]) == (dag_id, day.isoformat())
            and line["event"] != "ended"
        ]

    @contextmanager
    def second_scheduler(self) -> Iterator[processes.Component]:
        """Two schedulers share the work for a while, with the clocks of the schedules on."""
        home, airflow = AirflowHome(self.home), [sys.executable, "-m", "airflow"]
        local.stop(self.home)
        local.start(self.home, schedules=True)
        env = airflow_home.environment(home, schedules=True)
        log = home.logs / "scheduler-2.log"
        second = processes.start(
            "scheduler-2", [*airflow, *local.COMPONENTS["scheduler"]], env, log, home.run
        )
        try:
            yield second
        finally:
            processes.stop(second, home.run, patience_s=local.STOP_PATIENCE_S)

    def backfill(self, dag_id: str, begin: datetime, end: datetime, *, at_once: int) -> bool:
        """The operator's command for runs of the past; whether Airflow took it."""
        home = AirflowHome(self.home)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "airflow", "backfill", "create", "--dag-id", dag_id),
                *("--from-date", begin.isoformat(), "--to-date", end.isoformat()),
                *("--max-active-runs", str(at_once)),
            ],
            env=airflow_home.environment(home, schedules=True),
            check=False,
            timeout=120,
        )
        return done.returncode == 0

    @contextmanager
    def airflow_database(self) -> Iterator[psycopg.Connection]:
        """Airflow's own database, committed at the end."""
        with psycopg.connect(self.server.airflow_url) as connection:
            yield connection


@contextmanager
def running_pipeline() -> Iterator[Pipeline]:
    """A pipeline before its first night; afterwards nothing of it is left."""
    with pytest.MonkeyPatch.context() as patch, home_folder() as home, collector() as told:
        for name in [name for name in os.environ if name.startswith("CHOTSO_")]:
            patch.delenv(name)
        patch.setenv("CHOTSO_HOME", str(home))
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", told.url)
        transport = json.dumps({"type": "http", "url": told.url})
        patch.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", transport)
        server = sandbox.start(home)
        try:
            yield made(home, server, told)
        finally:
            local.stop(home)
            sandbox.stop(home)


@contextmanager
def home_folder() -> Iterator[Path]:
    """A folder that is deleted at the end."""
    # Vietnamese letters and a blank in the path, as people have them.
    with tempfile.TemporaryDirectory(prefix="chotso-nhà ", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def seed_province(server: sandbox.SandboxServer, home: Path, drop: Path) -> None:
    """Make a province without defects, up to 1 October 2021."""
    province.seed(
        server.source_admin_url,
        drop,
        persons=PERSONS,
        employers=EMPLOYERS,
        year=2021,
        seed=2021,
        defects="none",
        state_dir=home / "sandbox",
        progress=lambda text: None,
    )


def advance_province(server: sandbox.SandboxServer, home: Path, drop: Path, to: datetime) -> None:
    """Let the source live until an instant."""
    province.advance(
        server.source_admin_url,
        drop,
        to=to,
        state_dir=home / "sandbox",
        progress=lambda text: None,
    )


def made(home: Path, server: sandbox.SandboxServer, told: Collector) -> Pipeline:
    """A province, a migrated warehouse and Airflow, whose variables are set."""
    seed_province(server, home, home / "drop")
    settings = load_settings()
    migrate(settings)
    local.start(home)
    api = local.client(home)
    get_ready(api)
    return Pipeline(home, server, settings, api, told)
