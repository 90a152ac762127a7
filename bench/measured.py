"""The result of a measured process as one line of JSON; imports do not count as work."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path


def measured(work: Callable[[], object]) -> None:
    """Run `work` and print what it returns, its seconds, and the process's peak MiB.

    A way of ingesting returns the table that it filled; one of validating, rows per broken rule.
    """
    started = time.perf_counter()
    result = work()
    work_s = time.perf_counter() - started
    print(json.dumps({"result": result, "work_s": work_s, "peak_mib": _peak_mib()}))


def _peak_mib() -> float:
    """Of this program alone: `getrusage` would count what its starter had when it forked."""
    (line,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.M)
    return int(line) / 1024
