"""Old rows of Airflow's database, by Airflow's own `airflow db clean`."""

import re
import subprocess
import sys
from datetime import datetime

from chotso.errors import ChotsoError
from chotso.masking import masked
from chotso.retention.airflow_here import AirflowHere

_COUNT = re.compile(r"^Found (\d+) rows meeting deletion criteria", re.MULTILINE)
_TIMEOUT_S = 3600


def clean(airflow: AirflowHere, before: datetime, *, apply: bool) -> int:
    """Delete or count rows of runs, tasks and logs from before an instant.

    The newest scheduled run of each DAG stays: from it the scheduler knows where it is.

    Returns:
        How many rows.

    Raises:
        ChotsoError: Airflow refused; its last words are told.
    """
    how = ["--skip-archive", "--yes"] if apply else ["--dry-run"]
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "clean",
         "--clean-before-timestamp", before.isoformat(), *how],
        env=airflow.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ChotsoError(
            f"airflow db clean failed: {masked(said[-1]) if said else 'no words'}",
            kept="what the other rules found is done.",
            next_step="see that PostgreSQL runs (`chotso sandbox status`), then run this again.",
        )
    return sum(int(count) for count in _COUNT.findall(done.stdout))
