"""The table `ops.drop_entry`: every file in the drop folder; if it was not read, why not."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.calendar import local_date
from chotso.contracts import FileSource, contracts
from chotso.errors import ChotsoError
from chotso.settings import Settings
from chotso.source.drop_entries import INCIDENTS, Seen, survey
from chotso.source.drop_folder import DropFolder

_LINES = 20
_NOT_TAKEN = """
select
    entry.name, entry.feed, entry.kind, entry.first_seen, tried.batch_id,
    coalesce(entry.reason, tried.reason) as reason
from ops.drop_entry as entry
left join lateral (
    select batch.batch_id, batch.status, batch.reason
    from ops.batch as batch
    where batch.feed = entry.feed and batch.delivery_name = entry.name
    order by substring(batch.batch_id from '[0-9]+$')::bigint desc
    limit 1
) as tried on true
where
    entry.gone_at is null
    and (entry.kind <> 'delivery' or tried.status = 'refused')
    and not exists (
        select from ops.operator_act as act
        where act.kind = 'waive_file' and act.subject ->> 'batch_id' = tried.batch_id
    )
order by entry.kind = 'other', entry.name
"""


def file_sources() -> dict[str, FileSource]:
    """The source of each feed that is delivered as files, by feed."""
    return {
        contract.feed: contract.source
        for contract in contracts().values()
        if isinstance(contract.source, FileSource)
    }


def look(settings: Settings, folder: DropFolder | None = None) -> list[Seen]:
    """List the folder and classify each entry.

    Raises:
        ChotsoError: The folder cannot be listed.
    """
    return survey((folder or DropFolder(settings.drop_url)).entries(), file_sources())


def remember(
    conn: psycopg.Connection, feed: str, seen: Iterable[Seen], known_at: datetime
) -> set[str]:
    """Record what a feed's read of the folder saw and what has gone since; commits.

    Returns:
        The names that are new, or whose kind has changed.
    """
    here = {each.shown: each for each in seen}
    found = conn.execute("select name, kind from ops.drop_entry where gone_at is null")
    known = {row[0]: row[1] for row in found}
    conn.cursor().executemany(
        """
        insert into ops.drop_entry as known
            (name, feed, kind, reason, first_seen, last_seen)
        values (%(name)s, %(feed)s, %(kind)s, %(reason)s, %(at)s, %(at)s)
        on conflict (name) do update
        set
            feed = excluded.feed, kind = excluded.kind, reason = excluded.reason,
            last_seen = excluded.last_seen, gone_at = null,
            first_seen = case
                when known.gone_at is null and known.kind = excluded.kind then known.first_seen
                else excluded.first_seen
            end
        """,
        [
            {"name": name, "feed": e.feed, "kind": e.kind, "reason": e.reason, "at": known_at}
            for name, e in sorted(here.items())
        ],
    )
    conn.execute(
        "update ops.drop_entry set gone_at = %s "
        "where gone_at is null and coalesce(feed, %s) = %s and name <> all(%s)",
        [known_at, feed, feed, list(here)],
    )
    conn.commit()
    return {name for name, each in here.items() if known.get(name) != each.kind}


def look_for_gone(settings: Settings, conn: psycopg.Connection, known_at: datetime) -> None:
    """Record which entries have gone since, and nothing else; commits.

    Raises:
        ChotsoError: The folder cannot be listed.
    """
    here = [each.shown for each in look(settings)]
    conn.execute(
        "update ops.drop_entry set gone_at = %s where gone_at is null and name <> all(%s)",
        [known_at, here],
    )
    conn.commit()


def not_taken(conn: psycopg.Connection) -> list[dict[str, Any]]:
    """Entries that were not read or were refused; other programs' files come last.

    Returns:
        Mappings with `name`, `feed`, `kind`, `reason`, `first_seen` and, if it was refused, the
        `batch_id` of the refused batch.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_NOT_TAKEN).fetchall()


def incidents(seen: Iterable[Seen], new: set[str]) -> list[str]:
    """Deliveries that cannot be read, as messages; each is reported when it is first seen."""
    return [
        str(
            ChotsoError(
                f"{each.shown} in the drop folder is not taken: {each.reason}.",
                kept="it, where it lies; what was published before stands.",
                next_step="have the sender put a file of a right name there, or take it away.",
            )
        )
        for each in seen
        if each.shown in new and each.feed is not None and each.kind in INCIDENTS
    ]


def lines(entries: list[dict[str, Any]]) -> list[str]:
    """Messages on what was not read, for the night's report and `status`.

    Each delivery has a line of its own; all other files share one.
    """
    told = [_line(entry) for entry in entries if entry["kind"] != "other"]
    more = len(told) - _LINES
    if more > 0:
        told = [*told[:_LINES], f"drop folder: and {more} more, see ops.drop_entry"]
    others = [entry["name"] for entry in entries if entry["kind"] == "other"]
    if others:
        named = ", ".join(others[:_LINES]) + (", …" if len(others) > _LINES else "")
        told.append(f"drop folder: folders and files of other programs, left alone: {named}")
    return told


def _line(entry: dict[str, Any]) -> str:
    refused = f"refused as {entry['batch_id']}" if entry["batch_id"] else "not taken"
    since = local_date(entry["first_seen"])
    name = entry["name"]
    name = name if name == name.strip() else f"“{name}”"  # so that a blank at an end is seen
    return f"drop folder: {name}: {refused}: {entry['reason']} (there since {since})"
