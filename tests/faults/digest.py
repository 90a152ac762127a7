"""The content of a warehouse as one digest per relation: sorted rows, without batch ids."""

import hashlib
from collections.abc import Iterable

import psycopg
from psycopg import sql

from chotso.contracts import contracts

# Which attempt brought a row differs between runs that were killed and runs that were not.
_OF_THE_ATTEMPT = {"batch_id", "id"}


def content(url: str, marts: Iterable[str] | None = None) -> dict[str, str]:
    """Digests of raw, quarantine and the marts that readers see, by relation."""
    with psycopg.connect(url, options="-c timezone=UTC") as conn:
        shown = marts if marts is not None else _views(conn, "marts")
        relations = [("raw", feed) for feed in contracts()] + [("quarantine", "row")]
        relations += [("marts", name) for name in shown]
        return {f"{s}.{n}": _digest(conn, s, n) for s, n in relations}


def _views(conn: psycopg.Connection, schema: str) -> list[str]:
    found = conn.execute(
        "select table_name from information_schema.views where table_schema = %s", [schema]
    )
    return sorted(row[0] for row in found)


def _digest(conn: psycopg.Connection, schema: str, name: str) -> str:
    columns = [
        row[0]
        for row in conn.execute(
            "select column_name from information_schema.columns "
            "where table_schema = %s and table_name = %s order by ordinal_position",
            [schema, name],
        )
        if row[0] not in _OF_THE_ATTEMPT
    ]
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("select row({})::text from {}").format(listed, sql.Identifier(schema, name))
    rows = sorted(row[0] for row in conn.execute(query))
    return f"{len(rows)} rows, {hashlib.sha256(chr(10).join(rows).encode()).hexdigest()[:16]}"
