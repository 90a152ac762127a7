"""Statistics for the planner, gathered where rows arrive and never left to autovacuum's luck.

Without them PostgreSQL takes a condition such as `known_to is null` for one row in two hundred;
a few of these together are "one row", and joins become nested loops over the whole table.
"""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql


def gather(conn: psycopg.Connection) -> list[str]:
    """Gather statistics of published tables that have none or have changed by a tenth; commits.

    Cheap when nothing changed. A table that another session keeps locked is left as it is.

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

    PostgreSQL plans a query on it by its real size. It plans a CTE by a guess at its conditions.
    One module makes the object; others import it, so that the name is written once.
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
        """Make the table anew from the rows of a query."""
        conn.execute(sql.SQL("drop table if exists {}").format(self.table))
        until = sql.SQL("" if self.outlives_transaction else "on commit drop ")
        made = sql.SQL("create temporary table {} {}as {}")
        conn.execute(made.format(sql.Identifier(self.name), until, query), values)
        conn.execute(sql.SQL("analyze {}").format(self.table))
