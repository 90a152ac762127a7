"""The ledger `ops.batch`: which batches are running, published or stopped."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from chotso.contracts import Contract, groups
from chotso.landed import BatchManifest, Landed, batch_folder
from chotso.landing import Landing
from chotso.provenance import code_version


@dataclass(frozen=True)
class LandedBatch:
    """A batch that stands in the landing archive and is not published yet."""

    batch_id: str
    feed: str
    business_date: date
    read_mode: str
    known_at: datetime
    source_position: str | None
    delivery_name: str | None
    stated_at: datetime | None
    final_of: str | None
    landed: Landed


# Of the batches of one date, as dbt's int_newest_batch has it; a freeze's own reads are no night.
ONLY_REFRESHED: LiteralString = (
    "bool_or(is_refresh) and bool_and(is_refresh or final_of is not null)"
)
_COLUMNS: LiteralString = (
    "batch_id, feed, business_date, read_mode, known_at, source_position, delivery_name, "
    "stated_at, final_of, landing_files"
)


def start(
    conn: psycopg.Connection,
    contract: Contract,
    business_date: date,
    read_mode: str,
    *,
    final_of: str | None = None,
    delivery: tuple[str, str, str] | None = None,
    landing: Landing | None = None,
    is_refresh: bool = False,
) -> str:
    """Insert a batch into the ledger before its work begins, and commit.

    A batch that judges or mends rows again counts as a refresh's if its date had no night yet.

    Args:
        conn: The warehouse.
        contract: The feed's contract.
        business_date: The date it is read for.
        read_mode: `whole`, `changes`, `year`, `file`, `replay` or `window`.
        final_of: The period whose final extract this is.
        delivery: (name, sha256, identity) of a delivered file.
        landing: The archive that its folder will be in. An id that is in use there is skipped:
            after a restore from a backup, the sequence of ids starts again at an older number.
        is_refresh: It is read by a refresh, before the night of its date.
    """
    batch_id: str | None = None
    while batch_id is None:
        with conn.transaction() as attempt:  # removes the row; its number stays used
            batch_id = _insert(
                conn, contract, business_date, read_mode, final_of, delivery, is_refresh
            )
            if landing and landing.has(batch_folder(contract.feed, business_date, batch_id)):
                batch_id = None
                raise psycopg.Rollback(attempt)
    conn.commit()
    return batch_id


def _insert(
    conn: psycopg.Connection,
    contract: Contract,
    business_date: date,
    read_mode: str,
    final_of: str | None,
    delivery: tuple[str, str, str] | None,
    is_refresh: bool,
) -> str:
    name, sha256, identity = delivery or (None, None, None)
    row = conn.execute(
        f"""
        insert into ops.batch (
            batch_id, feed, feed_group, business_date, status, read_mode, final_of,
            delivery_name, sha256, delivery_sha256, code_version, is_refresh
        )
        values (
            format('%%s_%%s_%%s', %(feed)s::text, to_char(%(date)s::date, 'YYYYMMDD'),
                lpad(nextval('ops.batch_number')::text, 6, '0')),
            %(feed)s, %(group)s, %(date)s, 'running', %(mode)s, %(final)s,
            %(name)s, %(sha256)s, %(identity)s, %(code)s,
            %(refresh)s or (
                %(mode)s in ('replay', 'window')
                and exists (
                    select from ops.batch as earlier
                    where earlier.business_date = %(date)s
                    having {ONLY_REFRESHED}
                )
            )
        )
        returning batch_id
        """,
        {
            "feed": contract.feed,
            "group": contract.group,
            "date": business_date,
            "mode": read_mode,
            "final": final_of,
            "name": name,
            "sha256": sha256,
            "identity": identity,
            "code": code_version(),
            "refresh": is_refresh,
        },
    ).fetchone()
    assert row is not None
    return str(row[0])


def record_landed(
    conn: psycopg.Connection, manifest: BatchManifest, *, folder: str | None = None
) -> None:
    """Record that a batch has landed. Does not commit: batches of a snapshot commit together.

    Args:
        conn: The warehouse.
        manifest: The manifest of the batch's folder.
        folder: The folder of its files, if they lie in another batch's folder.
    """
    conn.execute(
        """
        update ops.batch
        set
            known_at = %s, landing_files = %s, landing_path = %s, source_position = %s,
            stated_at = %s, sha256 = coalesce(sha256, %s), landed_at = clock_timestamp()
        where batch_id = %s
        """,
        [
            manifest.known_at,
            Jsonb(manifest.landed.for_ledger()),
            folder or manifest.folder,
            manifest.source_position,
            manifest.stated_at,
            manifest.landed.data.sha256,
            manifest.batch_id,
        ],
    )


def stop(conn: psycopg.Connection, batch_id: str, status: str, reason: str) -> None:
    """End a batch as `blocked`, `refused` or `failed`, with its reason, and commit."""
    conn.execute(
        "update ops.batch set status = %s, reason = %s where batch_id = %s",
        [status, reason, batch_id],
    )
    conn.commit()


def fail(conn: psycopg.Connection, batch_ids: list[str], reason: str) -> None:
    """Set those of the batches that are still running to `failed`, and commit."""
    conn.execute(
        "update ops.batch set status = 'failed', reason = %s "
        "where batch_id = any(%s) and status = 'running'",
        [reason, batch_ids],
    )
    conn.commit()


def give_up_unlanded(conn: psycopg.Connection, group: str) -> None:
    """Set this group's batches to `failed` that a killed run left before they had landed."""
    conn.execute(
        """
        update ops.batch
        set status = 'failed', reason = 'the run ended before its landing was complete'
        where feed_group = %s and status = 'running' and landed_at is null
        """,
        [group],
    )
    conn.commit()


