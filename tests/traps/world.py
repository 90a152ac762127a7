"""A source of a few rows that keeps the contract, to be changed by one trap at a time."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import date, datetime, timedelta, timezone
from typing import Any

import psycopg
from psycopg import sql

from chotso.ingest.night import extract_group
from tests.oracle.hostile.tst import create_schema, write_snapshot
from tests.worlds.product import SOURCE_LOGIN, Product

LOCAL = timezone(timedelta(hours=7))
CLOCK = datetime(2021, 11, 3, 1, tzinfo=LOCAL)
DAY = date(2021, 11, 2)
_CHANGED = datetime(2021, 11, 2, 9, tzinfo=LOCAL)

Tables = dict[str, list[dict[str, Any]]]

_TABLES: Tables = {
    "co_quan": [
        {"ma_co_quan": "072", "ten": "Tỉnh thử", "cap": 1, "hieu_luc_tu": date(1995, 2, 16)},
        {
            "ma_co_quan": "07201",
            "ten": "Huyện thử",
            "ma_cap_tren": "072",
            "cap": 2,
            "ma_huyen": "701",
            "hieu_luc_tu": date(1995, 2, 16),
        },
    ],
    "can_bo": [{"ma_can_bo": "CB001", "ho_ten": "Cán bộ thử", "ma_co_quan": "07201"}],
    "don_vi": [
        {
            "ma_don_vi": "TA0001A",
            "ten": "Công ty thử",
            "ma_co_quan": "07201",
            "ngan_sach": False,
            "chu_ky_dong": 1,
            "trang_thai": "HOAT_DONG",
        }
    ],
    "phan_cong": [{"ma_don_vi": "TA0001A", "tu_ngay": date(2021, 1, 1), "ma_can_bo": "CB001"}],
    "chung_tu": [
        {
            "so_chung_tu": f"UNC-{n}",
            "ma_don_vi": "TA0001A",
            "ma_co_quan": "07201",
            "hinh_thuc": "UNC",
            "ngay_ghi_co": datetime(2021, 11, 1, 8, tzinfo=LOCAL),
            "so_tien": 1000 * n,
            "trang_thai": "HIEU_LUC",
            "ngay_nhap": _CHANGED,
        }
        for n in (1, 2, 3)
    ],
    "phan_bo": [
        {
            "so_chung_tu": f"UNC-{n}",
            "so_dong": 1,
            "quy": "HTTT",
            "thang": date(2021, 10, 1),
            "tien_goc": 1000 * n,
            "tien_lai": 0,
        }
        for n in (1, 2, 3)
    ],
    "tham_gia": [
        {
            "ma_qua_trinh": n,
            "ma_so_bhxh": f"790000000{n}",
            "loai": "BHXHBB",
            "ma_don_vi": "TA0001A",
            "ma_co_quan": "07201",
            "tu_thang": date(2021, 1, 1),
            "trang_thai": "HIEU_LUC",
            "ngay_nhap": _CHANGED,
        }
        for n in (1, 2, 3)
    ],
}


def tables(**instead: list[dict[str, Any]]) -> Tables:
    """All tables; the named ones with other rows. Every row gets its `ngay_sua`."""
    made: Mapping[str, list[dict[str, Any]]] = {**_TABLES, **instead}
    return {n: [{"ngay_sua": _CHANGED, **deepcopy(r)} for r in rows] for n, rows in made.items()}


def write(warehouse: Product, found: Tables, clock: datetime = CLOCK) -> None:
    """Bring the source to a state, in one transaction."""
    with psycopg.connect(warehouse.source_admin_url) as conn:
        write_snapshot(conn, found, clock)


def begin(warehouse: Product, *others: str) -> None:
    """A source of a few rows, its registers and other groups published; what was there is gone."""
    _empty(warehouse)
    with psycopg.connect(warehouse.source_admin_url) as conn:
        create_schema(conn, SOURCE_LOGIN)
    write(warehouse, tables())
    for group in ("registers", *others):
        stopped = extract_group(warehouse.settings, group, DAY).stopped
        assert not stopped, stopped


def _empty(warehouse: Product) -> None:
    """The warehouse as `migrate` leaves it, so that the same clock can be lived through again."""
    with psycopg.connect(warehouse.admin_url) as conn:
        found = conn.execute(
            "select schemaname, tablename from pg_tables "
            "where schemaname in ('raw', 'quarantine', 'ops')"
        ).fetchall()
        named = sql.SQL(", ").join(sql.Identifier(*names) for names in found)
        conn.execute(sql.SQL("truncate {} cascade").format(named))


def in_force(warehouse: Product, feed: str, columns: str) -> list[tuple[Any, ...]]:
    """Rows in force of a feed, sorted."""
    query = f"select {columns} from raw.{feed} where known_to is null order by 1".encode()
    with psycopg.connect(warehouse.admin_url) as conn:
        return conn.execute(query).fetchall()
