"""The collection system through one consistent snapshot, as Arrow batches.

PostgreSQL is read by COPY; any other database that SQLAlchemy knows through its DB-API driver,
row by row. The second path is proven against SQLite; SQL Server and Oracle are untried.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from chotso.source.any_database import database_snapshot
from chotso.source.postgres import postgres_snapshot
from chotso.source.snapshot import Snapshot


@contextmanager
def open_snapshot(source_url: str) -> Iterator[Snapshot]:
    """Open one read-only snapshot; its `known_at` is the source's clock, or else its now().

    On a standby without such a clock, it is the instant up to which the standby has replayed.

    Raises:
        ChotsoError: The source does not answer.
    """
    opened = postgres_snapshot if source_url.startswith("postgresql://") else database_snapshot
    with opened(source_url) as snapshot:
        yield snapshot
