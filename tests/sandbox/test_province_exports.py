"""C12 exports of the synthetic province: identities, which months, layouts, headers, same bytes."""

import hashlib
import io
import os
import subprocess
import sys
from collections import Counter
from datetime import date, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from chotso.sandbox.province.c12_export import Export, exports
from chotso.sandbox.province.c12_layout import COLUMNS_109, COLUMNS_110
from chotso.sandbox.province.deliveries import deliveries
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.world import World, make_world

GROUPS = (("bhxh", "bh"), ("bhyt", "yt"), ("bhtn", "tn"))
Accounts = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(Parameters(3_000, 80, 2021, 5, "none"), lambda _: None)


@pytest.fixture(scope="module")
def all_exports(world: World) -> list[Export]:
    timeline = world.parameters.timeline
    return list(exports(world.book, timeline, None, timeline.horizon))


def accounts(export: Export) -> Accounts:
    return {str(row["madvi"]): row for rows in export.sheets.values() for row in rows}


def test_identities_hold_in_every_export(all_exports: list[Export]) -> None:
    for export in all_exports:
        for row in accounts(export).values():
            for long, short in GROUPS:
                assert row[f"_ck_{long}"] == (
                    row[f"_dk_{long}"] + row[f"_ps_{short}"] + row[f"_bst_{short}"]
                    - row[f"_bsg_{short}"] - row[f"_dt_{long}"]
                )  # fmt: skip
            accrued = row["_lai1_ps"] + row["_lai2_ps"] + row["_lai3_ps"]
            assert row["_ck_lai"] == row["_dk_lai"] + accrued - row["_dt_lai"]


def test_openings_are_the_closings_before_on_every_night(all_exports: list[Export]) -> None:
    newest: dict[int, Accounts] = {}
    for position, export in enumerate(all_exports):
        newest[export.month] = accounts(export)
        following = all_exports[position + 1 : position + 2]
        if following and following[0].at == export.at:
            continue
        for month in range(1, export.month + 1):
            for code, row in newest[month].items():
                before = newest[month - 1].get(code)
                for field in ("bhxh", "bhyt", "bhtn", "lai"):
                    assert row[f"_dk_{field}"] == (before[f"_ck_{field}"] if before else 0)


def test_current_month_every_night_and_changed_ones_before_it(
    world: World, all_exports: list[Export]
) -> None:
    timeline = world.parameters.timeline
    nights = Counter(export.at for export in all_exports)
    december = [at for at in nights if timeline.month_start(11) <= at < timeline.month_start(12)]
    assert len(december) == 32  # every night, and once more before the cutoff
    restated = Counter(e.month for e in all_exports if e.at >= timeline.month_start(e.month + 1))
    assert restated[10] >= 1
    assert restated[11] >= 1
    newest: dict[int, Accounts] = {}
    for export in all_exports:
        found = accounts(export)
        if export.at >= timeline.month_start(export.month + 1):
            assert found != newest[export.month]
        newest[export.month] = found


def test_an_employer_that_moves_is_restated_on_another_sheet(all_exports: list[Export]) -> None:
    sheets: dict[tuple[int, str], set[str]] = {}
    for export in all_exports:
        for agency, rows in export.sheets.items():
            for row in rows:
                sheets.setdefault((export.month, str(row["madvi"])), set()).add(agency)
    assert any(len(found) > 1 for found in sheets.values())


def test_every_export_has_a_sheet_of_every_agency(all_exports: list[Export]) -> None:
    for export in all_exports:
        assert list(export.sheets) == [f"072{n:02d}" for n in range(10)]


def read_month(value: object) -> date:
    if isinstance(value, datetime | date):
        return date(value.year, value.month, 1)
    text = str(int(value)) if isinstance(value, float) else str(value)
    if "/" in text:
        return date(int(text[3:]), int(text[:2]), 1)
    return date(int(text[:4]), int(text[4:]), 1)


def test_workbooks_say_what_the_exports_say(world: World) -> None:
    timeline = world.parameters.timeline
    after, until = timeline.month_start(11), timeline.month_start(11) + 2 * 86_400
    headers, layouts = set(), set()
    for each in deliveries(world.parameters, world.book, [], after, until):
        book = CalamineWorkbook.from_filelike(io.BytesIO(each.content))
        assert book.sheet_names == list(each.logged["sheets"])
        total = 0
        for agency, rows in each.logged["sheets"].items():
            found = book.get_sheet_by_name(agency).to_python(skip_empty_area=False)
            headers.add(tuple(bool(any(line)) for line in found[:2]))
            columns = COLUMNS_110 if agency in ("07204", "07207") else COLUMNS_109
            layouts.add(len(columns))
            assert len(found) == len(rows) + 2
            total += len(rows)
            for cells, row in zip(found[2:], rows, strict=True):
                for column, cell in zip(columns, cells, strict=False):
                    if column == "thang":
                        assert read_month(cell).isoformat() == row["thang"]
                    elif column in row:
                        assert cell == row[column]
        assert total == each.row_count
    assert headers == {(True, True), (True, False), (False, False)}
    assert layouts == {109, 110}


DIGEST = """
import hashlib
from chotso.sandbox.province.deliveries import deliveries
from chotso.sandbox.province.event_log import state_lines
from chotso.sandbox.province.parameters import Parameters
from chotso.sandbox.province.world import make_world
world = make_world(Parameters(2_000, 70, 2021, 9, "all"), lambda _: None)
digest, until = hashlib.sha256(), world.parameters.timeline.cutoff
for table in world.tables:
    for line in state_lines(table, table.newest(None, until)):
        digest.update(line.encode())
for each in deliveries(world.parameters, world.book, world.plans, None, until):
    digest.update(each.name.encode() + each.content)
print(digest.hexdigest())
"""


def digest_with(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_same_seed_same_bytes_in_any_process() -> None:
    assert digest_with("1") == digest_with("2") != hashlib.sha256().hexdigest()
