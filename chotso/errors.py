"""Errors that an operator is meant to read."""

import traceback

from chotso.masking import masked


class ChotsoError(Exception):
    """A refusal or failure that says what happened, what was kept, and what to do next.

    Args:
        what: What happened, and to which batch, file, feed or period.
        kept: What was not changed; omitted if nothing was at risk.
        next_step: The operator's next action, as a sentence or a command.
    """

    def __init__(self, what: str, *, kept: str | None = None, next_step: str) -> None:
        self.what = masked(what)
        self.kept = masked(kept) if kept else kept
        self.next_step = masked(next_step)
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.what]
        if self.kept:
            parts.append(f"Kept: {self.kept}")
        parts.append(f"Next: {self.next_step}")
        return "\n".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        # Airflow carries exceptions between processes; keyword arguments do not pickle by default.
        return (_rebuild, (type(self), self.what, self.kept, self.next_step), self.__dict__)


class BusyError(ChotsoError):
    """Another run holds the lock and still held it at the end of the wait."""


def frames_of(error: BaseException) -> str:
    """Where an error was raised, for a log: without its text, which may quote a value."""
    return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__


def unexpected(error: BaseException, during: str) -> ChotsoError:
    """An unforeseen error, without its text, which may quote a value.

    Args:
        error: What was raised.
        during: What was being done, as a noun: `the extract of c12`.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return ChotsoError(
        f"{during} ended with an error that was not foreseen: {type(error).__name__}{place}.",
        kept="all that was published; what was in work is finished or begun anew.",
        next_step="run the same command again; if it ends the same way, report this line.",
    )


def _rebuild(kind: type[ChotsoError], what: str, kept: str | None, next_step: str) -> ChotsoError:
    error = kind.__new__(kind)
    ChotsoError.__init__(error, what, kept=kept, next_step=next_step)
    return error
