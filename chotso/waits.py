"""Finds out which sessions block ours, in a second session, because a waiting one cannot.

Every session has a `lock_timeout`. After a few seconds, a thread with its own session checks
whether one of our sessions waits for a lock. It reports the holder, and remembers it for the error
if the wait ends in vain. In the warehouse, sessions that only read do not block us for long: the
owner's function `ops.end_holders` ends them.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from chotso.calendar import LOCAL_ZONE
from chotso.errors import BusyError

LOCK_WAIT_SECONDS = 600
# A statement ends within seconds after its client, even while it waits for a lock. No wait for a
# lock is endless.
LIVING_CLIENT = "client_connection_check_interval = '5s'"
LOCK_LIMIT = f"-c lock_timeout={LOCK_WAIT_SECONDS}s"
LIMITS = f"-c client_connection_check_interval=5s {LOCK_LIMIT}"

_LOG = logging.getLogger(__name__)
_FIRST_LOOK_S = 3.0
_BETWEEN_LOOKS_S = 2.0
_SAY_AGAIN_S = 60.0
_STILL_TRUE_S = 15.0
_AT_LAST_S = 2.0

# The waiting session is found by its pid, or by the name that all sessions of a build have.
_WAITING = """
where waiting.wait_event_type = 'Lock'
    and (waiting.pid = %(pid)s::int or waiting.application_name = %(name)s::text)
    and waiting.usename = session_user
order by 1
"""
_BLOCKED = f"""
select distinct blocker.pid, {{columns}}
from pg_catalog.pg_stat_activity as waiting
cross join lateral
    pg_catalog.unnest(pg_catalog.pg_blocking_pids(waiting.pid)) as blocker (pid)
{{joined}}
{_WAITING}"""
# Of other logins' sessions we see only the name, login and age, through a function of the owner.
IN_WAREHOUSE = _BLOCKED.format(
    columns="holder.application_name, holder.login, holder.since",
    joined="left join lateral ops.session_of(blocker.pid) as holder on true",
)
ANYWHERE = _BLOCKED.format(
    columns="holder.application_name, holder.usename::text, holder.xact_start",
    joined="left join pg_catalog.pg_stat_activity as holder on holder.pid = blocker.pid",
)
# Ends blocking sessions, if we may; the function decides which ones and when.
_ENDED = {
    IN_WAREHOUSE: f"""
select ended.pid, ended.application_name, ended.login, ended.since, ended.idle_since
from pg_catalog.pg_stat_activity as waiting
cross join lateral ops.end_holders(waiting.pid) as ended
{_WAITING}"""
}


@dataclass(frozen=True)
class Holder:
    """A session that holds a lock; facts that we may not see are None."""

    pid: int
    application_name: str | None
    login: str | None
    since: datetime | None
    idle_since: datetime | None = None

    def __str__(self) -> str:
        if not self.pid:
            return "a prepared transaction"
        since = f", since {_shown(self.since)}" if self.since else ""
        idle = f", idle since {_shown(self.idle_since)}" if self.idle_since else ""
        name = self.application_name or "a session without a name"
        return f"{name} (pid {self.pid}, login {self.login or 'unknown'}{since}{idle})"


def _shown(instant: datetime) -> str:
    return f"{instant.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S}"


class Watch:
    """Watches our sessions until it is stopped; `holders` has the last sessions that blocked us."""

    def __init__(self, connect: Callable[[], psycopg.Connection], query: str, where: str) -> None:
        self.pid: int | None = None
        self.name: str | None = None
        self._connect, self._query, self._where = connect, query, where
        self._holders: list[Holder] = []
        self._seen = self._said = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True, name="lock watch")

    @property
    def holders(self) -> str | None:
        """The sessions that block one of ours, or did until a moment ago."""
        if not self._holders or time.monotonic() - self._seen > _STILL_TRUE_S:
            return None
        return " and ".join(map(str, self._holders))

    def busy(self) -> BusyError:
        """The error for an operator after waiting for a lock in vain."""
        return BusyError(
            f"A lock {self._where} is still held by {self.holders or 'a session unknown to us'}; "
            "the wait for it has ended.",
            kept="all that was published; readers see what they saw.",
            next_step="wait for that session, or have its owner end it "
            "(`select pg_terminate_backend(pid)` there), then run the same command again.",
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and close the connection."""
        self._done.set()
        self._thread.join(_AT_LAST_S)

    def _look_on(self) -> None:
        if self._done.wait(_FIRST_LOOK_S):
            return  # most sessions have ended by now and need no second connection
        try:
            with self._connect() as conn:
                conn.autocommit = True
                while not self._done.is_set():
                    self._look(conn)
                    self._done.wait(_BETWEEN_LOOKS_S)
        except (psycopg.Error, OSError):
            _LOG.debug("locks are not watched any more", exc_info=True)

    def _look(self, conn: psycopg.Connection) -> None:
        rows = self._asked(conn, self._query)
        # sessions of one build block each other for moments; that is not reported
        found = [Holder(*row) for row in rows if self.name is None or row[1] != self.name]
        if not found:
            return
        now = time.monotonic()
        if found != self._holders or now - self._said > _SAY_AGAIN_S:
            self._said = now
            _LOG.warning(
                "waiting for a lock %s, held by %s; at most %d s",
                self._where,
                " and ".join(map(str, found)),
                LOCK_WAIT_SECONDS,
            )
        self._holders, self._seen = found, now
        if self._query in _ENDED:
            for row in self._asked(conn, _ENDED[self._query]):
                _LOG.warning(
                    "ended the session of a reader that we waited for %s: %s; it is recorded in "
                    "ops.ended_session",
                    self._where,
                    Holder(*row),
                )

    def _asked(self, conn: psycopg.Connection, query: str) -> list[Any]:
        return conn.execute(query.encode(), {"pid": self.pid, "name": self.name}).fetchall()


@contextmanager
def watched(
    connect: Callable[[], psycopg.Connection],
    *,
    pid: int | None = None,
    name: str | None = None,
    query: str = IN_WAREHOUSE,
    where: str = "in the warehouse",
) -> Iterator[Watch]:
    """Report which sessions block a session, or all sessions of a name, during the block.

    Args:
        connect: Opens a connection with the same login; used only if the block takes long.
        pid: The session's server process.
        name: The `application_name` of our sessions.
        query: `IN_WAREHOUSE`, or `ANYWHERE` for other databases, where we see less.
        where: The place, for the message.
    """
    watch = Watch(connect, query, where)
    watch.pid, watch.name = pid, name
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
