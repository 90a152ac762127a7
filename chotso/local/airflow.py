"""A real Airflow on this machine, without Docker: `python -m chotso.local.airflow up`.

It runs the scheduler (with LocalExecutor), the DAG processor, the API server and a triggerer as
detached processes on 127.0.0.1. Their database is in the embedded PostgreSQL. No task defers; the
triggerer runs because Airflow shows a missing one as a fault.
"""

import importlib.metadata
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from chotso.errors import ChotsoError
from chotso.folder import locked
from chotso.local import airflow_home, processes
from chotso.local.airflow_home import AirflowHome
from chotso.local.client import AirflowClient
from chotso.local.commands import run_main
from chotso.sandbox import state as sandbox_state
from chotso.session import open_session

COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
READY_TIMEOUT_S = 120.0
STOP_PATIENCE_S = 20.0
MIGRATE_TIMEOUT_S = 300


@dataclass(frozen=True)
class LocalAirflow:
    """A running local Airflow.

    Attributes:
        url: The web interface and the REST API.
        password_file: The file with the password of user `admin`.
        logs: Logs of tasks and programs.
    """

    url: str
    password_file: Path
    logs: Path


def start(chotso_home: Path, *, schedules: bool = False) -> LocalAirflow:
    """Start what is not running yet and wait until runs can be created.

    Args:
        chotso_home: `$CHOTSO_HOME`, with a started embedded PostgreSQL.
        schedules: Whether the DAGs' time schedules are on; `CHOTSO_SCHEDULES` wins.

    Raises:
        ChotsoError: A part does not start; the text names its log.
    """
    home = AirflowHome(chotso_home.expanduser().resolve())
    home.folder.mkdir(parents=True, exist_ok=True)
    with locked(home.folder):
        if not all(part.is_running for part in _parts(home)) or len(_parts(home)) < len(COMPONENTS):
            _stop_parts(home)
            airflow_home.prepare(home)
            env = airflow_home.environment(home, schedules=schedules)
            _migrate(home, env)
            for name, arguments in COMPONENTS.items():
                command = [sys.executable, "-m", "airflow", *arguments]
                processes.start(name, command, env, _log(home, name), home.run)
        _wait_ready(home)
    return LocalAirflow(home.url(), home.password_file, home.logs)


def stop(chotso_home: Path) -> bool:
    """Stop every part by its process id; True if something was running."""
    home = AirflowHome(chotso_home.expanduser().resolve())
    if not home.folder.is_dir():
        return False
    with locked(home.folder):
        was_running = any(part.is_running for part in _parts(home))
        _stop_parts(home)
    return was_running


def status(chotso_home: Path) -> dict[str, str]:
    """Each part's state: `running (pid N)` or `stopped`."""
    home = AirflowHome(chotso_home.expanduser().resolve())
    found = {name: processes.recorded(name, home.run) for name in COMPONENTS}
    return {
        name: f"running (pid {part.pid})" if part and part.is_running else "stopped"
        for name, part in found.items()
    }


def fallen(chotso_home: Path) -> list[str]:
    """Parts that were started, were not stopped by `stop`, and do not run."""
    home = AirflowHome(chotso_home.expanduser().resolve())
    return [part.name for part in _parts(home) if not part.is_running]


def address(chotso_home: Path) -> str | None:
    """Where the local Airflow answers; None if it was never started, or was stopped."""
    home = AirflowHome(chotso_home.expanduser().resolve())
    return home.url() if _parts(home) else None


def client(chotso_home: Path) -> AirflowClient:
    """A client of the running Airflow, logged in as its administrator."""
    home = AirflowHome(chotso_home.expanduser().resolve())
    return AirflowClient(home.url(), airflow_home.ADMIN, home.password())


def _parts(home: AirflowHome) -> list[processes.Component]:
    found = (processes.recorded(name, home.run) for name in COMPONENTS)
    return [part for part in found if part is not None]


def _stop_parts(home: AirflowHome) -> None:
    # The scheduler first: it ends its tasks while the API can still receive their last state.
    for part in sorted(_parts(home), key=lambda part: part.name != "scheduler"):
        processes.stop(part, home.run, patience_s=STOP_PATIENCE_S)


def _log(home: AirflowHome, name: str) -> Path:
    return home.logs / f"{name}.log"


def _migrate(home: AirflowHome, env: dict[str, str]) -> None:
    """Prepare the metadata database, unless this version did so before (it takes a while)."""
    version = importlib.metadata.version("apache-airflow-core")
    if _prepared_by(home) == [version, _revision(home)]:
        return
    log = _log(home, "db-migrate")
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    if not processes.run_to_end(command, env, home.folder, log, MIGRATE_TIMEOUT_S):
        raise ChotsoError(
            "Airflow could not prepare its own database.",
            kept="the warehouse and the source, untouched.",
            next_step=f"read {log}.",
        )
    home.migrated_file.write_text(json.dumps([version, _revision(home)]), encoding="utf-8")


def _prepared_by(home: AirflowHome) -> list[str | None]:
    try:
        found: list[str | None] = json.loads(home.migrated_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found


def _revision(home: AirflowHome) -> str | None:
    server = sandbox_state.read(home.chotso_home)
    assert server is not None
    try:
        with open_session(server.airflow_url) as connection:
            row = connection.execute("select version_num from public.alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    except psycopg.OperationalError as error:
        raise ChotsoError(
            f"The embedded PostgreSQL does not answer: {error}",
            next_step="run `chotso sandbox start` first.",
        ) from error
    return None if row is None else str(row[0])


def _wait_ready(home: AirflowHome) -> None:
    api = AirflowClient(home.url(), airflow_home.ADMIN, home.password())
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not api.is_healthy():
        for part in _parts(home):
            if not part.is_running:
                raise ChotsoError(
                    f"Airflow's {part.name} ended while starting.",
                    next_step=f"read {_log(home, part.name)}.",
                )
        if time.monotonic() > deadline:
            raise ChotsoError(
                f"Airflow was not ready within {READY_TIMEOUT_S:.0f} s.",
                next_step=f"read the logs in {home.logs}, then run this again.",
            )
        time.sleep(0.2)


def _up(home: Path) -> None:
    from chotso.local.drive import get_ready
    from chotso.migrate import migrate
    from chotso.sandbox import server
    from chotso.settings import load_settings

    database = server.start(home)
    migrate(load_settings())
    airflow = start(home)
    if os.environ.get("CHOTSO_SCHEDULES", "off") == "off":
        get_ready(client(home))  # without schedules nothing starts by itself
    print(
        f"PostgreSQL: {database.host}:{database.port} (logins in {home / 'sandbox.json'})\n"
        f"Airflow:    {airflow.url} (user {airflow_home.ADMIN}, "
        f"password in {airflow.password_file})\n"
        f"Logs:       {airflow.logs}"
    )


def _down(home: Path) -> None:
    from chotso.sandbox import server

    print("Airflow stopped." if stop(home) else "Airflow was not running.")
    print("PostgreSQL stopped." if server.stop(home) else "PostgreSQL was not running.")


def _tell_status(home: Path) -> None:
    print("\n".join(f"{name}: {state}" for name, state in status(home).items()))


def main(arguments: list[str]) -> int:
    """`up`, `down` or `status` of Airflow and its PostgreSQL in `$CHOTSO_HOME` (`.chotso`)."""
    commands = {"up": _up, "down": _down, "status": _tell_status}
    return run_main("chotso.local.airflow", commands, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
