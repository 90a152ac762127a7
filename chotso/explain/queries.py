"""The queries of this package: one file each, run against the schemas of states."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.explain.states import State

_FOLDER = Path(__file__).parent / "sql"
Row = dict[str, Any]


def ask(conn: psycopg.Connection, name: str, values: Row, **states: State) -> list[Row]:
    """Rows of `sql/<name>.sql`; `{word}` in it is a value, or the schema of the state so named."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_statement(name, values, states), values).fetchall()


def run(conn: psycopg.Connection, name: str, values: Row, **states: State) -> None:
    """Run `sql/<name>.sql` for what it makes."""
    conn.execute(_statement(name, values, states), values)


def keep(conn: psycopg.Connection, name: str, values: Row, **states: State) -> None:
    """Rows of `sql/<name>.sql` as the temporary table `explain_items`."""
    conn.execute("drop table if exists pg_temp.explain_items")
    rows = _statement(name, values, states)
    conn.execute(sql.SQL("create temporary table explain_items as {}").format(rows), values)


def batches(conn: psycopg.Connection, batch_ids: Iterable[str | None]) -> dict[str, Row]:
    """Each batch with the delivery or the landed files that it came from."""
    wanted = sorted({batch_id for batch_id in batch_ids if batch_id})
    return {row["batch_id"]: row for row in ask(conn, "batches", {"batch_ids": wanted})}


def _statement(name: str, values: Row, states: dict[str, State]) -> sql.Composed:
    schemas = {word: sql.Identifier(state.schema) for word, state in states.items()}
    return sql.SQL(_text(name)).format(**schemas, **{n: sql.Placeholder(n) for n in values})


@cache
def _text(name: str) -> Any:
    # package data is a literal in all but the type
    return (_FOLDER / f"{name}.sql").read_text("utf-8")
