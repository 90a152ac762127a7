"""The floor: only binary COPY of the same rows to a file, and from it into an unlogged table.

It checks nothing, writes no archive for other tools, and has the table's columns hard-coded.
"""

import os
import sys
from pathlib import Path

import psycopg

from bench.measured import measured

_BLOCK_BYTES = 1 << 20
_TABLE = "landing.bench_floor"
_COLUMNS = "so_chung_tu, so_dong, quy, thang, tien_goc, tien_lai, ngay_sua"
_MAKE = f"""
create unlogged table {_TABLE} (
    so_chung_tu text, so_dong integer, quy text, thang date,
    tien_goc bigint, tien_lai bigint, ngay_sua timestamptz
)
"""
_CHANGED = " where ngay_sua >= timestamptz '2021-12-28 01:00:00+07'"


def copy_through_file(source_url: str, warehouse_url: str, file: Path, *, night: bool) -> int:
    """Copy all allocation lines or those of the last night; returns the number of copied rows.

    Args:
        source_url: The collection system.
        warehouse_url: The warehouse; the login is a member of `chotso_loader`.
        file: The intermediate file; removed at the end.
        night: Whether to copy only rows that changed in the last night.
    """
    query = f"select {_COLUMNS} from tst.phan_bo{_CHANGED if night else ''}"
    with (
        psycopg.connect(source_url) as connection,
        connection.cursor().copy(f"copy ({query}) to stdout (format binary)".encode()) as copy,
        file.open("wb") as sink,
    ):
        for block in copy:
            sink.write(block)
    with psycopg.connect(warehouse_url) as connection:
        connection.execute("set role chotso_loader")
        connection.execute(f"drop table if exists {_TABLE}")
        connection.execute(_MAKE)
        with (
            file.open("rb") as stream,
            connection.cursor().copy(f"copy {_TABLE} from stdin (format binary)") as copy,
        ):
            while block := stream.read(_BLOCK_BYTES):
                copy.write(block)
        connection.commit()
        row = connection.execute(f"select count(*) from {_TABLE}").fetchone()
        connection.execute(f"drop table {_TABLE}")
    file.unlink()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    measured(
        lambda: copy_through_file(
            os.environ["BENCH_SOURCE_URL"],
            os.environ["BENCH_WAREHOUSE_URL"],
            Path(os.environ["CHOTSO_HOME"]) / "floor.bin",
            night="--night" in sys.argv,
        )
    )
