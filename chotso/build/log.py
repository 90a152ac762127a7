"""The log of a build: dbt's messages for people, without its thousands of debug events.

dbt's own log file formats and scrubs every event before it checks its level.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

_TOLD = {"info", "warn", "error"}
_LONGEST = 10 << 20


@contextmanager
def kept_in(path: Path) -> Iterator[Callable[[Any], None]]:
    """A callback for dbt that appends events to a file, without secrets, during the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(path, maxBytes=_LONGEST, backupCount=1, encoding="utf-8")

    def keep(event: Any) -> None:
        told = event.info
        if told.level in _TOLD and told.msg:
            line = _scrubbed(f"{told.ts.ToJsonString()} [{told.level}] {told.msg}")
            file.handle(logging.makeLogRecord({"msg": line}))

    try:
        yield keep
    finally:
        file.close()


def _scrubbed(line: str) -> str:
    for name, value in os.environ.items():
        if name.startswith("DBT_ENV_SECRET_") and value.strip():
            line = line.replace(value, "*****")
    return line
