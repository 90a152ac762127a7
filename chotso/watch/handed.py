"""Failures that a process without the warehouse hands to the watch: files of `<home>/watch/failed`.

Airflow's DAG processor calls the callbacks of whole runs. It needs no login and no route for that:
whoever looks next takes the failure, judges it, and tells people.
"""

import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter

from chotso.folder import write_private
from chotso.watch.fault import TaskFailure

_LARGEST_BYTES = 100_000
_FILE = TypeAdapter(TaskFailure)
_LOG = logging.getLogger(__name__)
# Files that this process is done with and that its disk does not let it take away.
_DONE: set[Path] = set()


@dataclass(frozen=True)
class Handed:
    """A failure that was handed over, and its file."""

    failure: TaskFailure
    path: Path

    def forget(self) -> None:
        """Take the file away: the failure was written down."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            _LOG.warning("%s cannot be taken away: %s", self.path, error.strerror)
            _DONE.add(self.path)

    def set_aside(self) -> None:
        """Keep the file for a person; no look reads it again."""
        _set_aside(self.path)


def hand_over(home: Path, failure: TaskFailure) -> None:
    """Keep a failure until the next look of any watch of this home, with the time that it is now.

    Raises:
        OSError: The file cannot be written.
    """
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    timed = replace(failure, failed_at=failure.failed_at or datetime.now(UTC))
    write_private(folder / f"{uuid4().hex}.json", _FILE.dump_json(timed).decode() + "\n")


def handed_over(home: Path) -> Iterator[Handed]:
    """Each failure that was handed over; what is no failure is set aside."""
    for path in sorted(_folder(home).glob("*.json")):
        if path in _DONE:
            continue
        try:
            failure = _FILE.validate_json(_read(path))
        except OSError as error:  # another watch took it, or it belongs to another user
            _LOG.warning("%s cannot be read: %s", path, error.strerror)
        except ValueError:
            _LOG.error("%s is no failure of a task; it is left out", path)
            _set_aside(path)
        else:
            yield Handed(failure, path)


def _read(path: Path) -> bytes:
    """The file; nothing that could block or fill the memory is read."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("no regular file")
        text = os.read(descriptor, _LARGEST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(text) > _LARGEST_BYTES:
        raise ValueError("too large")
    return text


def _set_aside(path: Path) -> None:
    try:
        path.rename(path.with_suffix(".bad"))
    except OSError as error:
        _LOG.warning("%s cannot be renamed: %s", path, error.strerror)
        _DONE.add(path)


def _folder(home: Path) -> Path:
    return home / "watch" / "failed"
