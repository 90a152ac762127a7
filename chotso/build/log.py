"""The log of a build: dbt's messages for people, without its thousands of debug events.

dbt's own log file formats and scrubs every event before it checks its level.
"""

import logging
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
    from dbt_common.events.functions import env_scrubber

    path.parent.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(path, maxBytes=_LONGEST, backupCount=1, encoding="utf-8")

    def keep(event: Any) -> None:
        if event.info.level in _TOLD and event.info.msg:
            line = env_scrubber(
                f"{event.info.ts.ToJsonString()} [{event.info.level}] {event.info.msg}"
            )
            file.handle(logging.makeLogRecord({"msg": line}))

    try:
        yield keep
    finally:
        file.close()
