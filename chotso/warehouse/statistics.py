"""Statistics for the planner, gathered where rows arrive and never left to autovacuum's luck.

Without them PostgreSQL takes a condition such as `known_to is null` for one row in two hundred;
a few of these together are "one row", and joins become nested loops over the whole table.
"""

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


def stage(
    conn: psycopg.Connection,
    name: str,
    query: sql.Composable,
    values: dict[str, Any] | None = None,
) -> None:
    """Keep a query's rows until the transaction ends as `pg_temp.<name>`, with statistics.

    What is read from it is planned by its real size; a CTE is planned by a guess at its conditions.
    """
    table = sql.Identifier("pg_temp", name)
    conn.execute(sql.SQL("drop table if exists {}").format(table))
    made = sql.SQL("create temporary table {} on commit drop as {}")
    conn.execute(made.format(sql.Identifier(name), query), values)
    conn.execute(sql.SQL("analyze {}").format(table))
