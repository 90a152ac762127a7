"""Airflow's failure callbacks: a task or run that was given up goes to the watch.

The watch counts it into the incident that explains it, or opens one, and tells people once
(`chotso.watch`). A process that knows no warehouse, or cannot look now, hands the failure over to
the next look of any other (`chotso.watch.handed`).
"""

import logging
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from chotso.calendar import parse_date
from chotso.errors import ChotsoError
from chotso.watch.fault import TaskFailure
from chotso.watch.handed import hand_over

FILE_NAME = "alerts.jsonl"

log = logging.getLogger(__name__)


def alert_task_failed(context: Mapping[str, Any]) -> None:
    """Airflow's `on_failure_callback` of every task, after its last try."""
    exception = context.get("exception")
    what, kept = "the task's process is gone", None
    next_step = "read the task's log, mend the cause, then clear the task."
    if isinstance(exception, BaseException):
        told = _in_words(exception)
        what = told.what
        if told is exception:
            kept, next_step = told.kept, told.next_step
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
    return _home() / FILE_NAME


def _home() -> Path:
    return Path(os.environ.get("CHOTSO_HOME", ".chotso")).expanduser().resolve()


def _in_words(error: BaseException) -> ChotsoError:
    """Ours as it is; that of a library or of Airflow without its text, which may quote a value."""
    from chotso.warehouse.refused import in_words  # imports psycopg, which no DAG file needs

    return in_words(error, "The task")


def _tell(context: Mapping[str, Any], *, what: str, kept: str | None, next_step: str) -> None:
    run, dag, task = context.get("dag_run"), context.get("dag"), context.get("ti")
    conf = getattr(run, "conf", None)  # of the trigger form, or whatever a person sent
    asked = conf.get("business_date") if isinstance(conf, Mapping) else None
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
    except Exception as error:  # whatever it is, nobody else would tell of the failure
        log.warning("handed over to the next look of a watch, because: %s", _in_words(error).what)
        _hand_over(failure)


def _date(asked: object) -> date | None:
    try:
        return parse_date(str(asked or ""))
    except ValueError:
        return None


def _hand_over(failure: TaskFailure) -> None:
    try:
        hand_over(_home(), failure)
    except OSError as error:
        log.error("nobody is told of it: %s cannot be written (%s)", _home(), error.strerror)
