"""What a table of lines holds, in numbers that any other table with the same rows has as well."""

import psycopg

from bench.lines import COLUMNS

_SESSION = "-c timezone=UTC -c datestyle=ISO,YMD"


def content(url: str, relation: str, where: str = "") -> dict[str, int]:
    """Rows, the exact sum of each column, and a sum over the rows as wholes.

    Of whole numbers it is the sum itself, of other values the sum of their hashes. Each value is
    compared as the type that the source has, so that a wider type of the same values is equal.
    """
    typed = {name: f"{name}::{kind}" for name, kind in COLUMNS.items()}
    summed = {
        name: f"sum({value})" if COLUMNS[name] in ("integer", "bigint") else _hashes(value)
        for name, value in typed.items()
    }
    row = " || '|' || ".join(f"coalesce(({value})::text, '-')" for value in typed.values())
    wanted = {"rows": "count(*)", **summed, "each row": _hashes(row)}
    with psycopg.connect(url, options=_SESSION) as connection:
        statement = f"select {', '.join(wanted.values())} from {relation} {where}"
        found = connection.execute(statement.encode()).fetchone()
    assert found is not None
    return {name: int(total or 0) for name, total in zip(wanted, found, strict=True)}


def _hashes(value: str) -> str:
    return f"sum(hashtextextended(({value})::text, 0)::numeric)"
