"""Failures that a process without the warehouse hands to the watch: files of `<home>/watch/failed`.

Airflow's DAG processor calls the callbacks of whole runs. It needs no login and no route for that:
whoever looks next takes the failure, judges it, and tells people.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter

from chotso.folder import write_private
from chotso.watch.fault import TaskFailure

_FILE = TypeAdapter(TaskFailure)
_LOG = logging.getLogger(__name__)


def hand_over(home: Path, failure: TaskFailure) -> None:
    """Keep a failure until the next look of any watch of this home.

    Raises:
        OSError: The file cannot be written.
    """
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / f"{uuid4().hex}.json", _FILE.dump_json(failure).decode() + "\n")


def handed_over(home: Path) -> Iterator[TaskFailure]:
    """Each failure that was handed over; it is forgotten when the next one is asked for.

    A look that ends in an error leaves its failure, so that one may be counted twice.
    """
    for path in sorted(_folder(home).glob("*.json")):
        try:
            failure = _FILE.validate_json(path.read_bytes())
        except OSError as error:  # another watch took it, or it belongs to another user
            _LOG.warning("%s cannot be read: %s", path, error.strerror)
            continue
        except ValueError:
            _LOG.error("%s is no failure of a task; it is left out", path)
        else:
            yield failure
        path.unlink(missing_ok=True)


def _folder(home: Path) -> Path:
    return home / "watch" / "failed"
