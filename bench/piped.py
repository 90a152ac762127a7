"""Binary COPY from the source straight into an unlogged table: no file, nothing to load again."""

import psycopg

from bench.lines import new_table, query, source_url, target_url
from bench.measured import measured


def copy_piped() -> str:
    """Copy the allocation lines."""
    table = new_table("piped")
    with (
        psycopg.connect(source_url()) as source,
        psycopg.connect(target_url()) as target,
        source.cursor().copy(f"copy ({query()}) to stdout (format binary)".encode()) as read,
        target.cursor().copy(f"copy {table} from stdin (format binary)".encode()) as write,
    ):
        for block in read:
            write.write(block)
    return table


if __name__ == "__main__":
    measured(copy_piped)
