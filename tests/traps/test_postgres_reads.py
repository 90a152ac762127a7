"""Values that PostgreSQL reads as something else than was meant, in silence."""

import re
from datetime import date, datetime

import psycopg
import pytest

from chotso.calendar import LOCAL_ZONE, local_midnight
from chotso.contracts import Column
from chotso.source.cells import UnreadableError, read_cell

pytestmark = pytest.mark.warehouse

DAY = Column(type="date", description="a day")
MONEY = Column(type="bigint", description="đồng")


def test_day_and_month_change_places(conn: psycopg.Connection) -> None:
    """03/04/2025 is 3 April here; a server's default reads 4 March."""
    conn.execute("set datestyle to 'ISO, MDY'")
    row = conn.execute("select date '03/04/2025'").fetchone()
    assert row == (date(2025, 3, 4),)
    assert read_cell("03/04/2025", DAY) == date(2025, 4, 3)
    with pytest.raises(UnreadableError):
        read_cell("04/13/2025", DAY)  # never silently turned round


def test_nan_is_not_less_than_zero(conn: psycopg.Connection) -> None:
    row = conn.execute("select 'NaN'::numeric >= 0, 'NaN'::float8 >= 0").fetchone()
    assert row == (True, True)
    for text in ("NaN", "nan"):
        with pytest.raises(UnreadableError):
            read_cell(text, MONEY)
        with pytest.raises(UnreadableError):
            read_cell(text, Column(type="numeric", description="a number"))


def test_a_zone_named_by_its_offset_has_the_sign_reversed(conn: psycopg.Connection) -> None:
    query = "select timestamptz '2021-12-31 17:00:00+00' at time zone %s"
    naive = conn.execute(query, ["UTC+7"]).fetchone()
    right = conn.execute(query, ["Asia/Ho_Chi_Minh"]).fetchone()
    assert naive == (datetime(2021, 12, 31, 10),)
    assert right == (datetime(2022, 1, 1),)
    first = local_midnight(date(2022, 1, 1))
    assert first == datetime(2022, 1, 1, tzinfo=LOCAL_ZONE)
    assert first.utcoffset() == LOCAL_ZONE.utcoffset(datetime(2022, 1, 1))
    assert str(first.astimezone(tz=None).astimezone(LOCAL_ZONE)).endswith("+07:00")


def test_no_sql_of_ours_names_a_zone_by_its_offset() -> None:
    from chotso import PROJECT_ROOT

    folders = ("chotso", "dbt_project", "expectations")
    read = [
        p for f in folders for p in (PROJECT_ROOT / f).rglob("*") if p.suffix in (".sql", ".py")
    ]
    assert len(read) > 50
    named = re.compile(r"at time zone\s+'(utc|gmt|etc/gmt)?[+-]?\d", re.IGNORECASE)
    assert named.search("x at time zone 'UTC+7'")
    wrong = [path for path in read if named.search(path.read_text("utf-8"))]
    assert not wrong, wrong
