"""A new pseudonym key changes all pseudonyms, so all rows of a feed must change key at once.

With rows of two keys, one person would be counted twice. If rows in force have another key than the
current one, the feed must be read whole, and one publishing transaction must replace all of them.
This is refused while a period is open whose figures are not frozen yet.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from chotso.contracts import Contract
from chotso.errors import ChotsoError
from chotso.ingest.ledger import LandedBatch
from chotso.registers import load_registers
from chotso.settings import Settings
from chotso.source.pseudonym import key_id
from chotso.source.queries import ReadRequest


def check_key(
    settings: Settings,
    conn: psycopg.Connection,
    contract: Contract,
    known_at: datetime,
    request: ReadRequest,
) -> None:
    """Check before a feed is read that the current key may be used for its rows.

    Args:
        settings: Where the key is.
        conn: The warehouse.
        contract: The feed.
        known_at: The source's clock in the snapshot.
        request: What is read of it.

    Raises:
        ChotsoError: Rows in force were made with another key, and a period is open or not
            everything is read.
    """
    if not is_pseudonymised(contract):
        return
    current = key_id(settings.pseudonym_key())
    others = _other_keys(conn, contract, current)
    if not others:
        return
    what = (
        f"The pseudonym key is now {current}, and rows of {contract.feed} in force were made with "
        f"{', '.join(others)}"
    )
    kept = "nothing was read; what was published stands."
    if period := _open_period(conn, known_at):
        raise ChotsoError(
            f"{what}. The key cannot change while the period {period} is open.",
            kept=kept,
            next_step="put the former key back (CHOTSO_PSEUDONYM_KEY_FILE), and change it when "
            "the period is frozen.",
        )
    if not request.reads_everything:
        raise ChotsoError(
            f"{what}. A person would be counted under both.",
            kept=kept,
            next_step="put the former key back, or, if the change is meant, run "
            f"`chotso extract {contract.feed} --full --date D`: it reads the feed whole.",
        )


def check_in_force(conn: psycopg.Connection, contract: Contract, batch: LandedBatch) -> None:
    """Check in the publishing transaction of a whole read that all rows in force have one key.

    If the newer version of a row is set aside, the older one stays in force with the old key. Its
    pseudonym under the new key is not known, so publishing is refused.

    Raises:
        ChotsoError: Rows in force would keep another key than the batch's.
    """
    if not is_pseudonymised(contract) or batch.landed.facts.closes != "everything":
        return
    keys = _keys_in_force(conn, contract)
    if len(keys) < 2:
        return
    row = conn.execute(
        sql.SQL(
            "select count(*), (array_agg({key}::text order by {key}))[1:5] from {raw} "
            "where known_to is null and batch_id <> %s and key_id not in "
            "(select key_id from {raw} where known_to is null and batch_id = %s)"
        ).format(key=sql.Identifier(contract.key[0]), raw=_raw(contract)),
        [batch.batch_id, batch.batch_id],
    ).fetchone()
    assert row is not None
    raise ChotsoError(
        f"Batch {batch.batch_id} would leave {row[0]} rows of {contract.feed} in force under the "
        f"former pseudonym key: their newer versions are set aside "
        f"({contract.key[0]} {', '.join(row[1] or [])}).",
        kept="nothing of it was published: every row in force still has the former key.",
        next_step="have these rows mended at the source (`chotso quarantine list`), then read the "
        "feed whole again.",
    )


def is_pseudonymised(contract: Contract) -> bool:
    """Whether the feed's rows have a pseudonym."""
    return any(column.personal == "pseudonym" for column in contract.columns.values())


def _other_keys(conn: psycopg.Connection, contract: Contract, current: str) -> list[str]:
    return [found for found in _keys_in_force(conn, contract) if found != current]


def _keys_in_force(conn: psycopg.Connection, contract: Contract) -> list[str]:
    found = conn.execute(
        sql.SQL("select distinct key_id from {} where known_to is null order by key_id").format(
            _raw(contract)
        )
    )
    return [row[0] for row in found]


def _raw(contract: Contract) -> sql.Identifier:
    return sql.Identifier("raw", contract.feed)


def _open_period(conn: psycopg.Connection, known_at: datetime) -> str | None:
    """A period that has begun, by the source's clock, and is not sealed."""
    sealed = {row[0] for row in conn.execute("select period_id from frozen.release")}
    for period in load_registers().periods:
        today = known_at.astimezone(ZoneInfo(period.time_zone)).date()
        if period.starts_on <= today and period.id not in sealed:
            return period.id
    return None
