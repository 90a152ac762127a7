"""A source of a few hand-made rows, some of them wrong, for tests of quarantine."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import xlsxwriter
from psycopg import sql
from psycopg.rows import dict_row

from chotso.calendar import LOCAL_ZONE
from chotso.contracts import FileSource, contract_of
from chotso.ingest.night import extract_group
from chotso.ingest.waiting import GroupReport
from chotso.quarantine.rows import AsideRow, rows_set_aside
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from tests.oracle.hostile.tst import CONTROL_TOTALS, create_schema
from tests.worlds.product import SOURCE_LOGIN, Product, product

DAY = date(2021, 11, 1)
FIRST = datetime(2021, 11, 2, 1, tzinfo=LOCAL_ZONE)
CREDITED = datetime(2021, 10, 15, 9, tzinfo=LOCAL_ZONE)
GROUPS = ("registers", "contributions", "participations", "c12", "plans")
NAME, NUMBER, SHORT_NUMBER = "Nguyễn Thị Thử", "7912345678", "791234567"
PLAN_HEADER = (
    "so_quyet_dinh", "ngay_ky", "don_vi_giao", "nam", "loai_doi_tuong", "ma_doi_tuong", "chi_tieu",
    "gia_tri", "hieu_luc_tu",
)  # fmt: skip


@dataclass
class QuarantineWorld:
    """A warehouse whose source the test may change row by row."""

    warehouse: Product
    clock: datetime = FIRST

    @property
    def settings(self) -> Settings:
        return self.warehouse.settings

    def source(self, statement: str, *values: object) -> None:
        """Change the source, and its clock and control totals."""
        with psycopg.connect(self.warehouse.source_admin_url) as conn:
            conn.execute(statement.encode(), values or None)
            conn.execute("delete from tst.doi_soat")
            conn.execute(CONTROL_TOTALS, (self.clock,))

    def tick(self, **passed: float) -> None:
        """Advance the source's clock."""
        self.clock += timedelta(**(passed or {"hours": 1}))
        self.source("update tst.dong_ho set bay_gio = %s", self.clock)

    def insert(self, table: str, **values: object) -> None:
        columns = sql.SQL(", ").join(map(sql.Identifier, values))
        with psycopg.connect(self.warehouse.source_admin_url) as conn:
            conn.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier("tst", table),
                    columns,
                    sql.SQL(", ").join(sql.Placeholder() * len(values)),
                ),
                list(values.values()),
            )
        self.source("select 1")

    def payment(self, number: str, amount: int, agency: str = "07201") -> None:
        self.insert(
            "chung_tu", so_chung_tu=number, ma_don_vi="TA0001A", ma_co_quan=agency,
            hinh_thuc="UNC", ngay_ghi_co=CREDITED, so_tien=amount, trang_thai="HIEU_LUC",
            ngay_nhap=CREDITED, ngay_sua=self.clock,
        )  # fmt: skip

    def line(self, number: str, line: int, amount: int, fund: str = "HTTT") -> None:
        self.insert(
            "phan_bo", so_chung_tu=number, so_dong=line, quy=fund, thang=date(2021, 10, 1),
            tien_goc=amount, tien_lai=0, ngay_sua=self.clock,
        )  # fmt: skip

    def spell(self, code: int, number: str, agency: str = "07201") -> None:
        self.insert(
            "tham_gia", ma_qua_trinh=code, ma_so_bhxh=number, ho_ten=NAME, ngay_sinh="01/02/1980",
            gioi_tinh="Nữ", loai="BHYT", nhom_bhyt=1, ma_don_vi="TA0001A", ma_co_quan=agency,
            tu_thang=date(2021, 10, 1), trang_thai="HIEU_LUC", ngay_nhap=CREDITED,
            ngay_sua=self.clock,
        )  # fmt: skip

    def accounts(
        self, sheets: dict[str, list[dict[str, Any]]], stated: str = "20211101T200000"
    ) -> Path:
        """Deliver an export of October; cells that are not given are empty."""
        source = contract_of("c12").source
        assert isinstance(source, FileSource)
        path = self.warehouse.drop / f"C12_202110_{stated}.xlsx"
        with xlsxwriter.Workbook(path) as book:
            for agency, rows in sheets.items():
                sheet = book.add_worksheet(agency)
                for number, row in enumerate(rows, start=2):
                    for name, value in ({"thang": "10/2021"} | row).items():
                        write = sheet.write_string if isinstance(value, str) else sheet.write_number
                        write(number, source.sheet_columns.index(name), value)
        return path

    def plans(self, name: str, *rows: dict[str, Any]) -> Path:
        usual = {
            "so_quyet_dinh": "1/QĐ", "ngay_ky": "01/01/2021", "don_vi_giao": "BHXH", "nam": 2021,
            "loai_doi_tuong": "CO_QUAN", "ma_doi_tuong": "07201", "chi_tieu": "THU_BHYT",
            "gia_tri": "1000", "hieu_luc_tu": "01/01/2021",
        }  # fmt: skip
        path = self.warehouse.drop / f"KE_HOACH_{name}.xlsx"
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet("KH")
            sheet.write_row(0, 0, PLAN_HEADER)
            for number, row in enumerate(rows, start=1):
                for column, value in enumerate((usual | row)[name] for name in PLAN_HEADER):
                    write = sheet.write_string if isinstance(value, str) else sheet.write_number
                    write(number, column, value)
        return path

    def extract(self, *groups: str, full: bool = False) -> list[GroupReport]:
        """Extract and publish groups for the clock's day; nothing may be stopped."""
        day = (self.clock - timedelta(hours=2)).astimezone(LOCAL_ZONE).date()
        reports = [extract_group(self.settings, g, day, full=full) for g in groups or GROUPS]
        stopped = [text for report in reports for text in report.stopped]
        assert not stopped, "\n".join(stopped)
        return reports

    def aside(self, feed: str | None = None, ended_too: bool = True) -> list[AsideRow]:
        with connect(self.settings) as conn:
            rows = rows_set_aside(conn, ended_too=ended_too)
        return [row for row in rows if feed in (None, row.feed)]

    def only(self, feed: str) -> AsideRow:
        (row,) = self.aside(feed, ended_too=False)
        return row

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of a superuser's query in the warehouse."""
        with psycopg.connect(self.warehouse.admin_url, row_factory=dict_row) as conn:
            return conn.execute(query.encode(), values or None).fetchall()

    def in_force(self, feed: str) -> list[dict[str, Any]]:
        return self.rows(f"select * from raw.{feed} where known_to is null")

    def act(self, statement: str, *values: object) -> None:
        """Change the warehouse directly, as a superuser."""
        with psycopg.connect(self.warehouse.admin_url) as conn:
            conn.execute(statement.encode(), values or None)


