"""Advisory locks: runs of the same work wait for each other, and report whom they wait for."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from chotso.errors import BusyError
from chotso.waits import LOCK_WAIT_SECONDS, Holder

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_QUIET_SECONDS = 3.0
# An advisory lock of this database that a session holds, by its key.
_HELD = """
    held.locktype = 'advisory' and held.granted and held.objsubid = 1
    and ((held.classid::bigint << 32) | held.objid::bigint) = %s
    and held.database = (
        select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()
    )
"""


@dataclass(frozen=True)
class Held:
    """Who holds a named lock now, and how old its session is: a run takes it early."""

    by: Holder
    age: timedelta


@contextmanager
def hold(
    conn: psycopg.Connection, name: str, wait_seconds: float = LOCK_WAIT_SECONDS
) -> Iterator[None]:
    """Hold a named lock on this session until the block or the session ends.

    Args:
        conn: The session that holds it; its current transaction is committed first.
        name: What is locked, e.g. `feed group registers`.
        wait_seconds: How long another holder is waited for.

    Raises:
        BusyError: Still held after `wait_seconds`; the holder is named.
    """
    key = _key(conn, name)
    started = time.monotonic()
    told = False
    while not _try(conn, key):
        waited = time.monotonic() - started
        if waited >= _QUIET_SECONDS and not told:
            told = True
            _LOG.warning(
                "waiting for the lock %r, held by %s; at most %.0f s",
                name,
                _holder(conn, key),
                wait_seconds,
            )
        if waited >= wait_seconds:
            raise BusyError(
                f"The lock {name!r} is still held by {_holder(conn, key)} "
                f"after {wait_seconds:.0f} s.",
                kept="nothing was changed.",
                next_step="wait for that run, or end it, and run this again.",
            )
        time.sleep(_POLL_SECONDS)
    try:
        conn.execute("select set_config('application_name', %s, false)", [f"chotso: {name}"[:63]])
        conn.commit()
        yield
    finally:
        if not conn.closed and not conn.broken:
            conn.rollback()
            conn.execute("select pg_advisory_unlock(%s)", [key])
            conn.commit()


def is_held(conn: psycopg.Connection, name: str) -> bool:
    """Whether any session holds the named lock now."""
    row = conn.execute(
        f"select exists (select from pg_catalog.pg_locks as held where {_HELD})",
        [_key(conn, name)],
    ).fetchone()
    assert row is not None
    return bool(row[0])


def held(conn: psycopg.Connection, name: str) -> Held | None:
    """Who holds the named lock; to be asked within a transaction, whose role is left as it was."""
    key = _key(conn, name)
    row = conn.execute("select current_setting('role')").fetchone()
    assert row is not None
    conn.execute("set local role none")  # the login itself may see since when its sessions run
    found = conn.execute(
        f"""
        select
            held.pid, holder.application_name, holder.login, since.at,
            clock_timestamp() - since.at
        from pg_catalog.pg_locks as held
        left join pg_catalog.pg_stat_activity as own on own.pid = held.pid
        left join lateral ops.session_of(held.pid) as holder on true
        cross join lateral (
            select coalesce(own.backend_start, holder.since, clock_timestamp()) as at
        ) as since
        where {_HELD}
        """,
        [key],
    ).fetchone()
    conn.execute("select set_config('role', %s, true)", [row[0]])
    return None if found is None else Held(Holder(*found[:4]), found[4])


def _key(conn: psycopg.Connection, name: str) -> int:
    row = conn.execute("select hashtextextended(%s, 0)", [f"chotso/{name}"]).fetchone()
    assert row is not None
    return int(row[0])


def _try(conn: psycopg.Connection, key: int) -> bool:
    row = conn.execute("select pg_try_advisory_lock(%s)", [key]).fetchone()
    conn.commit()
    assert row is not None
    return bool(row[0])


def _holder(conn: psycopg.Connection, key: int) -> str:
    with conn.transaction():
        # as the login itself: it may see since when its own sessions run
        conn.execute("set local role none")
        row = conn.execute(
            f"""
            select held.pid, session.application_name, session.usename::text,
                coalesce(session.xact_start, session.state_change)
            from pg_catalog.pg_locks as held
            inner join pg_catalog.pg_stat_activity as session on session.pid = held.pid
            where {_HELD}
            """,
            [key],
        ).fetchone()
    conn.commit()
    return "a session that has just ended" if row is None else str(Holder(*row))
