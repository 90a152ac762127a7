"""Which batches a build for readers counts. In the ledger, each batch names the first such build.

`known_at` cannot answer that: a source's clock can stand still, and a group that was read early can
be published late.
"""

import psycopg

NIGHTLY_SCHEMA = "marts_build"


def count_in(conn: psycopg.Connection, build_id: int) -> None:
    """Mark the published batches that no build for readers has counted before; does not commit.

    Call it before the build reads anything. Batches that are published later belong to the next
    one.
    """
    conn.execute(
        """
        update ops.batch as batch
        set first_build_id = build.build_id
        from ops.build as build
        where
            build.build_id = %s and build.target_schema = %s
            and batch.status = 'published' and batch.first_build_id is null
            and batch.known_at <= build.as_known_at
        """,
        [build_id, NIGHTLY_SCHEMA],
    )
