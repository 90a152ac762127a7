"""Decides which failed tasks are tried again: only those whose error may go away by itself.

A killed process raises no error, so this code does not decide on it. Airflow tries it again, up to
the task's `retries`. Every task can run twice.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

from chotso.errors import BusyError, ChotsoError

if TYPE_CHECKING:
    from airflow.sdk import Context

BUSY_DELAY = timedelta(minutes=2)
# Errors in the program or its input: a second try would fail in the same way.
_CERTAIN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    NotImplementedError,
    SyntaxError,
    TypeError,
    ValueError,
)
_LOCAL_FILES = (FileExistsError, FileNotFoundError, IsADirectoryError, PermissionError)


class TransientOnly(RetryPolicy):
    """Retry broken connections, busy locks and unknown errors; fail what a person must mend."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: "Context | None" = None,
    ) -> RetryDecision:
        """Decide by the exception and its causes."""
        causes = list(_causes(exception))
        if any(isinstance(cause, BusyError) for cause in causes):
            return RetryDecision.retry(BUSY_DELAY, reason="another run holds the lock")
        if any(_is_connection_trouble(cause) for cause in causes):
            return RetryDecision.retry(reason="the connection broke or the server was away")
        if any(isinstance(cause, ChotsoError) for cause in causes):
            return RetryDecision.fail("a person has to act; the message says how")
        if isinstance(exception, (*_CERTAIN, *_LOCAL_FILES)) or _is_database_error(exception):
            return RetryDecision.fail("the same call would fail the same way")
        return RetryDecision.default()


def _causes(exception: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = exception
    for _ in range(10):
        if current is None:
            return
        yield current
        current = current.__cause__ or current.__context__


def _is_connection_trouble(exception: BaseException) -> bool:
    import psycopg

    if isinstance(exception, psycopg.OperationalError):
        return True  # away, shut down, deadlock, serialisation, cancelled, too many connections
    return isinstance(exception, (ConnectionError, TimeoutError))


def _is_database_error(exception: BaseException) -> bool:
    import psycopg

    return isinstance(exception, psycopg.Error)
