"""The source's clock, which dates everything that people see and do in quarantine."""

from datetime import datetime

import psycopg

from chotso.calendar import local_instant
from chotso.contracts import Contract
from chotso.errors import ChotsoError
from chotso.ingest import ledger
from chotso.settings import Settings
from chotso.source.database import open_snapshot


def source_clock(settings: Settings) -> datetime:
    """What the source's clock shows now.

    Raises:
        ChotsoError: The source does not answer.
    """
    with open_snapshot(settings.source_url) as snapshot:
        return snapshot.known_at


def newest_reading(settings: Settings, conn: psycopg.Connection) -> datetime:
    """The source's clock; if the source is away, its clock at the newest extract.

    Raises:
        ChotsoError: The source does not answer and nothing was ever extracted.
    """
    try:
        return source_clock(settings)
    except ChotsoError:
        row = conn.execute("select max(known_at) from ops.batch").fetchone()
        if row is None or row[0] is None:
            raise
        instant: datetime = row[0]
        return instant


def refuse_if_back(conn: psycopg.Connection, contract: Contract, clock: datetime) -> None:
    """Refuse to act if the source's clock is before what the group is already known at.

    Raises:
        ChotsoError: The source's clock went back.
    """
    newest = ledger.newest_known_at(conn, contract.group)
    if newest is not None and clock < newest:
        raise ChotsoError(
            f"The source's clock went back: it shows {local_instant(clock)}, and the group "
            f"{contract.group} is already known at {local_instant(newest)}.",
            kept="nothing was changed.",
            next_step="have the source's clock set right, then run the same command again.",
        )
