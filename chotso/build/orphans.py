"""Ends sessions that still work after their build's process ended, found by the build's id.

The server itself ends a query within seconds after its client is gone
(`client_connection_check_interval`). The next build of the schema waits neither for that nor for a
client that lost its network.
"""

import logging

import psycopg

_LOG = logging.getLogger(__name__)
_GONE_WITHIN_MS = 10_000


def session_name(build_id: int, schema: str) -> str:
    """The name of the sessions of one build's dbt."""
    return f"chotso build {build_id} {schema}"[:63]


def end(conn: psycopg.Connection, schema: str) -> None:
    """End the sessions that earlier builds of this schema left; commits.

    Only one build at a time holds the schema's lock. Processes of other builds are gone or have
    lost the lock, and must not write any more. Sessions of one login may end each other.
    """
    conn.commit()
    with conn.transaction():
        conn.execute("set local role none")
        ended = conn.execute(
            """
            with ours as (
                select pid, pg_catalog.split_part(application_name, ' ', 3) as build_id
                from pg_catalog.pg_stat_activity
                where datname = pg_catalog.current_database() and usename = session_user
                    and application_name ~ '^chotso build [0-9]{1,18} '
                    and pid <> pg_catalog.pg_backend_pid()
            )

            select ours.pid, ours.build_id, pg_catalog.pg_terminate_backend(ours.pid, %s)
            from ours
            inner join ops.build as build on build.build_id::text = ours.build_id
            where build.target_schema = %s
            order by ours.pid
            """,
            [_GONE_WITHIN_MS, schema],
        ).fetchall()
    for pid, build_id, _ in ended:
        _LOG.warning("ended session %s of build %s, whose process is gone", pid, build_id)
