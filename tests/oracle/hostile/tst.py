"""Schema `tst` on a real PostgreSQL, exactly the tables of the source contract."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import psycopg
from psycopg import sql

from tests.oracle.model import Row

TABLES: Mapping[str, str] = {
    "co_quan": "ma_co_quan text primary key, ten text, ma_cap_tren text, cap smallint, "
    "ma_huyen text, hieu_luc_tu date, hieu_luc_den date, ngay_sua timestamptz",
    "can_bo": "ma_can_bo text primary key, ho_ten text, ma_co_quan text, ngay_sua timestamptz",
    "don_vi": "ma_don_vi text primary key, ten text, ma_khoi text, ma_co_quan text, "
    "ngan_sach boolean, chu_ky_dong smallint, trang_thai text, ngay_sua timestamptz",
    "phan_cong": "ma_don_vi text, tu_ngay date, den_ngay date, ma_can_bo text, "
    "ngay_sua timestamptz, primary key (ma_don_vi, tu_ngay)",
    "chung_tu": "so_chung_tu text primary key, ma_don_vi text, ma_co_quan text, hinh_thuc text, "
    "ngay_ghi_co timestamptz, so_tien bigint, trang_thai text, ngay_nhap timestamptz, "
    "ngay_sua timestamptz",
    "phan_bo": "so_chung_tu text, so_dong int, quy text, thang date, tien_goc bigint, "
    "tien_lai bigint, ngay_sua timestamptz, primary key (so_chung_tu, so_dong)",
    "tham_gia": "ma_qua_trinh bigint primary key, ma_so_bhxh text, ho_ten text, ngay_sinh text, "
    "gioi_tinh text, loai text, nhom_bhyt smallint, ma_don_vi text, ma_co_quan text, "
    "tu_thang date, den_thang date, trang_thai text, ngay_nhap timestamptz, ngay_sua timestamptz",
    "doi_soat": "bang text, thang date, so_dong bigint, tong_tien bigint, tinh_luc timestamptz, "
    "primary key (bang, thang)",
    "dong_ho": "id int primary key check (id = 1), bay_gio timestamptz not null",
}

CONTROL_TOTALS = """
with document_months as (
    select so_chung_tu, so_tien,
           date_trunc('month', ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh')::date as thang
    from tst.chung_tu
),
final as (
    select 'chung_tu' as bang, thang, count(*) as so_dong, sum(so_tien) as tong_tien
    from document_months group by thang
    union all
    select 'phan_bo', document_months.thang, count(*), sum(tien_goc + tien_lai)
    from tst.phan_bo join document_months using (so_chung_tu) group by document_months.thang
    union all
    select 'tham_gia', tu_thang, count(*), 0 from tst.tham_gia group by tu_thang
)
insert into tst.doi_soat select bang, thang, so_dong, tong_tien, %s from final
"""


def create_schema(connection: psycopg.Connection, reader: str | None) -> None:
    """Make an empty `tst`, readable by a login where one is named."""
    connection.execute("drop schema if exists tst cascade")
    connection.execute("create schema tst")
    for table, columns in TABLES.items():
        statement = sql.SQL("create table {} (" + columns + ")")
        connection.execute(statement.format(sql.Identifier("tst", table)))
    if reader:
        role = sql.Identifier(reader)
        connection.execute(sql.SQL("grant usage on schema tst to {}").format(role))
        connection.execute(sql.SQL("grant select on all tables in schema tst to {}").format(role))


def write_snapshot(
    connection: psycopg.Connection, tables: Mapping[str, Iterable[Row]], clock: datetime
) -> None:
    """Bring every table, the control totals and the clock to one state, in one transaction."""
    with connection.transaction():
        for table, rows in tables.items():
            connection.execute(sql.SQL("delete from {}").format(sql.Identifier("tst", table)))
            for row in rows:
                statement = sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier("tst", table),
                    sql.SQL(", ").join(sql.Identifier(column) for column in row),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                )
                connection.execute(statement, list(row.values()))
        connection.execute("delete from tst.doi_soat")
        connection.execute(CONTROL_TOTALS, (clock,))
        connection.execute("delete from tst.dong_ho")
        connection.execute("insert into tst.dong_ho values (1, %s)", (clock,))
