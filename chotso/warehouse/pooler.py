"""A connection pooler between us and the warehouse: recognised, and refused with the reason.

Roles, locks, temporary tables and settings are the session's. PgBouncer in transaction or
statement mode gives every transaction any free session: locks then stay with strangers, and a
statement may run under another role. In session mode it keeps the settings from the server.
"""

from collections.abc import Callable

import psycopg

from chotso.errors import ChotsoError

Connect = Callable[[], psycopg.Connection]

_ROUNDS = 3
# What a pooler says where it takes no settings, or no transactions, from a client.
_NO_OPTIONS = "unsupported startup parameter"
_NO_TRANSACTIONS = "transaction blocks not allowed"
_SHARED = "it is in transaction mode and gave two of our connections one session of the server"
_PER_STATEMENT = "it is in statement mode and allows no transactions"
_UNSET = "what we set for a session (`options`) does not reach the server through it"


def refusal_at_the_door(error: psycopg.Error, connect: Connect) -> ChotsoError | None:
    """The refusal for a connection that a pooler itself turned away; None for any other.

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
    """Refuse a pooler that shares sessions or keeps our settings from the server.

    The key that a server gives a client carries the session's process id, and a pooler hands out
    keys of its own: only then is a second connection made.

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
    """Whether a session that `connection` leaves idle between transactions is given away."""
    try:
        with connect() as other:
            for _ in range(_ROUNDS):
                before = _pid(connection)
                connection.commit()
                # keeps its session until the end of its transaction
                if _pid(other) == before or _pid(connection) != before:
                    return _SHARED
                connection.commit()
                other.rollback()
    except psycopg.Error as error:  # no second session is to be had: not shown to be shared
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
