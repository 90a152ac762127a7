"""Odd entries in the drop folder, through the whole extract: each stops itself and is told."""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.ingest import drop_register
from chotso.ingest.night import extract_all, extract_group
from chotso.ingest.waiting import GroupReport
from chotso.quarantine.waive import waive_file
from chotso.sandbox.server import SandboxServer
from chotso.source import drop_folder, files
from chotso.status import status_of
from tests.malformed.test_absence_proven import CODES, deliver, in_force, text
from tests.malformed.warehouse import NIGHT, empty_warehouse
from tests.worlds.product import Product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(300)]

NOT_COME = [
    "C12_202201_20310131T080000_07201.csv",
    "C12_000101_00010101T000000_07201.csv",
]
ODD = "C12_202112_20211224T080000_07203.csv"


@pytest.fixture(scope="module")
def warehouse(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    with empty_warehouse(running, tmp_path_factory.mktemp("folder")) as made:
        yield made


@pytest.fixture
def drop(warehouse: Product) -> Path:
    """The drop folder, emptied."""
    for path in warehouse.drop.iterdir():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    return warehouse.drop


def read(warehouse: Product) -> GroupReport:
    return extract_group(warehouse.settings, "c12", NIGHT)


def asked(warehouse: Product, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(warehouse.admin_url) as conn:
        return conn.execute(query.encode(), values).fetchall()


def test_bad_entries_stop_only_themselves(warehouse: Product, drop: Path) -> None:
    key = warehouse.settings.pseudonym_key_file
    assert key is not None
    (drop / "C12_202101_20210121T080000_07201.csv").symlink_to("nowhere")
    (drop / "C12_202101_20210122T080000_07201.csv").symlink_to(key)
    (drop / "C12_202101_20210123T080000.xlsx").symlink_to("/etc", True)
    (drop / "C12_202101_20210124T080000.xlsx").mkdir()
    os.mkfifo(drop / "C12_202101_20210125T080000.xlsx")
    Path(os.fsdecode(os.fsencode(drop) + b"/C12_\xff.xlsx")).write_text("")
    (drop / "loop").symlink_to("loop")
    (drop / "archive").mkdir()
    deliver(drop, 1, "02", text(1, CODES))
    first, again = read(warehouse), read(warehouse)
    assert in_force(warehouse, 1) == CODES
    assert len(first.stopped) == 6
    assert all("is not taken: it" in each for each in first.stopped)
    assert not again.stopped
    assert len([n for n in again.notes if "not taken" in n]) == 7
    assert any("left alone: archive" in n for n in again.notes)
    originals = [p for p in Path(warehouse.settings.landing_url).rglob("*") if p.is_file()]
    assert not [p for p in originals if p.read_bytes() == key.read_bytes()]  # the naive one: 1


def test_near_names_are_named_once_a_night_and_in_status(warehouse: Product, drop: Path) -> None:
    names = ["KEHOACH_1.xlsx", "Bản sao KE_HOACH_1.xlsx", "С12_202101.xlsx", "C12_1.xlsx.part"]
    for name in [*names, "C12_202101_20210101T080000.xlsx.count", ".DS_Store"]:
        (drop / name).write_text("1")
    for _ in range(2):
        reports = {r.group: r for r in extract_all(warehouse.settings, NIGHT)}
        assert not reports["c12"].stopped
        told = dict.fromkeys(n for r in reports.values() for n in r.notes)
        for name in [*names, "C12_202101_20210101T080000.xlsx.count", ".DS_Store"]:
            assert len([each for each in told if name in each]) == 1, name
    found = {e["name"]: e["first_seen"] for e in status_of(warehouse.settings).drop_folder}
    assert {*names, ".DS_Store"} < found.keys()
    (drop / names[0]).unlink()
    read(warehouse)
    left = {e["name"] for e in status_of(warehouse.settings).drop_folder}
    assert names[0] not in left
    assert names[1] in left


@pytest.mark.parametrize("instant", ["20310930T080000", "99991231T235959"])
def test_an_instant_that_has_not_come_waits(warehouse: Product, drop: Path, instant: str) -> None:
    deliver(drop, 2, "02", text(2, CODES))
    late = drop / f"C12_202102_{instant}_07201.csv"
    late.write_text(text(2, CODES[:1]))
    report = read(warehouse)
    assert not report.stopped
    (told,) = [note for note in report.notes if late.name in note]
    assert "after the source's clock" in told
    assert in_force(warehouse, 2) == CODES


def test_it_is_read_when_its_instant_has_come(warehouse: Product, drop: Path) -> None:
    deliver(drop, 3, "02", text(3, CODES))
    (drop / "C12_202103_20220101T080001_07201.csv").write_text(text(3, CODES[:1]))
    assert len(read(warehouse).notes) == 1
    with psycopg.connect(warehouse.source_admin_url) as source:
        source.execute("update tst.dong_ho set bay_gio = '2022-01-01 08:00:01+07'")
    read(warehouse)
    assert in_force(warehouse, 3) == CODES[:1]


@pytest.mark.parametrize("name", NOT_COME)
def test_instants_that_cannot_be_are_not_taken(warehouse: Product, drop: Path, name: str) -> None:
    (drop / name).write_text(text(1, CODES).replace("01/2021", "01/2022"))
    deliver(drop, 4, "02", text(4, CODES))
    report = read(warehouse)
    assert any(name in each for each in [*report.stopped, *report.notes])
    assert in_force(warehouse, 4) == CODES


def test_a_library_that_stumbles_stops_one_file(
    warehouse: Product, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Any = vars(files)["read_delimited"]

    def stumble(path: Path, *given: Any, **named: Any) -> Any:
        if path.name == ODD:
            raise KeyError("xl/styles.xml")
        return real(path, *given, **named)

    monkeypatch.setattr(files, "read_delimited", stumble)
    (drop / ODD).write_text("x")
    deliver(drop, 5, "02", text(5, CODES))
    (stopped,) = read(warehouse).stopped
    assert "ended in an error (KeyError)" in stopped
    assert in_force(warehouse, 5) == CODES


def frozen_from(warehouse: Product, name: str) -> str:
    """A final extract that refused this file; returns the batch."""
    (batch,) = asked(
        warehouse,
        "update ops.batch set final_of = %s where delivery_name = %s returning batch_id",
        f"of {name}", name,
    )[0]  # fmt: skip
    return str(batch)


def held_up(warehouse: Product, name: str) -> list[tuple[Any, ...]]:
    return asked(warehouse, "select named from ops.freeze_stopped(%s)", f"of {name}")


def test_a_refused_file_has_a_way_out(warehouse: Product, drop: Path) -> None:
    junk = {"gone": "C12_202106_20210601T080000.xlsx", "waived": "C12_202106_20210602T080000.xlsx",
            "no delivery": "c12_junk.xlsx", "stays": "C12_202106_20210603T080000.xlsx"}  # fmt: skip
    for name in junk.values():
        (drop / name).write_bytes(b"no workbook")
    assert len(read(warehouse).stopped) == 4
    batches = {name: frozen_from(warehouse, name) for name in junk.values()}
    assert {how for how, name in junk.items() if held_up(warehouse, name)} == {
        "gone", "waived", "stays",
    }  # fmt: skip
    (drop / junk["gone"]).unlink()
    with psycopg.connect(warehouse.admin_url) as conn:
        drop_register.look_for_gone(warehouse.settings, conn, datetime.now().astimezone())
    done = waive_file(
        warehouse.settings, batches[junk["waived"]], reason="một ảnh chụp", by="Nguyễn Văn A"
    )
    assert {how for how, name in junk.items() if held_up(warehouse, name)} == {"stays"}
    told = (Path(warehouse.settings.landing_url) / done.act.landing_path).read_text()
    assert json.loads(told)["subject"]["delivery_name"] == junk["waived"]
    lying = {e["name"] for e in status_of(warehouse.settings).drop_folder}
    assert junk["stays"] in lying
    assert junk["waived"] not in lying
    with pytest.raises(ChotsoError, match="no refused file"):
        waive_file(warehouse.settings, batches[junk["waived"]], reason="x", by="y")


def test_a_file_that_cannot_be_read_holds_up_a_freeze(
    warehouse: Product, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: str) -> Any:
        if path.endswith(ODD):
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = drop_folder.open_file
    monkeypatch.setattr(drop_folder, "open_file", forbidden)
    (drop / ODD).write_text(text(12, CODES))
    deliver(drop, 7, "02", text(7, CODES))
    (stopped,) = read(warehouse).stopped
    assert "Permission denied" in stopped
    assert in_force(warehouse, 7) == CODES
    assert held_up(warehouse, "x") == [(ODD,)]
    monkeypatch.undo()
    read(warehouse)
    assert held_up(warehouse, "x") == []
