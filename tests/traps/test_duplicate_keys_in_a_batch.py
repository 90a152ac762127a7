"""Duplicate keys in one batch: a plain insert takes both, an upsert keeps whichever came last."""

from typing import Any

import psycopg
import pytest

from chotso.ingest.night import extract_group
from tests.oracle.hostile.c12_files import COLUMNS
from tests.traps.world import DAY, begin, in_force
from tests.worlds.product import Product

pytestmark = pytest.mark.warehouse

NAME = "C12_202109_20211001T090000_07201.csv"
CODES = (("TA0001A", 0), ("TA0002A", 5), ("TA0002A", 5), ("TA0003A", 7), ("TA0003A", 8))


def _upserted(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    conn.execute("create temporary table naive (code text primary key, closing bigint)")
    for code, closing in CODES:
        conn.execute(
            "insert into naive values (%s, %s) "
            "on conflict (code) do update set closing = excluded.closing",
            [code, closing],
        )
    return conn.execute("select * from naive order by 1").fetchall()


def test_duplicate_keys_in_a_batch(warehouse: Product, conn: psycopg.Connection) -> None:
    """Of identical rows one goes on; of different ones neither, and their money is counted."""
    assert ("TA0003A", 8) in _upserted(conn), "the twin has chosen for us"

    begin(warehouse)
    lines = []
    for code, closing in CODES:
        row = dict.fromkeys(COLUMNS, "")
        row |= {"madvi": code, "thang": "09/2021"}
        row |= {"_ps_bh": str(closing), "_ck_bhxh": str(closing)}
        lines.append(",".join(row.values()))
    (warehouse.drop / NAME).write_text("\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    try:
        report = extract_group(warehouse.settings, "c12", DAY)
    finally:
        (warehouse.drop / NAME).unlink()
    assert not report.stopped
    kept = [row for row in in_force(warehouse, "c12", "madvi, ck_bhxh, thang") if row[2].month == 9]
    assert [row[:2] for row in kept] == [("TA0001A", 0), ("TA0002A", 5)]
    batch = next(b for b in report.batches if b["rows_delivered"])
    assert (batch["rows_delivered"], batch["rows_accepted"], batch["rows_quarantined"]) == (5, 3, 2)
    assert batch["money_delivered"] == 25
    assert batch["money_quarantined"] == 15
