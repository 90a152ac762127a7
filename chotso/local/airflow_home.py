"""The local Airflow's folder: its configuration, its secrets, and the environment of its programs.

Everything is below `$CHOTSO_HOME/airflow`: `airflow.cfg` with its secrets (mode 600, generated
once), the administrator's password, logs, and the process records.
"""

import base64
import configparser
import json
import os
import pwd
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from chotso import PROJECT_ROOT
from chotso.calendar import LOCAL_ZONE_NAME
from chotso.errors import ChotsoError
from chotso.folder import write_private
from chotso.local.free_port import HOST, free_port
from chotso.sandbox import state as sandbox_state

DAGS_FOLDER = PROJECT_ROOT / "dags"
ADMIN = "admin"
USUAL_PORT = 8080
# Variables that say whom a night is told to (docs/seeing-inside.md).
TOLD = ("OTEL_", "OPENLINEAGE_", "AIRFLOW__OPENLINEAGE__", "AIRFLOW__TRACES__")
# Imports that each task's process would otherwise repeat: Great Expectations takes 4 s, dbt 3 s.
# The fork server imports them once; a task's process starts as a copy of it.
PRELOADED = (
    "airflow.executors.local_executor",
    "airflow.sdk.execution_time.task_runner",
    "chotso.orchestration.preload",
)


@dataclass(frozen=True)
class AirflowHome:
    """Where one local Airflow keeps its state, below a chotso home."""

    chotso_home: Path

    @property
    def folder(self) -> Path:
        """`AIRFLOW_HOME`."""
        return self.chotso_home / "airflow"

    @property
    def config_file(self) -> Path:
        """`airflow.cfg`, mode 600, because it has secrets."""
        return self.folder / "airflow.cfg"

    @property
    def password_file(self) -> Path:
        """JSON with the password of the only user, mode 600."""
        return self.folder / "admin-password.json"

    @property
    def logs(self) -> Path:
        """Logs of tasks and of Airflow's own programs."""
        return self.folder / "logs"

    @property
    def run(self) -> Path:
        """Records of running processes."""
        return self.folder / "run"

    @property
    def migrated_file(self) -> Path:
        """The file with the Airflow version that prepared the metadata database."""
        return self.folder / "migrated.json"

    def url(self) -> str:
        """The configured address of the API server.

        Raises:
            ChotsoError: This Airflow was never started.
        """
        config = configparser.ConfigParser(interpolation=None)
        if not config.read(self.config_file):
            raise ChotsoError(
                f"There is no local Airflow in {self.folder}.",
                next_step="start it with `make up` (or `python -m chotso.local.airflow up`).",
            )
        return config["api"]["base_url"]

    def password(self) -> str:
        """The administrator's password."""
        found: dict[str, str] = json.loads(self.password_file.read_text(encoding="utf-8"))
        return found[ADMIN]


def prepare(home: AirflowHome) -> None:
    """Write the configuration; the port may change between starts, secrets never change.

    Raises:
        ChotsoError: The embedded PostgreSQL was never made, or there are no DAGs.
    """
    server = sandbox_state.read(home.chotso_home)
    if server is None:
        raise ChotsoError(
            f"There is no embedded PostgreSQL in {home.chotso_home} for Airflow's own database.",
            next_step="run `chotso sandbox start` first.",
        )
    if not DAGS_FOLDER.is_dir():
        raise ChotsoError(
            f"The DAGs are not at {DAGS_FOLDER}.",
            next_step="run this from a checkout of the repository.",
        )
    for folder in (home.folder, home.logs, home.run):
        folder.mkdir(parents=True, exist_ok=True)
    config = configparser.ConfigParser(interpolation=None)
    config.read(home.config_file)
    for section, options in _options(home, server.airflow_url, _port(config)).items():
        if not config.has_section(section):
            config.add_section(section)
        for option, value in options.items():
            config.set(section, option, value.replace("%", "%%"))
    for section, option, value in _new_secrets():
        if not config.has_option(section, option):
            config.set(section, option, value)
    write_private(home.config_file, _render(config))
    if not home.password_file.exists():
        write_private(home.password_file, json.dumps({ADMIN: secrets.token_urlsafe(12)}) + "\n")


