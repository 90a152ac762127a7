"""An installation as it stands in an office: Airflow, warehouse, source, the watch and its routes.

The source has a server of its own, and the landing archive a disk of its own where that is allowed.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chotso import PROJECT_ROOT
from chotso.calendar import night_of
from chotso.local import airflow as local
from chotso.local import airflow_home, processes
from chotso.local.airflow_home import AirflowHome
from chotso.local.client import DagRun
from chotso.local.drive import BUILD, EXTRACTS, RECONCILE, run_night, wait_for_build
from chotso.orchestration.night import dates_to_request
from chotso.watch.judge import judge
from tests.pipeline.running import Pipeline

IN_TIME_S = 600.0  # what nobody is told of within ten minutes went unnoticed
WATCH_EVERY_S = 5
_COMMAND = re.compile(r"`(chotso [a-z][^`…]*)`")


@dataclass(frozen=True)
class Told:
    """An incident as it was received: by the HTTP receiver and by mail, and after how long."""

    posted: dict[str, Any]
    mail: str
    seconds_to_post: float
    seconds_to_mail: float

    @property
    def next_step(self) -> str:
        """The next step, as both messages have it."""
        step = str(self.posted["next_step"])
        assert f"Next: {step}" in self.mail.splitlines()
        return step


@dataclass
class Installation:
    """What the faults are made in.

    Attributes:
        pipeline: The warehouse, its source and Airflow.
        source_home: The home of the source's own server.
        disk: The small disk of the landing archive; None where nothing may be mounted.
        mails: What the SMTP server took.
        posts: What the HTTP receiver took.
        day: The business date of the newest night.
    """

    pipeline: Pipeline
    source_home: Path
    disk: Path | None
    mails: list[dict[str, str]]
    posts: list[dict[str, Any]]
    day: date
    runs: list[DagRun] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """`$CHOTSO_HOME`."""
        return self.pipeline.home

    # Nights

    def next_day(self) -> date:
        """The source lives on until the next night is due."""
        self.day += timedelta(days=1)
        self.pipeline.advance(night_of(self.day))
        return self.day

    def night(self) -> None:
        """The next night, by Airflow; fails if it is not green."""
        assert run_night(self.pipeline.api, self.next_day()).is_green

    def until_it_is_known_what_is_usual(self) -> None:
        """Nights, until the watch knows how long a feed and a build take."""
        while self.pipeline.rows("select count(*) < 3 from ops.build where status = 'exposed'")[0][
            0
        ]:
            self.night()

    def begin_night(self, *dag_ids: str) -> list[DagRun]:
        """Create the runs of the night as the schedule would, and wait for none."""
        new = [self.pipeline.api.create_run(each, self.day) for each in dag_ids or EXTRACTS]
        self.runs += new
        return new

    def until_runs_are_over(self) -> None:
        """Wait until Airflow has given up, or brought through, every run of this fault."""
        self.runs = self.pipeline.api.wait(self.runs, timeout_s=IN_TIME_S)

    def go_on(self) -> None:
        """Let the runs that waited come through, and have built what they brought."""
        self.until_runs_are_over()
        known = {run.run_id for run in self.pipeline.api.runs(BUILD, self.day)}
        self.pipeline.api.wait([self.pipeline.api.create_run(RECONCILE)], timeout_s=IN_TIME_S)
        if dates_to_request(self.pipeline.settings):
            self.built(known)

    def built(self, known: Collection[str] = ()) -> None:
        """Wait for the night's build, which the assets start."""
        run = wait_for_build(self.pipeline.api, self.day, known, timeout_s=IN_TIME_S)
        assert run.state == "success"

    def states(self) -> dict[str, str]:
        """The state of each run of this fault."""
        self.runs = [self.pipeline.api.run(run) for run in self.runs]
        return {run.dag_id: run.state for run in self.runs}

    def callbacks(self, since: datetime) -> int:
        """How often Airflow called `on_failure_callback`: tasks and runs that it gave up."""
        failed = "select count(*) from {} where state = 'failed' and end_date >= %s"
        with self.pipeline.airflow_database() as database:
            return sum(
                database.execute(failed.format(table).encode(), [since]).fetchone()[0]  # type: ignore[index]
                for table in ("task_instance", "dag_run")
            )

    # Who watches, and what was told

    @property
    def environment(self) -> dict[str, str]:
        """An operator's environment: what Airflow's programs have, too."""
        return airflow_home.environment(AirflowHome(self.home), schedules=False)

    def start_watch(self) -> None:
        """Run `chotso watch` as its service would, beside Airflow."""
        command = [sys.executable, "-m", "chotso", "watch", "--every", str(WATCH_EVERY_S)]
        processes.start(
            "watch", command, self.environment, self.home / "watch.log", self.home / "run"
        )

    def stop_watch(self) -> None:
        """Stop it, as for a restart of its machine."""
        if (watch := processes.recorded("watch", self.home / "run")) is not None:
            processes.stop(watch, self.home / "run", patience_s=10)

    def let_the_watch_look(self) -> None:
        """Wait for two looks: the second one began after this call."""
        for _ in range(2):
            self._until_it_looked_since(time.time())

    def _until_it_looked_since(self, instant: float) -> None:
        looked = self.home / "watch" / "looked"
        wait_until(lambda: looked.stat().st_mtime > instant, 120, "the watch hangs")

    def restart_airflow(self, **changed: str) -> None:
        """Restart the machine that Airflow and the watch run on, with variables of its programs."""
        self.stop_watch()
        local.stop(self.home)
        start_airflow(self.home, changed)
        # a token of another time is not taken
        self.pipeline = replace(self.pipeline, api=local.client(self.home))
        self.start_watch()

    def opened_since(self, posts: int, mails: int) -> tuple[list[dict[str, Any]], list[str]]:
        """What was told since a moment, but for ends: by the HTTP receiver, and by mail."""
        return (
            [each for each in self.posts[posts:] if each["event"] != "ended"],
            [each["text"] for each in self.mails[mails:] if "— over)" not in each["subject"]],
        )

    def carry_out(self, next_step: str, number: int = 0) -> str:
        """Run a command that the next step names, as it is written; returns what it said."""
        return self.run(_COMMAND.findall(next_step)[number])

    def run(self, command: str) -> str:
        """Run `chotso …` in an operator's environment."""
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            capture_output=True, text=True, check=False, timeout=IN_TIME_S,
            env=self.environment,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def clear(self, dag_id: str, *tasks: str) -> None:
        """Clear tasks of this fault's run, as the next step says, and wait for it."""
        (run,) = [each for each in self.runs if each.dag_id == dag_id]
        self.pipeline.api.clear(run, tasks)
        self.runs = [self.pipeline.api.run(run)]
        self.until_runs_are_over()
        assert self.states() == {dag_id: "success"}

    def mark_failed(self, dag_id: str, task_id: str) -> None:
        """Mark a task failed, as a person does in Airflow's pages."""
        (run,) = [each for each in self.runs if each.dag_id == dag_id]
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}"
        self.pipeline.api._request("PATCH", path, {"new_state": "failed"})

    def pid_of(self, dag_id: str, task_id: str) -> int | None:
        """The process of a running task of this fault."""
        (run,) = [each for each in self.runs if each.dag_id == dag_id]
        task = next(each for each in self.pipeline.api.tasks(run) if each.task_id == task_id)
        return task.pid if task.state == "running" else None

    def causes(self) -> set[str]:
        """The kinds of what is wrong now."""
        return {each.kind for each in judge(self.pipeline.settings).causes}


def start_airflow(home: Path, changed: dict[str, str]) -> None:
    """Start Airflow, its programs with these variables, which the product itself never sets."""
    if not changed:
        local.start(home)
        return
    usual = airflow_home.environment

    def other(of: AirflowHome, *, schedules: bool) -> dict[str, str]:
        return usual(of, schedules=schedules) | changed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(airflow_home, "environment", other)
        local.start(home)


def make(target: str, environment: dict[str, str]) -> None:
    """Run a target of the Makefile."""
    done = subprocess.run(
        ["make", target], cwd=PROJECT_ROOT, env=os.environ | environment, check=False,
        capture_output=True, text=True, timeout=IN_TIME_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def wait_until(condition: Callable[[], Any], seconds: float, why: str) -> Any:
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, why
        time.sleep(0.3)
    return found
