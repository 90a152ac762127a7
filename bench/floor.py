"""The floor: binary COPY of the same rows out to a file and into an unlogged table, and no more.

It proves nothing, keeps no archive that another tool reads, and knows the table's columns by heart.
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
    """Copy the allocation lines, all or last night's; returns the number of rows that arrived.

    Args:
        source_url: The collection system.
        warehouse_url: The warehouse, its login a member of `chotso_loader`.
        file: Where the rows pass through; removed at the end.
        night: Only what changed in the last night.
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