def environment(home: AirflowHome, *, schedules: bool) -> dict[str, str]:
    """The environment of Airflow's programs and tasks: of the caller's, only `CHOTSO_*` and `TOLD`.

    Args:
        home: The local Airflow.
        schedules: Whether the DAGs' time schedules are on. They are off in the sandbox, because
            its clock is not the real time.
    """
    kept = {n: value for n, value in os.environ.items() if n.startswith(("CHOTSO_", *TOLD))}
    return {
        "CHOTSO_SCHEDULES": "on" if schedules else "off",
        **kept,
        "CHOTSO_HOME": str(home.chotso_home),
        "AIRFLOW_HOME": str(home.folder),
        "HOME": os.environ.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath, "/usr/local/bin"]),
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        # One thread per process, because several task processes share two cores.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        # No telemetry.
        "DO_NOT_TRACK": "1",
        "SCARF_NO_ANALYTICS": "true",
        "GX_ANALYTICS_ENABLED": "false",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _options(home: AirflowHome, airflow_url: str, port: int) -> dict[str, dict[str, str]]:
    base_url = f"http://{HOST}:{port}"
    return {
        "core": {
            "dags_folder": str(DAGS_FOLDER),
            "plugins_folder": str(home.folder / "plugins"),
            "executor": "LocalExecutor",
            # Dates without an offset, as people type them; the web interface uses the browser's.
            "default_timezone": LOCAL_ZONE_NAME,
            # On a loaded machine an import takes long. A file that was not imported in time has no
            # DAGs until it is read again.
            "dagbag_import_timeout": "120",
            # Four extracts may wait for the registers; two more tasks can run beside them.
            "parallelism": "6",
            "load_examples": "False",
            "simple_auth_manager_users": f"{ADMIN}:admin",
            "simple_auth_manager_passwords_file": str(home.password_file),
            # Tasks only find the API by themselves if it is on port 8080.
            "execution_api_server_url": f"{base_url}/execution/",
        },
        "database": {
            "sql_alchemy_conn": airflow_url.replace("postgresql://", "postgresql+psycopg2://", 1),
            "sql_alchemy_pool_size": "5",
        },
        "api": {"host": HOST, "port": str(port), "base_url": base_url, "workers": "1"},
        "api_auth": {},
        "scheduler": {
            "mp_start_method": "forkserver",
            "mp_forkserver_preload": ",".join(PRELOADED),
            # One loop takes a tenth of a second, so it is frequent only if a core is free for it.
            "scheduler_idle_sleep_time": "0.3" if len(os.sched_getaffinity(0)) > 1 else "1",
            "task_instance_heartbeat_timeout": "90",
            "enable_health_check": "False",
        },
        "triggerer": {"capacity": "10"},
        "dag_processor": {
            "parsing_processes": "2",
            # A DAG that was not read for longer than the threshold vanishes as soon as a reading of
            # its file has ended or was killed. So several readings have to fail in a row.
            "min_file_process_interval": "120",
            "dag_file_processor_timeout": "180",
            "stale_dag_threshold": "900",
            "refresh_interval": "60",
            "dag_bundle_storage_path": str(home.folder / "bundles"),
        },
        "logging": {"base_log_folder": str(home.logs), "colored_console_log": "False"},
    }


def _new_secrets() -> list[tuple[str, str, str]]:
    return [
        ("core", "fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()),
        ("api", "secret_key", secrets.token_urlsafe(48)),
        ("api_auth", "jwt_secret", secrets.token_urlsafe(64)),
    ]


def _port(config: configparser.ConfigParser) -> int:
    """The last port if it is still free, otherwise 8080, otherwise any free port."""
    last = config.getint("api", "port", fallback=USUAL_PORT)
    return free_port((last, USUAL_PORT), "Airflow")


def _render(config: configparser.ConfigParser) -> str:
    lines = ["# Written by chotso at every start; the secrets in it are drawn once."]
    for section in config.sections():
        options = (f"{name} = {value}" for name, value in config[section].items())
        lines += ["", f"[{section}]", *options]
    return "\n".join(lines) + "\n"
