"""Superset on this machine, without Docker: `python -m chotso.local.superset up` (`make bi`).

It has an environment of its own, `.venv-bi`; only that one imports Superset. Its database is in the
embedded PostgreSQL, its state in `$CHOTSO_HOME/bi`. `up` may be repeated: it applies what `bi/`
says now, keeps what people made, and starts the server anew.
"""

import os
import sys
import time
from pathlib import Path

import httpx

from chotso import PROJECT_ROOT
from chotso.errors import ChotsoError
from chotso.folder import locked
from chotso.local import processes
from chotso.local.commands import run_main
from chotso.local.free_port import HOST, free_port
from chotso.local.superset_home import BI, SupersetHome, prepare
from chotso.migrate import migrate
from chotso.sandbox import server as sandbox
from chotso.settings import load_settings

PYTHON = PROJECT_ROOT / ".venv-bi" / "bin" / "python"
SERVER = "superset"
USUAL_PORT = 8088
THREADS = 8  # one browser asks for six charts at a time
READY_TIMEOUT_S = 120.0
APPLY_TIMEOUT_S = 600
STOP_PATIENCE_S = 15.0


def start(chotso_home: Path) -> str:
    """Bring Superset to what `bi/` says, and start it.

    Returns:
        Its address.

    Raises:
        ChotsoError: Its environment is missing, or a step failed; the text names the log.
    """
    if not PYTHON.exists():
        raise ChotsoError(
            f"Superset's environment is not at {PYTHON.parent.parent}.",
            next_step="run `make bi`, which makes it first.",
        )
    home = SupersetHome.of(chotso_home)
    database = sandbox.start(chotso_home)
    home.logs.mkdir(parents=True, exist_ok=True)
    with locked(home.folder):
        if prepare(home, database.admin_url):
            migrate(load_settings())
        _stop(home)
        _apply(home)
        port = free_port((*home.last_port(), USUAL_PORT), "Superset")
        home.write("port", f"{port}\n")
        command = [
            str(PYTHON), "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--workers", "1",
            "--worker-class", "gthread", "--threads", str(THREADS), "--timeout", "120",
            "--access-logfile", "-", "superset.app:create_app()",
        ]  # fmt: skip
        processes.start(SERVER, command, environment(home), home.logs / "superset.log", home.run)
        return _wait_ready(home, f"http://{HOST}:{port}")


def prepare_elsewhere(chotso_home: Path) -> None:
    """Make what a Superset in a container needs of the warehouse that the settings name.

    Raises:
        ChotsoError: The settings name no superuser.
    """
    settings = load_settings()
    if settings.admin_url is None:
        raise ChotsoError(
            "Superset's database and logins need a superuser.",
            next_step="set CHOTSO_ADMIN_URL for this command.",
        )
    if prepare(SupersetHome.of(chotso_home), settings.admin_url):
        migrate(settings)


def stop(chotso_home: Path) -> bool:
    """Stop Superset, not PostgreSQL; True if it was running."""
    home = SupersetHome.of(chotso_home)
    if not home.folder.is_dir():
        return False
    with locked(home.folder):
        return _stop(home)


def environment(home: SupersetHome) -> dict[str, str]:
    """The environment of Superset's programs: nothing of the caller's."""
    return {
        "CHOTSO_BI_HOME": str(home.folder),
        "SUPERSET_CONFIG_PATH": str(BI / "superset_config.py"),
        "PYTHONPATH": str(BI),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
        "HOME": str(home.folder),
        "PATH": os.pathsep.join([str(PYTHON.parent), os.defpath]),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _apply(home: SupersetHome) -> None:
    log = home.logs / "apply.log"
    log.unlink(missing_ok=True)  # what one call printed
    command = [str(PYTHON), str(BI / "apply.py")]
    if not processes.run_to_end(command, environment(home), home.folder, log, APPLY_TIMEOUT_S):
        raise ChotsoError(
            "Superset did not take over what bi/ says.",
            kept="the warehouse, untouched, and what people made in Superset.",
            next_step=f"read the last lines of {log}, mend what they name, and run this again.",
        )


def _stop(home: SupersetHome) -> bool:
    part = processes.recorded(SERVER, home.run)
    if part is None:
        return False
    was_running = part.is_running
    processes.stop(part, home.run, patience_s=STOP_PATIENCE_S)
    return was_running


def _wait_ready(home: SupersetHome, url: str) -> str:
    log = home.logs / "superset.log"
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        part = processes.recorded(SERVER, home.run)
        if part is None or not part.is_running:
            raise ChotsoError("Superset ended while starting.", next_step=f"read {log}.")
        try:
            if httpx.get(f"{url}/health", timeout=5).text == "OK":
                return url
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise ChotsoError(
        f"Superset was not ready within {READY_TIMEOUT_S:.0f} s.", next_step=f"read {log}."
    )


def _up(chotso_home: Path) -> None:
    url = start(chotso_home)
    home = SupersetHome.of(chotso_home)
    print(f"Superset:  {url}\nUsers:     {home.passwords}\nLogs:      {home.logs}")


def _down(chotso_home: Path) -> None:
    print("Superset stopped." if stop(chotso_home) else "Superset was not running.")


def main(arguments: list[str]) -> int:
    """`up`, `down` or `prepare` of Superset in `$CHOTSO_HOME` (`.chotso`)."""
    commands = {"up": _up, "down": _down, "prepare": prepare_elsewhere}
    return run_main("chotso.local.superset", commands, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
