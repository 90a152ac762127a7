"""Writes a build's rows of `ops.build_node` every second, in a session of its own.

They show which nodes are running if a build hangs, and what was done if it fails.
"""

import time
from queue import Empty, SimpleQueue

import psycopg

from chotso.build.nodes import Node, NodeWatcher
from chotso.settings import Settings
from chotso.warehouse.connect import LOADER_ROLE, SESSION, login_session

KEPT_DAYS = 400
# The build does not wait for these rows: if they cannot be written soon, they are left out.
_BRIEFLY = f"{SESSION} -c lock_timeout=5s -c statement_timeout=10s"
# Instants are taken from the server's clock, as everywhere in the ledger.
_WRITE = """
insert into ops.build_node
    (build_id, node, kind, model, status, started_at, ended_at, seconds, rows, message)
values (
    %s, %s, %s, %s, %s,
    clock_timestamp() - %s * interval '1 second',
    clock_timestamp() - %s * interval '1 second',
    %s, %s, %s
)
on conflict (build_id, node) do update
set
    status = excluded.status, seconds = excluded.seconds, rows = excluded.rows,
    message = excluded.message,
    -- a start that was written late must not come after its end
    ended_at = build_node.started_at + excluded.seconds * interval '1 second'
"""
_STATUSES = ("running", "success", "pass", "warn", "fail", "error", "skipped")


class NodeLedger(NodeWatcher):
    """Writes nodes as they start and end; at the end it drops the rows of old builds."""

    def __init__(self, settings: Settings, build_id: int) -> None:
        self._settings, self._build_id = settings, build_id
        self._new: SimpleQueue[Node] = SimpleQueue()
        self._session: psycopg.Connection | None = None

    def started(self, node: Node) -> None:
        """Keep it for the next tick."""
        self._new.put(node)

    def ended(self, node: Node) -> None:
        """Keep it for the next tick."""
        self._new.put(node)

    def tick(self) -> None:
        """Write what is new."""
        found: dict[str, Node] = {}
        while True:
            try:
                node = self._new.get_nowait()
            except Empty:
                break
            found[node.name] = node
        if found:
            with self._opened().cursor() as cursor:
                cursor.executemany(_WRITE, [self._row(node) for node in found.values()])

    def close(self) -> None:
        """Write the rest, mark what never ended, and drop the rows of builds that are too old."""
        self.tick()
        if self._session is None:
            return
        with self._session as session:
            session.execute(
                "update ops.build_node set status = 'killed' "
                "where build_id = %s and status = 'running'",
                [self._build_id],
            )
            session.execute(
                "delete from ops.build_node where build_id in (select build_id from ops.build "
                "where started_at < clock_timestamp() - %s * interval '1 day')",
                [KEPT_DAYS],
            )

    def _opened(self) -> psycopg.Connection:
        if self._session is None:
            self._session = login_session(self._settings, _BRIEFLY)
            self._session.autocommit = True
            self._session.execute(f"set role {LOADER_ROLE}")
        return self._session

    def _row(self, node: Node) -> list[object]:
        now = time.monotonic()
        ended = node.ended
        return [
            self._build_id,
            node.name,
            node.kind,
            node.model,
            node.status if node.status in _STATUSES else "error",
            now - node.began,
            None if ended is None else now - ended,
            None if ended is None else ended - node.began,
            node.rows,
            node.message,
        ]


def mark_killed(conn: psycopg.Connection, schema: str) -> None:
    """Mark nodes that still seem to run although their build of this schema ended; no commit."""
    conn.execute(
        """
        update ops.build_node as node
        set status = 'killed'
        from ops.build as build
        where
            build.build_id = node.build_id and build.target_schema = %s
            and build.status <> 'running' and node.status = 'running'
        """,
        [schema],
    )
