"""What an operator is told when something is refused or fails."""

from chotso.masking import masked


class ChotsoError(Exception):
    """A refusal or failure that says what happened, what was kept, and what to do next.

    Args:
        what: What happened, and to which batch, file, feed or period.
        kept: What stands untouched; omitted where nothing was at stake.
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
        return (_rebuild, (self.what, self.kept, self.next_step))


class BusyError(ChotsoError):
    """Another run holds the lock, and still held it when the wait ended."""


def _rebuild(what: str, kept: str | None, next_step: str) -> ChotsoError:
    return ChotsoError(what, kept=kept, next_step=next_step)
