"""A child process that a test waits for, kills, breaks, or runs many of at once.

It is a fork of the test's process, so it has imported everything already: a new Python would import
for longer than most children work.
"""

import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable

from chotso import failpoints

_FORK = multiprocessing.get_context("fork")


class Child:
    """A running child process.

    Args:
        work: What it does; what it returns is printed.
        arguments: Of `work`.
        failpoint: The named place at which it is killed.
        at: What happens at every named place instead.
    """

    def __init__(
        self,
        work: Callable[..., object],
        *arguments: object,
        failpoint: str | None = None,
        at: Callable[[str], None] | None = None,
    ) -> None:
        self._told = [os.memfd_create(name) for name in ("out", "err")]
        self._process = _FORK.Process(target=self._run, args=(failpoint, at, work, arguments))
        self._process.start()

    @property
    def exitcode(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once, wherever it is."""
        self._process.kill()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it ends, or for so many seconds."""
        self._process.join(timeout)

    def ended(self, timeout: float) -> tuple[str, str]:
        """Wait for its end; returns what it printed, and its errors."""
        self.join(timeout)
        if self.exitcode is None:
            self.kill()
            raise AssertionError(f"the child did not end within {timeout} s")
        out, err = (os.pread(file, 1 << 24, 0).decode() for file in self._told)
        for file in self._told:
            os.close(file)
        return out, err

    def _run(
        self,
        failpoint: str | None,
        at: Callable[[str], None] | None,
        work: Callable[..., object],
        arguments: tuple[object, ...],
    ) -> None:
        for place, file in enumerate(self._told, start=1):
            os.dup2(file, place)
        os.environ.pop("CHOTSO_FAILPOINT", None)
        if failpoint:
            os.environ["CHOTSO_FAILPOINT"] = failpoint
        if at is not None:
            failpoints.at = at
        try:
            result = work(*arguments)
            if result is not None:
                os.write(1, f"{result}\n".encode())
        except Exception:
            os.write(2, traceback.format_exc().encode())
            sys.exit(1)
