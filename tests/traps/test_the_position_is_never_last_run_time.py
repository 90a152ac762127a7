"""A position that is the last run's time skips what was committed behind it.

How rows commit late at random, over many nights: `tests/histories`.
"""

from datetime import timedelta

import psycopg
import pytest

from chotso.ingest.night import extract_group
from tests.traps.world import CLOCK, DAY, begin, in_force, tables, write
from tests.worlds.product import Product

pytestmark = pytest.mark.warehouse


def test_the_position_is_the_newest_change_seen_not_the_clock(warehouse: Product) -> None:
    begin(warehouse, "contributions")
    found = tables()
    late = {**found["chung_tu"][0], "so_chung_tu": "UNC-late"}
    # It was entered before the run and committed after it: hours behind the run's time.
    late["ngay_sua"] = found["chung_tu"][0]["ngay_sua"] - timedelta(minutes=59)
    found["chung_tu"].append(late)
    write(warehouse, found, CLOCK + timedelta(days=1))

    with psycopg.connect(warehouse.source_admin_url) as source:
        naive = source.execute(
            "select count(*) from tst.chung_tu where ngay_sua > %s", [CLOCK]
        ).fetchone()
    assert naive == (0,), "the twin reads from its last run on and sees nothing"

    assert not extract_group(warehouse.settings, "contributions", DAY).stopped
    with psycopg.connect(warehouse.admin_url) as conn:
        reached = conn.execute(
            "select position from ops.feed_position where feed = 'payments'"
        ).fetchone()
    assert reached == (found["chung_tu"][0]["ngay_sua"],)
    codes = [code for (code,) in in_force(warehouse, "payments", "so_chung_tu")]
    assert "UNC-late" in codes