@contextmanager
def quarantine_world(server: SandboxServer, name: str, folder: Path) -> Iterator[QuarantineWorld]:
    """A migrated warehouse; its source has agencies 072 and 07201, an employer and an officer."""
    with product(server, f"aside_{name}", folder) as warehouse:
        with psycopg.connect(warehouse.source_admin_url) as conn:
            create_schema(conn, SOURCE_LOGIN)
            conn.execute("insert into tst.dong_ho values (1, %s)", (FIRST,))
        world = QuarantineWorld(warehouse)
        for code, parent, level in (("072", None, 1), ("07201", "072", 2), ("07202", "072", 2)):
            world.insert(
                "co_quan", ma_co_quan=code, ten=f"BHXH thử {code}", ma_cap_tren=parent, cap=level,
                ma_huyen="703", hieu_luc_tu=date(2010, 1, 1), ngay_sua=CREDITED,
            )  # fmt: skip
        world.insert(
            "don_vi", ma_don_vi="TA0001A", ten="Đơn vị thử", ma_khoi="DN", ma_co_quan="07201",
            ngan_sach=False, chu_ky_dong=1, trang_thai="HOAT_DONG", ngay_sua=CREDITED,
        )  # fmt: skip
        world.insert(
            "can_bo", ma_can_bo="CB001", ho_ten="Cán bộ thử", ma_co_quan="07201",
            ngay_sua=CREDITED,
        )  # fmt: skip
        world.insert(
            "phan_cong", ma_don_vi="TA0001A", tu_ngay=date(2020, 1, 1), ma_can_bo="CB001",
            ngay_sua=CREDITED,
        )  # fmt: skip
        yield world


def account(employer: str, closing: int, **more: Any) -> dict[str, Any]:
    """A row of an export with correct sums: the closing is only this month's payable."""
    return {"madvi": employer, "_ps_bh": closing, "_ck_bhxh": closing} | more


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def money(rows: list[AsideRow]) -> Decimal:
    return sum((row.money for row in rows), Decimal(0))
