"""pandas with COPY: `to_sql` with the method that pandas' documentation gives for PostgreSQL."""

import csv
import io
from collections.abc import Iterable
from functools import partial
from typing import Any

from bench.measured import measured
from bench.peers.frames import read_and_write


def _by_copy(table: Any, connection: Any, keys: list[str], rows: Iterable[Any]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    columns = ", ".join(f'"{key}"' for key in keys)
    statement = f"copy {table.schema}.{table.name} ({columns}) from stdin csv"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(buffer.getvalue())


if __name__ == "__main__":
    measured(partial(read_and_write, "pandas_copy", _by_copy))
