"""Owner, allowed tags, retries and the alert route of every DAG and task."""

from datetime import datetime, timedelta
from typing import Any

from chotso.calendar import LOCAL_ZONE
from chotso.orchestration.retries import TransientOnly
from chotso.watch.callbacks import alert_run_failed, alert_task_failed

OWNER = "phong-cntt"  # the department that is called when a night fails
TAGS = frozenset(
    {"extract", "build", "freeze", "nightly", "deadline", "reconcile", "verify", "watch"}
)
# Before the first business date. Airflow does not catch up by itself; a person starts a backfill.
START_DATE = datetime(2021, 1, 1, tzinfo=LOCAL_ZONE)

TASK_DEFAULTS: dict[str, Any] = {
    "owner": OWNER,
    # Two more tries are enough for a restart of the database or a killed process. With
    # `TransientOnly`, a failure that needs a person fails at the first try.
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": TransientOnly(),
    "on_failure_callback": alert_task_failed,
    "execution_timeout": timedelta(hours=2),
}

DAG_DEFAULTS: dict[str, Any] = {
    "start_date": START_DATE,
    "catchup": False,
    # Runs of one DAG wait for each other: known_at never goes back, and nights stay in order.
    "max_active_runs": 1,
    "default_args": TASK_DEFAULTS,
    # A task whose process was killed sends no alert itself; the run sends one.
    "on_failure_callback": alert_run_failed,
    "dagrun_timeout": timedelta(hours=8),
}
