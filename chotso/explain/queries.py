"""Runs the queries of this package: one file each, against the schemas of states."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.explain.states import State
from chotso.warehouse.statistics import TemporaryTable

_FOLDER = Path(__file__).parent / "sql"
Row = dict[str, Any]
KeptTable = Literal["items", "lines", "spells", "accounts", "account_sums"]

# items: of one figure. lines, spells, accounts: those that differ between two states. account_sums:
# accounts and receivable by agency, month and fund group.
_TABLES: dict[KeptTable, TemporaryTable] = {
    "items": TemporaryTable("explain_items", outlives_transaction=True),
    "lines": TemporaryTable("explain_lines", outlives_transaction=True),
    "spells": TemporaryTable("explain_spells", outlives_transaction=True),
    "accounts": TemporaryTable("explain_accounts", outlives_transaction=True),
    "account_sums": TemporaryTable("explain_account_sums", outlives_transaction=True),
}


def ask(conn: psycopg.Connection, name: str, values: Row, **states: State) -> list[Row]:
    """Rows of `sql/<name>.sql`.

    `{word}` in it is a value, the schema of the state with that name, or the table of kept rows.
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_statement(name, values, states), values).fetchall()


def keep(
    conn: psycopg.Connection, kept: KeptTable, name: str, values: Row, **states: State
) -> None:
    """Keep the rows of `sql/<name>.sql` in a temporary table until the session ends."""
    _TABLES[kept].fill(conn, _statement(name, values, states), values)


def table_of(kept: KeptTable) -> sql.Identifier:
    """The temporary table that holds kept rows."""
    return _TABLES[kept].table


def batches(conn: psycopg.Connection, batch_ids: Iterable[str | None]) -> dict[str, Row]:
    """Each batch with the delivery or the landed files that it came from."""
    wanted = sorted({batch_id for batch_id in batch_ids if batch_id})
    return {row["batch_id"]: row for row in ask(conn, "batches", {"batch_ids": wanted})}


def _statement(name: str, values: Row, states: dict[str, State]) -> sql.Composed:
    schemas = {word: sql.Identifier(state.schema) for word, state in states.items()}
    tables = {f"kept_{kept}": table_of(kept) for kept in _TABLES}
    placeholders = {word: sql.Placeholder(word) for word in values}
    return sql.SQL(_text(name)).format(**schemas, **tables, **placeholders)


@cache
def _text(name: str) -> Any:
    # psycopg wants a literal string; package data is as safe as one
    return (_FOLDER / f"{name}.sql").read_text("utf-8")
