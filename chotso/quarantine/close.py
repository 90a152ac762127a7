"""Closes register rows that the source no longer shows, because a person says they have ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from chotso import acts
from chotso.contracts import Contract, contract_of
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.ingest import missing
from chotso.quarantine.clock import refuse_if_back, source_clock
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from chotso.warehouse.row_sql import joined

KIND = "close_missing"


@dataclass(frozen=True)
class CloseReport:
    """The closed rows, with the rows that refer to them, and the recorded act."""

    feed: str
    rows: list[missing.MissingRow]
    act: acts.Act


def close_missing(
    settings: Settings, feed: str, keys: Sequence[str], *, reason: str, by: str
) -> CloseReport:
    """Close missing rows from the source's clock on; a row that comes back is in force again.

    The act is landed, and recorded in the transaction that closes the rows.

    Args:
        settings: Where everything is.
        feed: The register.
        keys: Keys as `chotso missing list` shows them.
        reason: Why, in words.
        by: Who says so.

    Raises:
        ChotsoError: Reason or name is empty, a row is not missing, the source (and with it the
            clock) is away, or the archive cannot be written.
    """
    why, who = acts.stated("reason", reason), acts.stated("name", by)
    contract = contract_of(feed)
    with connect(settings) as conn, hold(conn, f"extract of {contract.group}"):
        missing.weigh(conn, [feed])
        rows = _named(missing.listing(conn, [feed]), feed, keys)
        clock = source_clock(settings)
        refuse_if_back(conn, contract, clock)
        named = [row.row_key for row in rows]
        subject = {
            "feed": feed,
            "row_keys": named,
            "hanging": [row.hanging for row in rows],
            "missing_since": [row.missing_since.isoformat() for row in rows],
        }
        act = acts.record(settings, conn, KIND, subject, reason=why, acted_by=who, known_at=clock)
        end_rows(conn, contract, named, act.known_at, why, who)
        failpoint("close-missing.before-commit")
        conn.commit()
    return CloseReport(feed, rows, act)


def _named(
    rows: list[missing.MissingRow], feed: str, keys: Sequence[str]
) -> list[missing.MissingRow]:
    by_key = {row.row_key: row for row in rows}
    if unknown := [key for key in keys if key not in by_key]:
        raise ChotsoError(
            f"No row of {feed} that is missing has the key {', '.join(unknown)}.",
            kept="nothing was closed.",
            next_step="run `chotso missing list` for the rows that the source no longer shows.",
        )
    return [by_key[key] for key in sorted(set(keys))]


def end_rows(
    conn: psycopg.Connection,
    contract: Contract,
    keys: Sequence[str],
    known_at: datetime,
    reason: str,
    by: str,
) -> None:
    """Close rows in force by key; the caller's transaction records the act."""
    conn.execute(
        sql.SQL(
            "update {raw} as kept set known_to = %s where {key} = any(%s) and kept.known_to is null"
        ).format(raw=sql.Identifier("raw", contract.feed), key=joined(contract.key, "kept")),
        [known_at, list(keys)],
    )
    conn.execute(
        "update ops.missing_row set status = 'closed', ended_at = %s, resolution = %s, "
        "resolved_by = %s where feed = %s and row_key = any(%s) and status = 'missing'",
        [known_at, reason, by, contract.feed, list(keys)],
    )
