"""Schema `tst` of the collection system: its tables, bulk writing, control totals and clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

Value = str | int | bool | None

INVENTED = "Dữ liệu giả định, do máy sinh ra: không phải số liệu thật. Invented data."
READER_LOGIN = "chotso_source"


@dataclass(frozen=True, slots=True)
class SourceTable:
    """One table: columns in order with their types, and how many of them are the key."""

    name: str
    key_columns: int
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """Column names."""
        return [name for name, _ in self.columns]


def _table(name: str, key_columns: int, columns: str) -> SourceTable:
    pairs = [entry.strip().rsplit(" ", 1) for entry in columns.split(",")]
    return SourceTable(name, key_columns, tuple((left, right) for left, right in pairs))


CO_QUAN = _table(
    "co_quan",
    1,
    "ma_co_quan text, ten text, ma_cap_tren text, cap smallint, ma_huyen text, hieu_luc_tu date, "
    "hieu_luc_den date, ngay_sua timestamptz",
)
CAN_BO = _table("can_bo", 1, "ma_can_bo text, ho_ten text, ma_co_quan text, ngay_sua timestamptz")
DON_VI = _table(
    "don_vi",
    1,
    "ma_don_vi text, ten text, ma_khoi text, ma_co_quan text, ngan_sach boolean, "
    "chu_ky_dong smallint, trang_thai text, ngay_sua timestamptz",
)
PHAN_CONG = _table(
    "phan_cong",
    2,
    "ma_don_vi text, tu_ngay date, den_ngay date, ma_can_bo text, ngay_sua timestamptz",
)
CHUNG_TU = _table(
    "chung_tu",
    1,
    "so_chung_tu text, ma_don_vi text, ma_co_quan text, hinh_thuc text, ngay_ghi_co timestamptz, "
    "so_tien bigint, trang_thai text, ngay_nhap timestamptz, ngay_sua timestamptz",
)
PHAN_BO = _table(
    "phan_bo",
    2,
    "so_chung_tu text, so_dong integer, quy text, thang date, tien_goc bigint, tien_lai bigint, "
    "ngay_sua timestamptz",
)
THAM_GIA = _table(
    "tham_gia",
    1,
    "ma_qua_trinh bigint, ma_so_bhxh text, ho_ten text, ngay_sinh text, gioi_tinh text, loai text, "
    "nhom_bhyt smallint, ma_don_vi text, ma_co_quan text, tu_thang date, den_thang date, "
    "trang_thai text, ngay_nhap timestamptz, ngay_sua timestamptz",
)
TABLES = (CO_QUAN, CAN_BO, DON_VI, PHAN_CONG, CHUNG_TU, PHAN_BO, THAM_GIA)

# For the warehouse's queries: changes by ngay_sua, months by their dates.
_INDEXES = {
    "chung_tu": ("ngay_sua", "ngay_ghi_co"),
    "phan_bo": ("ngay_sua",),
    "tham_gia": ("ngay_sua", "tu_thang"),
}
# A month of doi_soat is the local month, whatever the session's time zone is.
_TOTALS = """
insert into tst.doi_soat (bang, thang, so_dong, tong_tien, tinh_luc)
with documents as (
    select so_chung_tu, so_tien,
        date_trunc('month', ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh')::date as thang
    from tst.chung_tu
),
final as (
    select 'chung_tu' as bang, thang, count(*) as so_dong, sum(so_tien) as tong_tien
    from documents group by thang
    union all
    select 'phan_bo', documents.thang, count(*), sum(phan_bo.tien_goc + phan_bo.tien_lai)
    from tst.phan_bo join documents using (so_chung_tu) group by documents.thang
    union all
    select 'tham_gia', tu_thang, count(*), 0 from tst.tham_gia group by tu_thang
)
select bang, thang, so_dong, tong_tien, %s from final
"""


def create_schema(connection: psycopg.Connection) -> None:
    """Drops schema `tst` with its content and makes it again, without keys and indexes."""
    connection.execute("drop schema if exists tst cascade")
    connection.execute("create schema tst")
    connection.execute(sql.SQL("comment on schema tst is {}").format(sql.Literal(INVENTED)))
    for table in TABLES:
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns)
        connection.execute(f"create table tst.{table.name} ({columns})".encode())
        comment = sql.SQL("comment on table {} is {}").format(
            sql.Identifier("tst", table.name), sql.Literal(INVENTED)
        )
        connection.execute(comment)
    connection.execute(
        "create table tst.doi_soat (bang text, thang date, so_dong bigint, tong_tien bigint, "
        "tinh_luc timestamptz, primary key (bang, thang))"
    )
    connection.execute(
        "create table tst.dong_ho (id integer primary key check (id = 1), bay_gio timestamptz)"
    )


def finish_schema(connection: psycopg.Connection) -> None:
    """Adds keys and indexes, and grants rights to the reading login if it exists."""
    for table in TABLES:
        key = ", ".join(table.names[: table.key_columns])
        connection.execute(f"alter table tst.{table.name} add primary key ({key})".encode())
        for column in _INDEXES.get(table.name, ()):
            connection.execute(f"create index on tst.{table.name} ({column})".encode())
    found = connection.execute("select 1 from pg_roles where rolname = %s", [READER_LOGIN])
    if found.fetchone():
        reader = sql.Identifier(READER_LOGIN)
        connection.execute(sql.SQL("grant usage on schema tst to {}").format(reader))
        connection.execute(sql.SQL("grant select on all tables in schema tst to {}").format(reader))


def copy_text(table: SourceTable, columns: list[list[Value]]) -> bytes:
    """Rows in the text format of COPY."""
    shown = [_copy_column(kind, values) for (_, kind), values in
             zip(table.columns, columns, strict=True)]  # fmt: skip
    return "".join("\t".join(row) + "\n" for row in zip(*shown, strict=True)).encode()


def _copy_column(kind: str, values: list[Value]) -> list[str]:
    if kind == "text":
        return ["\\N" if v is None else str(v).replace("\\", "\\\\") for v in values]
    return ["\\N" if v is None else str(v) for v in values]


def fill(
    connection: psycopg.Connection, table: SourceTable, chunks: Iterable[list[list[Value]]]
) -> int:
    """Streams rows into an empty table; returns their number."""
    count = 0
    with connection.cursor().copy(f"copy tst.{table.name} from stdin".encode()) as copy:
        for columns in chunks:
            count += len(columns[0])
            copy.write(copy_text(table, columns))
    return count


def upsert(
    connection: psycopg.Connection,
    table: SourceTable,
    columns: list[list[Value]],
    deleted: list[bool],
) -> None:
    """Upserts the newest version of each key, or deletes the row."""
    name = f"changed_{table.name}"
    spelled = ", ".join(f"{column} {kind}" for column, kind in table.columns)
    connection.execute(
        f"create temporary table {name} ({spelled}, is_deleted boolean) on commit drop".encode()
    )
    with_flag = SourceTable(name, 1, (*table.columns, ("is_deleted", "boolean")))
    flags: list[Value] = list(deleted)
    with connection.cursor().copy(f"copy {name} from stdin".encode()) as copy:
        copy.write(copy_text(with_flag, [*columns, flags]))
    keys = table.names[: table.key_columns]
    same = " and ".join(f"held.{key} = {name}.{key}" for key in keys)
    connection.execute(
        f"delete from tst.{table.name} held using {name} where is_deleted and {same}".encode()
    )
    names = ", ".join(table.names)
    updates = ", ".join(f"{column} = excluded.{column}" for column in table.names)
    connection.execute(
        f"insert into tst.{table.name} ({names}) select {names} from {name} "
        f"where not is_deleted on conflict ({', '.join(keys)}) do update set {updates}".encode()
    )


def set_clock(connection: psycopg.Connection, now: datetime) -> None:
    """Sets the source's clock and computes the control totals as of it."""
    connection.execute("delete from tst.doi_soat")
    connection.execute(_TOTALS, [now])
    connection.execute("delete from tst.dong_ho")
    connection.execute("insert into tst.dong_ho (id, bay_gio) values (1, %s)", [now])


def read_clock(connection: psycopg.Connection) -> datetime | None:
    """The source's clock; None if there is no province."""
    found = connection.execute("select to_regclass('tst.dong_ho') is not null").fetchone()
    if not found or not found[0]:
        return None
    row = connection.execute("select bay_gio from tst.dong_ho where id = 1").fetchone()
    return row[0] if row else None
