"""Both ways of pandas: `read_sql` in chunks, and `to_sql` by one method or another."""

from typing import Any

import pandas as pd
from sqlalchemy import create_engine

from bench.lines import SCHEMA, new_table, query, source_url, target_url

_ROWS_A_CHUNK = 100_000


def read_and_write(way: str, method: Any = None) -> str:
    """Move the allocation lines; rows of the source come as they are asked.

    Args:
        way: The name of the table.
        method: What `to_sql` writes a chunk with; by default its own inserts.
    """
    table = new_table(way)
    name = table.removeprefix(f"{SCHEMA}.")
    source = create_engine(source_url(), execution_options={"stream_results": True})
    with source.connect() as read, create_engine(target_url()).begin() as write:
        for chunk in pd.read_sql(query(), read, chunksize=_ROWS_A_CHUNK):
            chunk.to_sql(name, write, schema=SCHEMA, if_exists="append", index=False, method=method)
    return table
