"""The content of a warehouse as sorted rows by relation, without what depends on the attempt."""

from collections.abc import Set

import psycopg
from psycopg import sql

from chotso.contracts import contracts

# Which attempt brought a row, and how many batches it took, differs between runs that were killed
# and runs that were not.
_OF_THE_ATTEMPT = ("id", "batch_id", "document_batch_id", "line_batch_id")
_ATTEMPTS = "dim_batch"
_SHOWN = 3

Content = dict[str, list[str]]


def content(url: str, without: Set[str] = frozenset()) -> Content:
    """Rows of raw, quarantine and the marts that readers see, by relation, each as one text.

    Args:
        url: The superuser's URL of the warehouse.
        without: Columns to leave out besides those of the attempt.
    """
    with psycopg.connect(url, options="-c timezone=UTC") as conn:
        relations = [("raw", feed) for feed in contracts()] + [("quarantine", "row")]
        relations += [("marts", name) for name in _views(conn, "marts") if name != _ATTEMPTS]
        left_out = without | set(_OF_THE_ATTEMPT)
        return {f"{s}.{n}": _rows(conn, s, n, left_out) for s, n in relations}


def differences(found: Content, wanted: Content) -> list[str]:
    """The first rows that only one side has, per relation; empty where the content is the same."""
    told = []
    for name in sorted(found.keys() | wanted.keys()):
        here, there = set(found.get(name, [])), set(wanted.get(name, []))
        told += [f"{name}: only found: {row}" for row in sorted(here - there)[:_SHOWN]]
        told += [f"{name}: only wanted: {row}" for row in sorted(there - here)[:_SHOWN]]
        if len(found.get(name, [])) != len(wanted.get(name, [])):
            told.append(f"{name}: {len(found.get(name, []))} rows, not {len(wanted.get(name, []))}")
    return told


def _views(conn: psycopg.Connection, schema: str) -> list[str]:
    found = conn.execute(
        "select table_name from information_schema.views where table_schema = %s", [schema]
    )
    return sorted(row[0] for row in found)


def _rows(conn: psycopg.Connection, schema: str, name: str, left_out: Set[str]) -> list[str]:
    columns = [
        row[0]
        for row in conn.execute(
            "select column_name from information_schema.columns "
            "where table_schema = %s and table_name = %s order by ordinal_position",
            [schema, name],
        )
        if row[0] not in left_out
    ]
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("select row({})::text from {}").format(listed, sql.Identifier(schema, name))
    return sorted(row[0] for row in conn.execute(query))
