"""The same content again changes nothing; other content of the same instant is refused."""

import shutil
from pathlib import Path

import psycopg
import pytest

from chotso.ingest.night import extract_group
from chotso.sandbox.server import SandboxServer
from tests.malformed.case import Case
from tests.malformed.desk import Delivered, Desk
from tests.malformed.warehouse import NIGHT, empty_warehouse, ended, misjudged
from tests.malformed.writing import OLD, delimited_lines, head_lines, write_workbook
from tests.oracle.hostile.c12_files import COLUMNS

pytestmark = [pytest.mark.proof, pytest.mark.warehouse, pytest.mark.timeout(600)]


def test_deliveries_that_come_again(running: SandboxServer, tmp_path: Path) -> None:
    with empty_warehouse(running, tmp_path) as warehouse:
        desk = Desk(warehouse.drop, seed=4, steps=1)
        first = desk.book("first")
        extract_group(warehouse.settings, "c12", NIGHT)
        before = _versions(warehouse.admin_url)
        again = [
            _same_as_csv(desk, first, ",", "utf-8"),
            _same_in_the_old_layout(desk, first),
            _renamed(desk, first),
        ]
        other = _same_instant_other_rows(desk, first)
        extract_group(warehouse.settings, "c12", NIGHT)
        told = ended(warehouse.admin_url)
        wrong = [t for each in [first, *again, other] for t in misjudged(each, told)]
        assert not wrong, "\n".join(wrong)
        assert [told.batches[each.name]["rows_changed"] for each in again] == [0, 0, 0]
        assert _versions(warehouse.admin_url) == before


def _versions(admin_url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(admin_url) as conn:
        return conn.execute(
            "select madvi, thang, ck_bhxh, known_from, known_to from raw.c12 order by 1, 2"
        ).fetchall()


def _same_as_csv(desk: Desk, first: Delivered, delimiter: str, encoding: str) -> Delivered:
    """The workbook's sheet as CSV under the same instant."""
    made = Delivered("the same as CSV", first.name.replace(".xlsx", "_07201.csv"), changes=False)
    made.cases = first.cases
    lines = [*head_lines({}, delimiter), *delimited_lines(first.cases, delimiter=delimiter)]
    desk.path(made).write_bytes(b"".join(lines).decode().encode(encoding))
    return made


def _same_in_the_old_layout(desk: Desk, first: Delivered) -> Delivered:
    """The same accounts in another order and layout, exported a second later."""
    made = Delivered("the same later", f"{desk.stem()}.xlsx", changes=False)
    made.cases = first.cases[::-1]
    write_workbook(desk.path(made), {"07201": made.cases}, columns=OLD, header={})
    return made


def _renamed(desk: Desk, first: Delivered) -> Delivered:
    """The very bytes under the name of a later instant."""
    made = Delivered("renamed", f"{desk.stem()}.xlsx", changes=False)
    made.cases = first.cases
    shutil.copyfile(desk.path(first), desk.path(made))
    return made


def _same_instant_other_rows(desk: Desk, first: Delivered) -> Delivered:
    stem, _, rest = first.name.removesuffix(".xlsx").rpartition("T")
    name = f"{stem}T{rest}_07201x.xlsx"  # sorts after the first one; a workbook names its sheets
    cases: list[Case] = desk.cases("other rows")
    made = Delivered("other rows", name, refusal="the same instant was already stated")
    write_workbook(desk.path(made), {"07201": cases}, header={1: COLUMNS})
    return made
