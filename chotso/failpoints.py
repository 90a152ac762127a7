"""Named places where a test may break things, to prove that a second run finishes the work."""

import os
import signal
from collections.abc import Callable


def _die(name: str) -> None:
    """Die by SIGKILL, as in a power cut, when `CHOTSO_FAILPOINT` names this place."""
    if os.environ.get("CHOTSO_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)


# A test's forked child may put something else here: kill the server, fill the disk, wait.
at: Callable[[str], None] = _die


def failpoint(name: str) -> None:
    """A named place has been reached."""
    at(name)