def waiting(conn: psycopg.Connection, group: str) -> list[LandedBatch]:
    """Landed batches of a group that are not published yet, in publishing order."""
    order = {contract.feed: contract.order for contract in groups()[group]}
    with conn.cursor(row_factory=kwargs_row(_landed_batch)) as cursor:
        found = cursor.execute(
            f"select {_COLUMNS} from ops.batch "
            "where feed_group = %s and status = 'running' and landed_at is not null "
            "order by known_at, batch_id",
            [group],
        ).fetchall()
    conn.commit()
    return sorted(
        found, key=lambda b: (b.known_at, order[b.feed], b.delivery_name is None, _number(b))
    )


def newest_read(conn: psycopg.Connection, feed: str) -> LandedBatch | None:
    """A feed's newest published read of its source; None if there is none."""
    with conn.cursor(row_factory=kwargs_row(_landed_batch)) as cursor:
        found = cursor.execute(
            f"select {_COLUMNS} from ops.batch "
            "where feed = %s and status = 'published' and read_mode <> 'replay' "
            "order by known_at desc, substring(batch_id from '[0-9]+$')::bigint desc nulls last "
            "limit 1",
            [feed],
        ).fetchone()
    conn.commit()
    return found


def _landed_batch(landing_files: dict[str, Any], **columns: Any) -> LandedBatch:
    return LandedBatch(**columns, landed=Landed.from_ledger(landing_files))


def _number(batch: LandedBatch) -> int:
    return int(batch.batch_id.rsplit("_", 1)[-1])


def newest_known_at(conn: psycopg.Connection, group: str) -> datetime | None:
    """The newest known_at of a group's landed or published batches."""
    row = conn.execute(
        "select max(known_at) from ops.batch where feed_group = %s "
        "and status in ('running', 'published')",
        [group],
    ).fetchone()
    return row[0] if row else None


def position(conn: psycopg.Connection, feed: str) -> datetime | None:
    """The position up to which a feed has been published; None before its first batch."""
    row = conn.execute("select position from ops.feed_position where feed = %s", [feed]).fetchone()
    return row[0] if row else None


def deliveries_seen(conn: psycopg.Connection, feed: str) -> dict[str, str]:
    """Identities of delivered files that need not be read again, by file name.

    Only the newest attempt per name counts, so a file that returns to former content is read again.
    """
    found = conn.execute(
        """
        select distinct on (delivery_name) delivery_name, delivery_sha256
        from ops.batch
        where feed = %s and status in ('published', 'refused') and delivery_name is not null
        order by delivery_name, substring(batch_id from '[0-9]+$')::bigint desc
        """,
        [feed],
    )
    return {row[0]: row[1] for row in found}
