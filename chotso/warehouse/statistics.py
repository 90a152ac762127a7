"""Gathers the planner's statistics after rows were written, without relying on autovacuum.

Without statistics, PostgreSQL assumes that a condition such as `known_to is null` holds for one row
in 200. A few such conditions give an estimate of one row, and joins become nested loops over the
whole table.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql


def gather(conn: psycopg.Connection) -> list[str]:
    """Analyse published tables without statistics or changed by a tenth; commits.

    It is cheap if nothing changed. A table that another session has locked is skipped.

    Returns:
        The tables it was done for.
    """
    row = conn.execute("select ops.gather_statistics()").fetchone()
    conn.commit()
    assert row is not None
    return list(row[0])


@dataclass(frozen=True)
class TemporaryTable:
    """A temporary table with statistics, which ends with its transaction or with the session.

    PostgreSQL plans a query on it by its real size, but a query on a CTE by a guess. One module
    makes the object and others import it, so that the table's name is written once.
    """

    name: str
    outlives_transaction: bool = False

    @property
    def table(self) -> sql.Identifier:
        """The table in a query, `pg_temp.<name>`."""
        return sql.Identifier("pg_temp", self.name)

    def fill(
        self, conn: psycopg.Connection, query: sql.Composable, values: dict[str, Any] | None = None
    ) -> None:
        """Make the table from the rows of a query; an older one is dropped."""
        conn.execute(sql.SQL("drop table if exists {}").format(self.table))
        until = sql.SQL("" if self.outlives_transaction else "on commit drop ")
        made = sql.SQL("create temporary table {} {}as {}")
        conn.execute(made.format(sql.Identifier(self.name), until, query), values)
        conn.execute(sql.SQL("analyze {}").format(self.table))
