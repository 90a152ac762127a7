"""The result of a measured process as one line of JSON; imports do not count as work."""

import json
import resource
import time
from collections.abc import Callable


def measured(work: Callable[[], int]) -> None:
    """Run `work`, which returns its number of rows, and print rows, seconds and peak MiB."""
    started = time.perf_counter()
    rows = work()
    work_s = time.perf_counter() - started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "work_s": work_s, "peak_mib": peak_mib}))
