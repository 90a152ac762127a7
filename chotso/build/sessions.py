"""Makes each of dbt's threads keep its session until the run ends.

dbt-postgres opens a session for each model and test: 200 in a build. Each new session reads the
server's catalog, which was half of the server's work in a small build. dbt-snowflake has an option
for this (`reuse_connections`); dbt-postgres has none. The role is set when the session begins
(`PGOPTIONS`), so a rollback does not reset it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def kept_between_nodes() -> Iterator[None]:
    """In the block, a thread of dbt keeps its session; dbt closes it at the end."""
    from dbt.adapters.postgres.connections import PostgresConnectionManager

    before = PostgresConnectionManager.release
    PostgresConnectionManager.release = _release  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        PostgresConnectionManager.release = before  # type: ignore[method-assign]


def _release(manager: Any) -> None:
    """Roll back the transaction that a node left open; close the session if that fails."""
    connection = manager.get_if_exists()
    if connection is None or connection.state != "open":
        return
    try:
        connection.handle.rollback()
    except Exception:  # any driver's error: the session cannot be used again
        manager.close(connection)
    else:
        connection.transaction_open = False
