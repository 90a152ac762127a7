"""The floor: only binary COPY of the same rows to a file, and from it into an unlogged table.

It checks nothing and keeps no archive that another tool could read.
"""

import os
from pathlib import Path

import psycopg

from bench.lines import new_table, query, source_url, target_url
from bench.measured import measured

_BLOCK_BYTES = 1 << 20


def copy_through_file() -> str:
    """Copy the allocation lines; the file between is removed at the end."""
    file = Path(os.environ["CHOTSO_HOME"]) / "floor.bin"
    with (
        psycopg.connect(source_url()) as connection,
        connection.cursor().copy(f"copy ({query()}) to stdout (format binary)".encode()) as copy,
        file.open("wb") as sink,
    ):
        for block in copy:
            sink.write(block)
    table = new_table("floor")
    with (
        psycopg.connect(target_url()) as connection,
        file.open("rb") as stream,
        connection.cursor().copy(f"copy {table} from stdin (format binary)".encode()) as copy,
    ):
        while block := stream.read(_BLOCK_BYTES):
            copy.write(block)
    file.unlink()
    return table


if __name__ == "__main__":
    measured(copy_through_file)
