"""Has each of dbt's threads keep its session until the run ends.

dbt-postgres opens a session for each model and test, 200 in a build. A new session reads the
server's catalog anew, which was half of the server's work in a small build. dbt-snowflake offers
the same as `reuse_connections`; dbt-postgres has no such option. The role is set when the session
begins (`PGOPTIONS`), so that a rollback does not take it back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def kept_between_nodes() -> Iterator[None]:
    """During the block, a thread of dbt's goes on with its session; dbt closes it at the end."""
    from dbt.adapters.postgres.connections import PostgresConnectionManager

    before = PostgresConnectionManager.release
    PostgresConnectionManager.release = _release  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        PostgresConnectionManager.release = before  # type: ignore[method-assign]


def _release(manager: Any) -> None:
    """Roll back what a node left open, read or written; a session that cannot is closed."""
    connection = manager.get_if_exists()
    if connection is None or connection.state != "open":
        return
    try:
        connection.handle.rollback()
    except Exception:  # of whatever driver: the session is of no more use
        manager.close(connection)
    else:
        connection.transaction_open = False
