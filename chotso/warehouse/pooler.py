"""Detects a connection pooler between us and the warehouse, and refuses it.

Roles, locks, temporary tables and settings belong to a session. PgBouncer in transaction or
statement mode gives each transaction any free session. Locks then stay in other sessions, and a
statement may run under another role. In session mode it does not pass our settings to the server.
"""

from collections.abc import Callable

import psycopg

from chotso.errors import ChotsoError

Connect = Callable[[], psycopg.Connection]

_ROUNDS = 3
# Messages of a pooler that refuses settings or transactions of a client.
_NO_OPTIONS = "unsupported startup parameter"
_NO_TRANSACTIONS = "transaction blocks not allowed"
_SHARED = "it is in transaction mode and gave two of our connections one session of the server"
_PER_STATEMENT = "it is in statement mode and allows no transactions"
_UNSET = "what we set for a session (`options`) does not reach the server through it"


def refusal_at_the_door(error: psycopg.Error, connect: Connect) -> ChotsoError | None:
    """The error if a pooler refused the connection; None for any other error.

    Args:
        error: What connecting ended in.
        connect: Connects without settings, which shows the pooler's mode.
    """
    if _NO_OPTIONS not in str(error):
        return None
    try:
        with connect() as connection:
            return _refusal(_shares_sessions(connection, connect) or _UNSET)
    except psycopg.Error:
        return _refusal(_UNSET)


def refuse(connection: psycopg.Connection, connect: Connect) -> None:
    """Refuse a pooler that shares sessions or does not pass our settings to the server.

    A server's cancellation key has the session's process id; a pooler gives out keys of its own.
    Only if they differ is a second connection made.

    Args:
        connection: The session; its transaction is ended.
        connect: Opens another like it.

    Raises:
        ChotsoError: There is such a pooler; its mode is named.
    """
    try:
        row = connection.execute(
            "select pg_catalog.pg_backend_pid(), pg_catalog.current_setting('lock_timeout')"
        ).fetchone()
        connection.commit()
    except psycopg.DatabaseError as error:
        if _NO_TRANSACTIONS in str(error):
            raise _refusal(_PER_STATEMENT) from error
        raise
    assert row is not None
    pid, lock_timeout = row
    reason = _UNSET if lock_timeout == "0" else None
    if pid != connection.info.backend_pid:
        reason = _shares_sessions(connection, connect) or reason
    if reason:
        raise _refusal(reason)


def _shares_sessions(connection: psycopg.Connection, connect: Connect) -> str | None:
    """Whether another client gets the session while `connection` is between transactions."""
    try:
        with connect() as other:
            for _ in range(_ROUNDS):
                before = _pid(connection)
                connection.commit()
                # it keeps its session until its transaction ends
                if _pid(other) == before or _pid(connection) != before:
                    return _SHARED
                connection.commit()
                other.rollback()
    except psycopg.Error as error:  # there is no second session, so sharing is not shown
        return _PER_STATEMENT if _NO_TRANSACTIONS in str(error) else None
    return None


def _pid(connection: psycopg.Connection) -> int:
    row = connection.execute("select pg_catalog.pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def _refusal(why: str) -> ChotsoError:
    return ChotsoError(
        f"A connection pooler such as PgBouncer stands before the warehouse: {why}.",
        kept="nothing was read or written.",
        next_step="name PostgreSQL itself, its own host and port, in CHOTSO_WAREHOUSE_URL: roles, "
        "locks, temporary tables and settings belong to a session of one's own.",
    )
