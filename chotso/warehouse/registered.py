"""Tables that only `chotso migrate` writes: each is replaced as a whole when its rows differ."""

from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

RegisteredRows = list[tuple[Any, ...]]


def registered(conn: psycopg.Connection, table: str) -> RegisteredRows:
    """The rows of `schema.table`, ordered by their first column."""
    query = sql.SQL("select * from {}").format(sql.Identifier(*table.split(".")))
    return sorted(conn.execute(query).fetchall(), key=lambda row: str(row[0]))


def replace(conn: psycopg.Connection, table: str, rows: RegisteredRows) -> None:
    """Make `rows`, ordered by their first column, the rows of `schema.table`; as superuser."""
    if registered(conn, table) == rows:
        return
    name = sql.Identifier(*table.split("."))
    conn.execute(sql.SQL("delete from {}").format(name))
    for row in rows:
        values = [Jsonb(value) if isinstance(value, dict) else value for value in row]
        places = sql.SQL(", ").join(sql.Placeholder() * len(values))
        conn.execute(sql.SQL("insert into {} values ({})").format(name, places), values)
