"""Keeps what a database's error quotes out of the tasks' logs, which Airflow keeps for long."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def quoting_nothing(step: Callable[P, R]) -> Callable[P, R]:
    """A task's function whose database errors are told in words, without the values they quote.

    Whether to try again is still decided by the first error (`chotso.orchestration.retries`).
    """

    @functools.wraps(step)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        import psycopg  # not when a DAG file is read

        from chotso.warehouse.refused import refused

        try:
            return step(*args, **kwargs)
        except psycopg.Error as error:
            raise refused(error) from None

    return told
