"""Named places where a test may kill the process, to prove that a second run finishes the work."""

import os
import signal


def failpoint(name: str) -> None:
    """Die by SIGKILL, as in a power cut, when `CHOTSO_FAILPOINT` names this place."""
    if os.environ.get("CHOTSO_FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
