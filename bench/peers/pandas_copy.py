"""pandas with COPY: `to_sql` with the method that pandas' documentation gives for PostgreSQL."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import pandas as pd

from bench.lines import SCHEMA, new_table, query
from bench.measured import measured
from bench.peers.engines import engines

_ROWS_A_CHUNK = 100_000


def read_and_copy() -> str:
    """Copy the allocation lines."""
    table = new_table("pandas_copy")
    name = table.removeprefix(f"{SCHEMA}.")
    source, target = engines()
    with source.connect() as read, target.begin() as write:
        for chunk in pd.read_sql(query(), read, chunksize=_ROWS_A_CHUNK):
            chunk.to_sql(
                name, write, schema=SCHEMA, if_exists="append", index=False, method=_by_copy
            )
    return table


def _by_copy(table: Any, connection: Any, keys: list[str], rows: Iterable[Any]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    columns = ", ".join(f'"{key}"' for key in keys)
    statement = f"copy {table.schema}.{table.name} ({columns}) from stdin csv"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(buffer.getvalue())


if __name__ == "__main__":
    measured(read_and_copy)
