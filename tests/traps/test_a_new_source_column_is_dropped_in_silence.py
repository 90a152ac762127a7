"""A loader that reads the columns it knows never says that the source has more of them."""

import psycopg
import pytest

from chotso.ingest.night import extract_group
from tests.traps.world import DAY, begin, in_force
from tests.worlds.product import Product

pytestmark = pytest.mark.warehouse


def test_a_new_source_column_is_on_record(warehouse: Product) -> None:
    begin(warehouse)
    with psycopg.connect(warehouse.source_admin_url) as source:
        source.execute("alter table tst.don_vi add column ma_so_thue_moi text")
        known = "ma_don_vi, ten, ngay_sua"
        naive = source.execute(f"select {known} from tst.don_vi".encode())
        assert naive.description is not None
        assert "ma_so_thue_moi" not in [c.name for c in naive.description]
    report = extract_group(warehouse.settings, "registers", DAY)
    assert not report.stopped, "an added column is recorded, it stops nothing"
    assert in_force(warehouse, "employers", "ma_don_vi") == [("TA0001A",)]
    with psycopg.connect(warehouse.admin_url) as conn:
        tables = conn.execute(
            "select schemaname, tablename from pg_tables where schemaname = 'ops'"
        ).fetchall()
        told = [
            name
            for schema, name in tables
            if "ma_so_thue_moi"
            in str(conn.execute(f"select * from {schema}.{name}".encode()).fetchall())
        ]
    assert told, "the new column stands nowhere on record"


@pytest.mark.parametrize(
    "change",
    [
        "alter table tst.don_vi drop column ma_khoi",
        "alter table tst.don_vi rename column ma_khoi to khoi",
    ],
)
def test_a_lost_source_column_blocks_and_is_named(warehouse: Product, change: str) -> None:
    begin(warehouse)
    with psycopg.connect(warehouse.source_admin_url) as source:
        source.execute(change.encode())
    told = "\n".join(extract_group(warehouse.settings, "registers", DAY).stopped)
    assert "blocked" in told
    assert "ma_khoi" in told
    assert in_force(warehouse, "employers", "ma_don_vi") == [("TA0001A",)]
