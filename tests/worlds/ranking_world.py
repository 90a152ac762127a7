"""A province with ranked agencies and officers, and builds of it with periods of the test."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build.dbt import build_variables
from chotso.build.scratch import drop_foreign_keys
from chotso.registers import CONFIG_DIR, Registers, load_registers
from chotso.warehouse.connect import connect
from tests.worlds.build_warehouse import Warehouse, dbt_into
from tests.worlds.build_world import World, instant

NIGHT = "2022-01-05T01:00"
HI, DEBT, GATE = "collection_hi", "arrears_ratio_hi", "arrears_ratio_total"
MODELS = "int_emulation_periods+ int_emulation_metrics+"


@dataclass(frozen=True)
class Ranked:
    """One warehouse; configurations are written to `folder`."""

    warehouse: Warehouse
    folder: Path

    def registers(self, periods: list[dict[str, Any]]) -> Registers:
        """The shipped configuration with other periods."""
        folder = self.folder / "config"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for path in CONFIG_DIR.glob("*.yml"):
            shutil.copy(path, folder)
        text = yaml.safe_dump({"periods": periods}, allow_unicode=True)
        (folder / "periods.yml").write_text(text, encoding="utf-8")
        return load_registers(folder)

    def build(
        self,
        schema: str,
        periods: list[dict[str, Any]],
        *,
        cutoff: datetime | None = None,
        select: str | None = None,
    ) -> None:
        """Build all or the selected models into a schema, and run their data tests."""
        variables = build_variables(self.registers(periods), instant(NIGHT), cutoff)
        command = ["build", "--exclude-resource-type", "unit_test"]
        with connect(self.warehouse.settings) as conn:
            drop_foreign_keys(conn, schema)
        dbt_into(
            self.warehouse.settings,
            schema,
            variables,
            tuple(command + (["--select", select] if select else [])),
        )

    def rows(self, schema: str, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a mart as dicts."""
        conditions = [
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
            for name, value in where.items()
        ]
        query = sql.SQL("select * from {} where {}").format(
            sql.Identifier(schema, table), sql.SQL(" and ").join([sql.SQL("true"), *conditions])
        )
        with psycopg.connect(self.warehouse.admin_url, row_factory=dict_row) as conn:
            return conn.execute(query).fetchall()


def period(period_id: str = "p", **changes: Any) -> dict[str, Any]:
    """A period in the form of config/periods.yml."""
    return {
        "id": period_id,
        "name_vi": "Đợt thử",
        "name_en": "A trial",
        "starts_on": "2021-10-01",
        "cutoff_at": "2021-12-31T17:00:00+07:00",
        "time_zone": "Asia/Ho_Chi_Minh",
        "gates": [GATE],
        "weights": {HI: "40", DEBT: "60"},
        "officer_weights": {HI: "12.5"},
        "ties": [HI],
        "limits": {},
    } | changes


def write_agency(
    world: World, number: int, collected: int, plan: str | None, owed: int | None, gate: str = "2"
) -> None:
    """An agency with one employer, its payments, and its arrears of a receivable of one million."""
    code, employer = f"072{number:02d}", f"E{number:02d}"
    world.agency(code, ten=f"BHXH huyện {chr(64 + number)}")
    world.employer(employer, agency=code)
    world.payment(f"D{number}", "2021-12-02T10:00", ("BHYT", collected, 0), agency=code,
                  employer=employer)  # fmt: skip
    if plan is not None:
        world.plan("THU_BHYT", plan, target=code)
    world.plan("NO_BHYT", "0.9", target=code)
    world.plan("NO_TONG", gate, target=code)
    if owed is not None:
        world.account(employer, "2021-12", code, ck_bhyt=owed, ps_bh=-1, ps_yt=1_000_000, ps_tn=1)


def write_officer(world: World, code: str, agency: str, plans: Mapping[str, str]) -> None:
    """An officer with plans, in charge of the agency's employer."""
    world.row("officers", ma_can_bo=code, ho_ten=f"Nguyễn Văn {code}", ma_co_quan=agency)
    world.row(
        "assignments", ma_don_vi=f"E{agency[-2:]}", tu_ngay="2021-01-01", ma_can_bo=code
    )  # fmt: skip
    for measure, value in plans.items():
        world.row(
            "plans", so_quyet_dinh="1", ngay_ky="2021-01-01", don_vi_giao="BHXH", nam=2021,
            loai_doi_tuong="CAN_BO", ma_doi_tuong=code, chi_tieu=measure, gia_tri=value,
            hieu_luc_tu="2021-01-01",
        )  # fmt: skip
