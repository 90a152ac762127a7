"""`make demo`: the year end of an invented province, on real PostgreSQL and a real Airflow.

1. The embedded PostgreSQL, the province up to 1 October, the warehouse's schemas, Airflow.
2. The nights of 28, 29 and 30 December: the source is advanced to 01:00 of the day after, then
   Airflow runs the date's DAGs.
3. 31 December, 17:00:30: Airflow freezes what is due.
4. The night of 31 December, with late payments: the marts change, the release does not.
5. A report: the sealed figures, the result of the release's `verify.py`, why a figure has changed
   since, and where everything is.

If it is run again, it continues at the time of the source's clock. A failed step is retried once
and listed at the end; the demonstration goes on with the figures that it has.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
from rich.console import Console

from chotso.ambient import print_anything
from chotso.calendar import night_of
from chotso.contracts import contracts
from chotso.demo.explanation import show_explanation
from chotso.demo.progress import Watcher
from chotso.demo.report import (
    show_places,
    show_release,
    show_trouble,
    show_what_came_late,
)
from chotso.errors import ChotsoError
from chotso.local import airflow as local
from chotso.local.client import AirflowClient
from chotso.local.commands import settled_home
from chotso.local.drive import (
    Night,
    get_ready,
    run_again,
    run_freeze,
    run_night,
    tasks_not_clean,
    warm_up,
)
from chotso.migrate import migrate
from chotso.orchestration.deadline import periods_due
from chotso.orchestration.night import is_built
from chotso.sandbox import province
from chotso.sandbox import server as sandbox
from chotso.session import open_session
from chotso.settings import Settings, load_settings
from chotso.warehouse.connect import connect
from chotso.watch.callbacks import alert_file

PERIOD_ID = "sprint-2021-q4"
NIGHTS_BEFORE = (date(2021, 12, 28), date(2021, 12, 29), date(2021, 12, 30))
FREEZE_AT = datetime.fromisoformat("2021-12-31T17:00:30+07:00")
LAST_NIGHT = date(2021, 12, 31)
NARROWEST = 110  # columns that the table needs, also if there is no terminal


@dataclass(frozen=True)
class Size:
    """The size of the province, and its seed."""

    persons: int = 120_000
    employers: int = 400
    seed: int = 2021


@dataclass
class Demo:
    """One demonstration in one home; `trouble` lists what went wrong, one line each."""

    home: Path
    size: Size
    console: Console
    started: float
    trouble: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Run all steps, from the time of the source's clock to the report.

        Raises:
            ChotsoError: A step failed; the next step is named.
        """
        self.say("PostgreSQL 18 is starting")
        server = sandbox.start(self.home)
        settings = load_settings()
        migrate(settings)
        # Airflow needs only the database server, so it starts while the province is made.
        with ThreadPoolExecutor(max_workers=1) as pool:
            airflow = pool.submit(self.start_airflow, is_new=_clock(server) is None)
            self.make_province(server)
            self.advance(server, night_of(NIGHTS_BEFORE[0]))
            self.say(f"Airflow is up: {airflow.result().url}")
            api = local.client(self.home)
        api.while_waiting = Watcher(settings, self.tell_running).look
        for day in NIGHTS_BEFORE:
            self.night(server, settings, api, day)
        self.freeze(server, settings, api)
        self.night(server, settings, api, LAST_NIGHT)
        migrate(settings)  # the agencies are known now; this makes their reader groups
        self.say("done\n")
        show_release(self.console, settings, PERIOD_ID)
        for show in (show_what_came_late, show_explanation):
            try:
                show(self.console, settings, PERIOD_ID)
            except ChotsoError as error:
                self.trouble.append(error.what)
        show_places(self.console, self.home, settings, server, airflow.result())
        show_trouble(self.console, [*self.trouble, *_not_clean(api)], api.url, alert_file())

    def make_province(self, server: sandbox.SandboxServer) -> None:
        """Seed the province, unless there is one."""
        if _clock(server) is not None:
            self.say("the province stands; it is taken up where its clock is")
            return
        size = self.size
        self.say(f"an invented province: {size.persons:,} persons, {size.employers:,} employers")
        province.seed(
            server.source_admin_url,
            self.home / "drop",
            persons=size.persons,
            employers=size.employers,
            year=2021,
            seed=size.seed,
            defects="none",
            state_dir=self.home / "sandbox",
            progress=self.whisper,
        )

    def start_airflow(self, is_new: bool) -> local.LocalAirflow:
        """Start Airflow and wait until it has read its DAGs; a new one also runs a first task."""
        airflow = local.start(self.home)
        api = local.client(self.home)
        get_ready(api)
        if is_new:
            warm_up(api)
        return airflow

    def night(
        self, server: sandbox.SandboxServer, settings: Settings, api: AirflowClient, day: date
    ) -> None:
        """Advance the source to the night and let Airflow run it; a finished night is kept."""
        if self.advance(server, night_of(day)) and _is_night_built(settings, day):
            self.say(f"the night of {day:%d.%m.%Y} has been run")
            return
        self.say(f"the night of {day:%d.%m.%Y}: five extracts, then the build")
        night = run_night(api, day)
        if not night.is_green:
            self.stumble(f"the night of {day:%d.%m.%Y}: {_failed_parts(night)} failed; once more")
            night = run_again(api, night)
        if not night.is_green:
            self.stumble(f"the night of {day:%d.%m.%Y}: {_failed_parts(night)} failed again")

    def freeze(self, server: sandbox.SandboxServer, settings: Settings, api: AirflowClient) -> None:
        """Let Airflow freeze what is due, half a minute after the cutoff."""
        self.advance(server, FREEZE_AT)
        if _is_sealed(settings):
            self.say("the cutoff has passed and the releases are sealed")
            return
        self.say("31.12.2021 17:00: final extract, build at the cutoff, seal")
        run = run_freeze(api)
        if run.state != "success":
            self.stumble("the freeze failed; once more")
            run = run_freeze(api)
        if run.state != "success":
            raise ChotsoError(
                "The freeze failed.",
                kept="nothing is half sealed.",
                next_step=f"read {alert_file()} and the log of `freeze` at {api.url}, then run "
                "`make demo` again: it takes up here.",
            )

    def advance(self, server: sandbox.SandboxServer, to: datetime) -> bool:
        """Advance the source to an instant; True if its clock was at or past it already."""
        clock = _clock(server)
        if clock is not None and clock >= to:
            return True
        province.advance(
            server.source_admin_url,
            self.home / "drop",
            to=to,
            state_dir=self.home / "sandbox",
            progress=self.whisper,
        )
        return False

    def say(self, text: str) -> None:
        """Print one line with the time since the start."""
        seconds = timedelta(seconds=round(time.monotonic() - self.started))
        self.console.print(f"[dim]{seconds}[/dim]  {text:<80}", highlight=False)

    def stumble(self, text: str) -> None:
        """Print one line about a failure; it is listed again at the end."""
        self.trouble.append(text)
        self.say(text)

    def whisper(self, text: str) -> None:
        """Show progress within a step, on a terminal only, where the next line overwrites it."""
        if self.console.is_terminal:
            self.console.print(f"         [dim]{text[:80]:<80}[/dim]", end="\r", highlight=False)

    def tell_running(self, text: str, is_line: bool) -> None:
        """Show what runs while we wait: always on a terminal, otherwise a line now and then."""
        if self.console.is_terminal:
            self.whisper(text)
        elif is_line:
            self.say(f"  … {text}")


