"""Batch tables and the warehouse around them, made from a casebook's rows."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import psycopg
from psycopg import sql

from chotso.contracts import Contract, contract_of
from chotso.ingest.rules import RuleFacts
from tests.ingest.rules.casebook import Case, Casebook, Row

KNOWN_AT = datetime(2022, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=7)))
BUSINESS_DATE = date(2021, 12, 31)


def facts_of(book: Casebook, case: Case | None = None, rows: int = 1) -> RuleFacts:
    """What the case's batch is known to be; the file's month is the casebook's own."""
    month = case.month if case and case.month else book.month
    landed = rows if case is None else len(case.rows) if case.landed is None else case.landed
    return RuleFacts(KNOWN_AT, BUSINESS_DATE, month, landed)


def make_batch(
    conn: psycopg.Connection, batch_id: str, book: Casebook, rows: list[Row]
) -> sql.Identifier:
    """The landing table of a batch, as the loader makes it."""
    contract = contract_of(book.feed)
    types = {
        "row_no": "bigint",
        **{n: str(c.type) for n, c in contract.landed.items()},
        "unreadable": "text",
    }
    table = sql.Identifier("landing", batch_id)
    columns = [sql.SQL("{} {}").format(sql.Identifier(n), _as_sql(t)) for n, t in types.items()]
    conn.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
    for number, row in enumerate(rows, 1):
        _insert(conn, table, types, {**book.row, **row, "row_no": number})
    return table


def fill_raw(conn: psycopg.Connection, content: dict[str, list[Row]]) -> None:
    """Row versions that are in force unless a row says otherwise."""
    for feed, rows in content.items():
        contract = contract_of(feed)
        for row in rows:
            _insert(
                conn, sql.Identifier("raw", feed), _raw_types(contract), _version(contract, row)
            )


def _version(contract: Contract, row: Row) -> Row:
    kept = {"batch_id": "earlier", "known_from": "2021-12-01 01:00:00+07", "known_to": None}
    if contract.kept_as == "statement":
        kept |= dict.fromkeys(("stated_at", "restated_at"), "2021-12-01 01:00:00+07")
    return {**kept, **row}


def _raw_types(contract: Contract) -> dict[str, str]:
    instants = ["known_from", "known_to"]
    instants += ["stated_at", "restated_at"] if contract.kept_as == "statement" else []
    landed = {n: str(c.type) for n, c in contract.landed.items()}
    return landed | {"batch_id": "text"} | dict.fromkeys(instants, "timestamptz")


def _insert(
    conn: psycopg.Connection, table: sql.Identifier, types: dict[str, str], row: Row
) -> None:
    unknown = set(row) - set(types)
    assert not unknown, f"no such column: {unknown}"
    values = [
        sql.SQL("{}::{}").format(sql.Literal(_text(row.get(name))), _as_sql(kind))
        for name, kind in types.items()
    ]
    names = sql.SQL(", ").join(map(sql.Identifier, types))
    conn.execute(
        sql.SQL("insert into {} ({}) values ({})").format(table, names, sql.SQL(", ").join(values))
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _as_sql(column_type: str) -> sql.SQL:
    return sql.SQL(column_type)
