"""Waiving: seen and staying out; recorded for good, and an input of every later release."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from chotso.calendar import LOCAL_ZONE
from chotso.errors import ChotsoError
from chotso.landing import Landing
from chotso.quarantine.replay import replay
from chotso.quarantine.waive import WaiveReport, waive
from chotso.release.bundle.inputs import landed_inputs
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.faults.killing import run_in_child, was_killed
from tests.worlds.quarantine_world import (
    FIRST,
    QuarantineWorld,
    account,
    quarantine_world,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

REASON, NAME = "Chứng từ thử, không phải tiền thật", "Trần Thị Kiểm Soát"


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    folder = tmp_path_factory.mktemp("waive")
    with quarantine_world(running, "waive", folder) as made:
        for number in ("W1", "W2", "W3", "W4"):
            made.payment(number, 500, agency="07299")
        made.payment("W5", 500, agency="07288")
        made.accounts({"07201": [account("TB0001B", 90) | {"_ps_bh": 80}]})
        made.extract()
        made.tick()
        yield made


def row_id(world: QuarantineWorld, key: str) -> int:
    (found,) = [r.id for r in world.aside(ended_too=False) if r.row_key.startswith(key)]
    return found


def versions(world: QuarantineWorld, key: str) -> list[tuple[str, int]]:
    """Status and money of every version of a row that was ever set aside, oldest first."""
    return [(r.status, int(r.money)) for r in world.aside() if r.row_key.startswith(key)]


def waived(world: QuarantineWorld, key: str) -> WaiveReport:
    return waive(world.settings, row_id(world, key), reason=REASON, by=NAME)


def test_a_waived_row_says_who_why_and_when_by_the_source_clock(world: QuarantineWorld) -> None:
    report = waived(world, "W1")
    (row,) = world.rows("select * from quarantine.row where id = %s", report.id)
    assert (row["status"], row["resolution"], row["resolved_by"]) == ("waived", REASON, NAME)
    assert row["resolved_at"] == world.clock
    assert (row["first_seen"], row["last_seen"]) == (FIRST, FIRST)


def test_the_same_version_stays_waived_and_another_is_a_new_row(world: QuarantineWorld) -> None:
    waived(world, "W2")
    world.tick()
    world.source("update tst.chung_tu set ngay_sua = %s where so_chung_tu = 'W2'", world.clock)
    world.extract("contributions")
    assert versions(world, "W2") == [("waived", 500)]
    (row,) = [r for r in world.aside("payments") if r.row_key == "W2"]
    assert row.last_seen == world.clock, "it was delivered again"

    world.tick()
    world.source(
        "update tst.chung_tu set so_tien = 501, ngay_sua = %s where so_chung_tu = 'W2'",
        world.clock,
    )
    world.extract("contributions")
    assert versions(world, "W2") == [("waived", 500), ("open", 501)]

    world.tick()
    world.source(
        "update tst.chung_tu set so_tien = 500, ngay_sua = %s where so_chung_tu = 'W2'",
        world.clock,
    )
    world.extract("contributions")
    assert versions(world, "W2") == [("waived", 500), ("replayed", 501)]


def test_a_waived_version_stays_out_when_nothing_is_wrong_with_it_any_more(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    waived(world, "W3")
    world.tick()
    world.insert(
        "co_quan", ma_co_quan="07299", ten="BHXH thử 07299", ma_cap_tren="072", cap=2,
        ma_huyen="709", hieu_luc_tu=datetime(2010, 1, 1).date(), ngay_sua=world.clock,
    )  # fmt: skip
    # W4 was not waived: the register now has its agency, so it comes in and W3 does not.
    world.source(
        "update tst.chung_tu set ngay_sua = %s where so_chung_tu in ('W3', 'W4')", world.clock
    )
    world.extract("registers", "contributions")
    taken = {r["so_chung_tu"] for r in world.in_force("payments")}
    assert "W4" in taken
    assert "W3" not in taken
    assert versions(world, "W3") == [("waived", 500)]
    (batch,) = world.rows(
        "select * from ops.batch where feed = 'payments' and status = 'published' "
        "order by known_at desc, batch_id desc limit 1"
    )
    assert batch["rows_quarantined"] >= 1
    assert batch["rows_delivered"] == batch["rows_accepted"] + batch["rows_quarantined"]
    assert batch["money_delivered"] == batch["money_accepted"] + batch["money_quarantined"]
    # The naive twin asks the rules alone, and takes in what a person has kept out.
    monkeypatch.setattr("chotso.ingest.quarantine.keep_waived_out", lambda *_: None)
    world.tick()
    world.source("update tst.chung_tu set ngay_sua = %s where so_chung_tu = 'W3'", world.clock)
    world.extract("contributions")
    assert "W3" in {r["so_chung_tu"] for r in world.in_force("payments")}


def test_a_row_of_a_file_stays_waived_in_the_next_export(world: QuarantineWorld) -> None:
    waived(world, "TB0001B")
    world.tick()
    rows = [account("TB0001B", 90) | {"_ps_bh": 80}, account("TC0001C", 5)]
    world.accounts({"07201": rows}, stated="20211102T010000")
    world.extract("c12")
    assert versions(world, "TB0001B") == [("waived", 90)]
    rows[0] = account("TB0001B", 91) | {"_ps_bh": 80}
    world.tick()
    world.accounts({"07201": rows}, stated="20211102T020000")
    world.extract("c12")
    assert versions(world, "TB0001B") == [("waived", 90), ("open", 91)]


def test_the_act_is_landed_and_its_row_cannot_be_changed(world: QuarantineWorld) -> None:
    report = waived(world, "W5")
    (act,) = world.rows("select * from ops.operator_act where act_id = %s", report.act.act_id)
    path = Path(world.settings.landing_url) / act["landing_path"]
    day = world.clock.astimezone(LOCAL_ZONE).date()
    assert path.parent == Path(world.settings.landing_url) / "acts" / day.isoformat()
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == act["sha256"]
    said = json.loads(content)
    assert (said["kind"], said["reason"], said["acted_by"]) == ("waive", REASON, NAME)
    assert (said["subject"]["feed"], said["subject"]["row_key"]) == ("payments", "W5")
    assert datetime.fromisoformat(said["known_at"]) == world.clock == act["known_at"]
    for statement in (
        "update ops.operator_act set reason = 'x'",
        "delete from ops.operator_act",
        "truncate ops.operator_act",
    ):
        with (
            connect(world.settings) as conn,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            conn.transaction(),
        ):
            conn.execute(statement.encode())


def waive_in_child(world: QuarantineWorld, row: int) -> None:
    waive(world.settings, row, reason=REASON, by=NAME)


def test_a_killed_waiver_is_none_and_can_be_made_again(world: QuarantineWorld) -> None:
    world.payment("W8", 8, agency="07288")
    world.extract("contributions")
    row = row_id(world, "W8")
    acts = world.rows("select act_id from ops.operator_act")
    killed = run_in_child(waive_in_child, world, row, failpoint="waive.before-commit")
    assert was_killed(killed)
    assert versions(world, "W8") == [("open", 8)]
    assert world.rows("select act_id from ops.operator_act") == acts
    waived(world, "W8")
    assert versions(world, "W8") == [("waived", 8)]
    assert len(world.rows("select act_id from ops.operator_act")) == len(acts) + 1


def test_another_file_in_the_place_of_an_act_is_never_overwritten(
    world: QuarantineWorld, tmp_path: Path
) -> None:
    landing = Landing(str(tmp_path))
    landing.keep_act("acts/2021-11-02/a.json", b"one")
    landing.keep_act("acts/2021-11-02/a.json", b"one")
    with pytest.raises(ChotsoError, match="Another file stands"):
        landing.keep_act("acts/2021-11-02/a.json", b"two")
    assert (tmp_path / "acts/2021-11-02/a.json").read_bytes() == b"one"


def test_acts_up_to_its_knowledge_are_inputs_of_a_release(world: QuarantineWorld) -> None:
    acts = world.rows("select * from ops.operator_act order by known_at, act_id")
    assert len(acts) >= 2
    for asked in {act["known_at"] for act in acts}:
        with connect(world.settings) as conn:
            found = landed_inputs(conn, asked)
            assert found == landed_inputs(conn, asked)
        listed = {entry["act_id"]: entry["sha256"] for entry in found if "act_id" in entry}
        assert listed == {a["act_id"]: a["sha256"] for a in acts if a["known_at"] <= asked}


@pytest.mark.parametrize(
    ("reason", "by", "says"),
    [
        ("", NAME, "reason is empty"),
        (" \n\t", NAME, "reason is empty"),
        (REASON, "", "name is empty"),
        (REASON, "  ", "name is empty"),
        ("trùng với số 7912345678", NAME, "ten digits"),
        (REASON, "7912345678", "ten digits"),
    ],
)
def test_an_act_without_words_or_with_a_number_is_refused(
    world: QuarantineWorld, reason: str, by: str, says: str
) -> None:
    before = world.rows("select count(*) as acts from ops.operator_act")
    with pytest.raises(ChotsoError, match=says):
        waive(world.settings, 1, reason=reason, by=by)
    assert world.rows("select count(*) as acts from ops.operator_act") == before


def test_a_row_that_has_ended_is_refused(world: QuarantineWorld) -> None:
    (ended,) = [r for r in world.aside("payments") if r.row_key == "W1"]
    with pytest.raises(ChotsoError, match="is not open: it is waived"):
        waive(world.settings, ended.id, reason=REASON, by=NAME)
    with pytest.raises(ChotsoError, match="is not open: it is waived"):
        replay(world.settings, ended.id)
    with pytest.raises(ChotsoError, match="No row 999999"):
        waive(world.settings, 999_999, reason=REASON, by=NAME)


def test_nothing_is_waived_while_the_archive_or_the_clock_is_away(world: QuarantineWorld) -> None:
    world.payment("W9", 9, agency="07288")
    world.extract("contributions")
    row = row_id(world, "W9")
    blocked = world.settings.home / "a file"
    blocked.write_text("not a folder", encoding="utf-8")
    no_archive = world.settings.model_copy(update={"landing_url": str(blocked)})
    no_clock = world.settings.model_copy(update={"source_url": "postgresql://x@127.0.0.1:1/none"})
    for settings in (no_archive, no_clock):
        with pytest.raises(ChotsoError):
            waive(settings, row, reason=REASON, by=NAME)
        assert versions(world, "W9") == [("open", 9)]
    world.source("update tst.dong_ho set bay_gio = %s", FIRST)
    with pytest.raises(ChotsoError, match="clock went back"):
        waive(world.settings, row, reason=REASON, by=NAME)
    assert versions(world, "W9") == [("open", 9)]
    world.tick()
