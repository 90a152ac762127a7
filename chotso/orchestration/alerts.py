"""Sends alerts: to `$CHOTSO_HOME/alerts.jsonl`, to the log, and to a webhook if one is set.

Each line is one JSON object: `at`, `kind` (`task_failed` or `run_failed`), `dag_id`, `run_id`,
`business_date`, `task_id`, `map_index`, `try_number`, `what`, `next_step`, `log_url`.
`CHOTSO_ALERT_WEBHOOK` receives the same object by POST. If the webhook is down, the failure is
still written to the file and the log.
"""

import json
import logging
import os
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chotso.errors import ChotsoError

FILE_NAME = "alerts.jsonl"
WEBHOOK_VARIABLE = "CHOTSO_ALERT_WEBHOOK"
WEBHOOK_TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


def alert_task_failed(context: Mapping[str, Any]) -> None:
    """Airflow's `on_failure_callback` of every task, after its last try."""
    task = context.get("ti")
    exception = context.get("exception")
    next_step = "read the task's log; mend the cause, then clear the task."
    if isinstance(exception, ChotsoError):
        next_step = exception.next_step
    emit(
        {
            **_run(context),
            "kind": "task_failed",
            "task_id": getattr(task, "task_id", None),
            "map_index": getattr(task, "map_index", None),
            "try_number": getattr(task, "try_number", None),
            "what": str(exception) if exception else "the task's process ended without a word",
            "next_step": next_step,
            "log_url": getattr(task, "log_url", None),
        }
    )


def alert_run_failed(context: Mapping[str, Any]) -> None:
    """Airflow's `on_failure_callback` of every DAG; it also runs if a task was killed."""
    emit(
        {
            **_run(context),
            "kind": "run_failed",
            "task_id": getattr(context.get("ti"), "task_id", None),
            "what": str(context.get("reason") or "the run failed"),
            "next_step": "open the run in Airflow, read the failed task's log, then clear it.",
        }
    )


def emit(alert: Mapping[str, Any]) -> None:
    """Send one alert everywhere; an error in one place does not stop the others."""
    complete = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **alert}
    line = json.dumps(complete, ensure_ascii=False, default=str)
    log.error("ALERT %s", line)
    try:
        _append(alert_file(), line + "\n")
    except OSError:
        log.exception("the alert could not be written to %s", alert_file())
    webhook = os.environ.get(WEBHOOK_VARIABLE)
    if webhook:
        try:
            _post(webhook, line)
        except (OSError, ValueError):
            log.exception("the alert could not be sent to the webhook")


def alert_file() -> Path:
    """The file of alerts of this home, one JSON object per line."""
    return Path(os.environ.get("CHOTSO_HOME", ".chotso")).expanduser().resolve() / FILE_NAME


def _run(context: Mapping[str, Any]) -> dict[str, Any]:
    run = context.get("dag_run")
    dag = context.get("dag")
    return {
        "dag_id": getattr(run, "dag_id", None) or getattr(dag, "dag_id", None),
        "run_id": getattr(run, "run_id", None) or context.get("run_id"),
        "business_date": getattr(run, "partition_key", None),
    }


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # One write in append mode, so that lines of several processes do not mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(descriptor, text.encode("utf-8"))
    finally:
        os.close(descriptor)


def _post(url: str, line: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{WEBHOOK_VARIABLE} is no http(s) URL")
    request = urllib.request.Request(
        url, data=line.encode("utf-8"), headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S) as response:
        response.read()