def _failed_parts(night: Night) -> str:
    failed = [run.dag_id for run in night.extracts if run.state != "success"]
    return ", ".join(failed) or "build_warehouse"


def _not_clean(api: AirflowClient) -> list[str]:
    return sorted(
        f"{task.dag_id}.{task.task_id}: {task.state} at try {task.try_number}"
        for task in tasks_not_clean(api)
    )


def _clock(server: sandbox.SandboxServer) -> datetime | None:
    try:
        with open_session(server.source_admin_url) as connection:
            row = connection.execute("select bay_gio from tst.dong_ho where id = 1").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    if row is None:
        return None
    clock: datetime = row[0]
    return clock


def _is_night_built(settings: Settings, day: date) -> bool:
    with connect(settings) as conn:
        row = conn.execute(
            "select count(distinct feed) from ops.batch "
            "where business_date = %s and status = 'published' and final_of is null",
            [day],
        ).fetchone()
        return row is not None and row[0] == len(contracts()) and is_built(conn, day)


def _is_sealed(settings: Settings) -> bool:
    return not periods_due(settings)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chotso.demo.play")
    parser.add_argument("--persons", type=int, default=Size.persons)
    parser.add_argument("--employers", type=int, default=Size.employers)
    parser.add_argument("--seed", type=int, default=Size.seed)
    return parser.parse_args()


def main() -> int:
    """Run the demonstration in `$CHOTSO_HOME` (default `.chotso`); 1 if a step failed."""
    given = _arguments()
    print_anything()
    home = settled_home()
    size = Size(persons=given.persons, employers=given.employers, seed=given.seed)
    console = Console()
    console.width = max(console.width, NARROWEST)
    try:
        Demo(home, size, console, time.monotonic()).run()
    except ChotsoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
