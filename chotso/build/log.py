"""The log of a build: what dbt tells a person, and none of its thousands of events for debugging.

dbt's own log file makes a line of every event, scrubs it, and then looks at its level.
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
    """A callback of dbt's that appends events to a file, without secrets, while the block runs."""
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
