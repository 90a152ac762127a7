"""Named places where a test can break things, to prove that a second run finishes the work."""

import os
import signal
from collections.abc import Callable


def _die(name: str) -> None:
    """Kill this process by SIGKILL, as in a power cut, if `CHOTSO_FAILPOINT` names this place."""
    if os.environ.get("CHOTSO_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)


# A test's child process may replace this: kill the server, fill the disk, wait.
at: Callable[[str], None] = _die


def failpoint(name: str) -> None:
    """Mark a named place in the code."""
    at(name)
