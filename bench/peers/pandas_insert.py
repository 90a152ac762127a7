"""pandas alone: `read_sql` in chunks, and `to_sql` as it comes."""

import pandas as pd

from bench.lines import SCHEMA, new_table, query
from bench.measured import measured
from bench.peers.engines import engines

_ROWS_A_CHUNK = 100_000


def read_and_insert() -> str:
    """Insert the allocation lines."""
    table = new_table("pandas_insert")
    name = table.removeprefix(f"{SCHEMA}.")
    source, target = engines()
    with source.connect() as read, target.begin() as write:
        for chunk in pd.read_sql(query(), read, chunksize=_ROWS_A_CHUNK):
            chunk.to_sql(name, write, schema=SCHEMA, if_exists="append", index=False)
    return table


if __name__ == "__main__":
    measured(read_and_insert)
