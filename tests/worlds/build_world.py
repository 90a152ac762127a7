"""A province of a few hand-made rows, inserted directly into raw as publishing would do it."""

from datetime import date, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

ACCOUNT_AMOUNTS = (
    "dk_bhxh dk_bhyt dk_bhtn ps_bh ps_yt ps_tn bst_bh bst_yt bst_tn bsg_bh bsg_yt bsg_tn "
    "dt_bhxh dt_bhyt dt_bhtn ck_bhxh ck_bhyt ck_bhtn dk_lai lai1_ps lai2_ps lai3_ps dt_lai ck_lai "
    "sld sldtn tql tqlyt tqltn"
).split()


def instant(text: str) -> datetime:
    """`2021-12-31T17:00` is local time; a text with an offset is used as it is."""
    return datetime.fromisoformat(text if "+" in text else f"{text}+07:00")


class World:
    """Inserts batches, raw rows and quarantined rows; `known` is the known_at of new rows."""

    def __init__(self, admin: psycopg.Connection) -> None:
        self.admin = admin
        self.known = instant("2022-01-05T01:00")
        self.spells = 0
        self.rows_set_aside = 0

    def batch(self, business_date: str, known: str, status: str = "published") -> None:
        self.known = instant(known)
        self.admin.execute(
            """
            insert into ops.batch (batch_id, feed, feed_group, business_date, status, read_mode,
                rows_delivered, rows_accepted, rows_quarantined, money_delivered, money_accepted,
                money_quarantined, known_at, code_version)
            values (%s, 'payments', 'contributions', %s, %s, 'changes', 0, 0, 0, 0, 0, 0, %s, 'x')
            """,
            [f"b{known}{status}", business_date, status, self.known],
        )

    def row(self, feed: str, **values: Any) -> None:
        values = {"known_from": self.known, "batch_id": "b"} | values
        self.admin.execute(
            sql.SQL("insert into {} ({}) values ({})").format(
                sql.Identifier("raw", feed),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(sql.Placeholder() * len(values)),
            ),
            list(values.values()),
        )

    def supersede(self, feed: str, at: str, **key: Any) -> None:
        """Close the rows with this key, as publishing the next version does."""
        condition = sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in key.items()
        )
        self.admin.execute(
            sql.SQL("update {} set known_to = {} where known_to is null and {}").format(
                sql.Identifier("raw", feed), sql.Literal(instant(at)), condition
            )
        )

    def agency(self, code: str, parent: str | None = "072", level: int = 2, **more: Any) -> None:
        values = {"ten": f"BHXH {code}", "ma_cap_tren": parent, "cap": level} | more
        self.row("agencies", ma_co_quan=code, **values)

    def employer(self, code: str, agency: str = "07201") -> None:
        self.row(
            "employers", ma_don_vi=code, ten=code, ma_khoi="DN", ma_co_quan=agency,
            ngan_sach=False, chu_ky_dong=1, trang_thai="HOAT_DONG",
        )  # fmt: skip

    def payment(
        self, code: str, credited: str, *lines: tuple[str, int, int], agency: str = "07201",
        employer: str = "TA0001A", status: str = "HIEU_LUC", recorded: str | None = None,
    ) -> None:  # fmt: skip
        """A document with its lines as (fund, principal, interest)."""
        self.row(
            "payments", so_chung_tu=code, ma_don_vi=employer, ma_co_quan=agency, hinh_thuc="UNC",
            ngay_ghi_co=instant(credited), so_tien=sum(p + i for _, p, i in lines),
            trang_thai=status, ngay_nhap=instant(recorded or credited),
        )  # fmt: skip
        for number, (fund, principal, interest) in enumerate(lines, start=1):
            self.row(
                "allocations", so_chung_tu=code, so_dong=number, quy=fund,
                thang=date(2021, 1, 1), tien_goc=principal, tien_lai=interest,
            )  # fmt: skip

    def spell(
        self, person: str, from_month: str, to_month: str | None, scheme: str = "BHYT",
        agency: str = "07201", status: str = "HIEU_LUC", recorded: str = "2021-01-01T00:00",
    ) -> None:  # fmt: skip
        self.spells += 1
        self.row(
            "participations", ma_qua_trinh=self.spells, person_pseudonym=person.ljust(64, "0"),
            number_shape="ok", loai=scheme, ma_don_vi="TA0001A", ma_co_quan=agency,
            tu_thang=f"{from_month}-01", den_thang=f"{to_month}-01" if to_month else None,
            trang_thai=status, ngay_nhap=instant(recorded),
        )  # fmt: skip

    def account(
        self, employer: str, month: str, agency: str = "07201",
        stated: str = "2022-01-01T02:00", **amounts: int,
    ) -> None:  # fmt: skip
        self.row(
            "c12", ma_co_quan=agency, thang=f"{month}-01", madvi=employer,
            stated_at=instant(stated), restated_at=instant(stated), extra=Jsonb({}),
            **(dict.fromkeys(ACCOUNT_AMOUNTS, 0) | amounts),
        )  # fmt: skip

    def plan(
        self, measure: str, value: str, effective: str = "2021-01-01", signed: str = "2021-01-01",
        decision: str = "1/QĐ", target: str = "07201", year: int = 2021,
    ) -> None:  # fmt: skip
        self.row(
            "plans", so_quyet_dinh=decision, ngay_ky=signed, don_vi_giao="UBND", nam=year,
            loai_doi_tuong="CO_QUAN", ma_doi_tuong=target, chi_tieu=measure, gia_tri=value,
            hieu_luc_tu=effective,
        )  # fmt: skip

    def set_aside(
        self, feed: str, row: dict[str, Any], seen: str = "2022-01-01T01:00",
        resolved: str | None = None, status: str = "open",
    ) -> None:  # fmt: skip
        self.rows_set_aside += 1
        self.admin.execute(
            """
            insert into quarantine.row (feed, batch_id, rule_id, rule_ids, row_key, row,
                row_sha256, money, first_seen, last_seen, status, resolved_at)
            select %s, batch_id, 'r', array['r'], %s, %s, %s, 0, %s, %s, %s, %s
            from ops.batch limit 1
            """,
            [
                feed, str(self.rows_set_aside), Jsonb(row), str(self.rows_set_aside),
                instant(seen), instant(seen), status, instant(resolved) if resolved else None,
            ],
        )  # fmt: skip
