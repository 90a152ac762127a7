"""What a build knows: an instant, and the business date that the ledger had reached by then."""

from dataclasses import dataclass
from datetime import date, datetime

import psycopg

from chotso.calendar import local_instant
from chotso.errors import ChotsoError
from chotso.ingest.ledger import ONLY_REFRESHED


@dataclass(frozen=True)
class Knowledge:
    """What a build knows.

    Attributes:
        as_known_at: The instant.
        business_date: The newest date that had been published by then.
        is_refresh: Only refreshes or a freeze had read that date; its night follows.
    """

    as_known_at: datetime
    business_date: date
    is_refresh: bool


def knowledge_at(conn: psycopg.Connection, as_known_at: datetime | None) -> Knowledge:
    """What a build knows as of an instant; by default, as of the newest one.

    Raises:
        ChotsoError: Nothing was published yet, or the instant is outside what is known.
    """
    row = conn.execute(
        """
        select
            min(known_at),
            greatest(max(known_at), (select max(act.known_at) from ops.operator_act as act))
        from ops.batch
        where status = 'published'
        """
    ).fetchone()
    assert row is not None
    first, newest = row
    if first is None:
        raise ChotsoError(
            "Nothing has been published yet: there is nothing to build from.",
            kept="nothing was built.",
            next_step="run `chotso nightly --date D`, or `chotso extract FEED --date D`.",
        )
    instant = as_known_at or newest
    if not first <= instant <= newest:
        raise ChotsoError(
            f"{local_instant(instant)} is outside what the warehouse knows: "
            f"{local_instant(first)} to {local_instant(newest)}.",
            kept="nothing was built.",
            next_step="give an instant between those two.",
        )
    row = conn.execute(
        f"""
        select business_date, {ONLY_REFRESHED}
        from ops.batch
        where status = 'published' and known_at <= %s
        group by business_date
        order by business_date desc
        limit 1
        """,
        [instant],
    ).fetchone()
    assert row is not None
    conn.commit()
    return Knowledge(instant, *row)
