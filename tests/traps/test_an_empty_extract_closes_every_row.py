"""An empty extract closes every row of a snapshot table; ours keeps what stood and says so."""

from datetime import timedelta

import psycopg
import pytest

from chotso.ingest.night import extract_group
from tests.traps.world import CLOCK, DAY, begin, in_force, tables, write
from tests.worlds.product import Product

pytestmark = pytest.mark.warehouse


def _snapshot(conn: psycopg.Connection, delivered: list[str]) -> int:
    """Rows left open by a snapshot that closes what a delivery lacks."""
    conn.execute("create temporary table naive (code text, closed bool) on commit drop")
    conn.execute("insert into naive values ('072', false), ('07201', false)")
    conn.execute("update naive set closed = true where not code = any(%s)", [delivered])
    row = conn.execute("select count(*) from naive where not closed").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("relation", "feed", "group"),
    [
        ("co_quan", "agencies", "registers"),
        ("phan_cong", "assignments", "registers"),
    ],
)
def test_an_empty_extract_closes_every_row(
    warehouse: Product, conn: psycopg.Connection, relation: str, feed: str, group: str
) -> None:
    assert _snapshot(conn, []) == 0

    begin(warehouse)
    before = in_force(warehouse, feed, "count(*)")
    write(warehouse, tables(**{relation: []}), CLOCK + timedelta(hours=1))
    told = extract_group(warehouse.settings, group, DAY).stopped
    assert any("whole_read_not_empty" in line for line in told), told
    assert in_force(warehouse, feed, "count(*)") == before
    write(warehouse, tables(), CLOCK + timedelta(hours=1))
    assert not extract_group(warehouse.settings, group, DAY).stopped


def test_a_read_without_changes_is_no_empty_extract(warehouse: Product) -> None:
    """The other side: a quiet night of a feed that reads changes closes and blocks nothing."""
    begin(warehouse, "contributions")
    before = in_force(warehouse, "payments", "so_chung_tu, so_tien")
    assert len(before) == 3
    write(warehouse, tables(), CLOCK + timedelta(days=3))
    assert not extract_group(warehouse.settings, "contributions", DAY).stopped
    assert in_force(warehouse, "payments", "so_chung_tu, so_tien") == before
