"""The measured rows: where they are read, which of them, and the table that most ways fill."""

import os

import psycopg

COLUMNS = {
    "so_chung_tu": "text",
    "so_dong": "integer",
    "quy": "text",
    "thang": "date",
    "tien_goc": "bigint",
    "tien_lai": "bigint",
    "ngay_sua": "timestamptz",
}
RELATION = "tst.phan_bo"
SCHEMA = "bench"


def source_url() -> str:
    """The collection system."""
    return os.environ["BENCH_SOURCE_URL"]


def target_url() -> str:
    """A database beside the warehouse, on the same server; its login owns `SCHEMA`."""
    return os.environ["BENCH_TARGET_URL"]


def query() -> str:
    """The measured lines in no order."""
    return f"select {', '.join(COLUMNS)} from {RELATION} {os.environ['BENCH_WHERE']}"


def new_table(name: str) -> str:
    """Make an empty unlogged table of the lines, as ours is, and return its whole name."""
    columns = ", ".join(f"{column} {kind}" for column, kind in COLUMNS.items())
    with psycopg.connect(target_url()) as connection:
        connection.execute(f"create unlogged table {SCHEMA}.{name} ({columns})".encode())
    return f"{SCHEMA}.{name}"
