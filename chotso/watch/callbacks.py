"""Airflow's failure callbacks: a task or run that was given up goes to the watch.

The watch counts it into the incident that explains it, or opens one, and tells people once
(`chotso.watch`). If that fails, too, the failure is in the log and in `$CHOTSO_HOME/alerts.jsonl`.
"""

import json
import logging
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from chotso.calendar import LOCAL_ZONE, parse_date
from chotso.errors import ChotsoError
from chotso.watch.fault import TaskFailure

FILE_NAME = "alerts.jsonl"

log = logging.getLogger(__name__)


def alert_task_failed(context: Mapping[str, Any]) -> None:
    """Airflow's `on_failure_callback` of every task, after its last try."""
    exception = context.get("exception")
    if isinstance(exception, ChotsoError):
        what, kept, next_step = exception.what, exception.kept, exception.next_step
    else:
        what, kept = str(exception or "the task's process is gone"), None
        next_step = "read the task's log, mend the cause, then clear the task."
    _tell(context, what=what, kept=kept, next_step=next_step)


def alert_run_failed(context: Mapping[str, Any]) -> None:
    """Airflow's `on_failure_callback` of every DAG; it also runs if a task was killed."""
    _tell(
        context,
        what=f"The run failed: {context.get('reason') or 'no reason is known'}",
        kept=None,
        next_step="open the run in Airflow, read the failed task's log, then clear it.",
    )


def alert_file() -> Path:
    """The file of alerts of this home, one JSON object per line."""
    return Path(os.environ.get("CHOTSO_HOME", ".chotso")).expanduser().resolve() / FILE_NAME


def _tell(context: Mapping[str, Any], *, what: str, kept: str | None, next_step: str) -> None:
    run, dag, task = context.get("dag_run"), context.get("dag"), context.get("ti")
    asked = (getattr(run, "conf", None) or {}).get("business_date")  # of the trigger form
    failure = TaskFailure(
        dag_id=str(getattr(run, "dag_id", None) or getattr(dag, "dag_id", None)),
        task_id=getattr(task, "task_id", None),
        business_date=_date(getattr(run, "partition_key", None) or asked),
        what=what,
        kept=kept,
        next_step=next_step,
        log_url=getattr(task, "log_url", None),
    )
    log.error("%s / %s: %s", failure.dag_id, failure.task_id, what)
    try:
        from chotso.settings import load_settings
        from chotso.watch.rounds import look_once

        look_once(load_settings(), failure)
    except Exception:  # whatever it is, nobody else would tell of the failure
        log.exception("the watch could not take the failure")
        _append(failure)


def _date(partition_key: str | None) -> date | None:
    try:
        return parse_date(partition_key or "")
    except ValueError:
        return None


def _append(failure: TaskFailure) -> None:
    """Write it to the file of alerts ourselves."""
    fault = failure.as_fault(datetime.now(LOCAL_ZONE).date())
    told = {
        "at": datetime.now(LOCAL_ZONE).isoformat(timespec="seconds"),
        "event": "opened",
        "kind": fault.kind,
        "subject": fault.subject,
        "severity": fault.severity,
        "business_date": fault.business_date.isoformat(),
        "what": fault.what,
        "kept": fault.kept,
        "next_step": fault.next_step,
        "dag_id": fault.dag_id,
        "task_id": fault.task_id,
        "log_url": fault.log_url,
    }
    path = alert_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(told, ensure_ascii=False) + "\n")
    except OSError:
        log.exception("the alert could not be written to %s", path)
