"""Which Airflow this process belongs to: a service's, by its environment, or the home's own."""

import os
from dataclasses import dataclass
from pathlib import Path

from chotso.local import airflow_home
from chotso.local.airflow_home import AirflowHome
from chotso.settings import Settings

_LOGS = "AIRFLOW__LOGGING__BASE_LOG_FOLDER"
_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


@dataclass(frozen=True)
class AirflowHere:
    """Where an Airflow logs, and the environment of its command line."""

    logs: Path
    environment: dict[str, str]


def airflow_here(settings: Settings) -> AirflowHere | None:
    """The Airflow of this container's service, else the local one; None where there is neither."""
    if _LOGS in os.environ and (_DATABASE in os.environ or f"{_DATABASE}_CMD" in os.environ):
        return AirflowHere(Path(os.environ[_LOGS]), dict(os.environ))
    home = AirflowHome(settings.home)
    if home.config_file.exists():
        return AirflowHere(home.logs, airflow_home.environment(home, schedules=False))
    return None
