"""Replay: rows set aside go the normal way again, after the source or a rule was mended."""

import hmac
import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import chotso.contracts
import chotso.ingest.extract_table
import chotso.ingest.rejudge
import chotso.ingest.rules
from chotso.errors import ChotsoError
from chotso.quarantine.replay import ReplayReport, replay
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.source import cells
from chotso.source.queries import rows_query
from tests.faults.killing import run_in_child, was_killed
from tests.source.test_source_paths import copy_to_sqlite
from tests.worlds.quarantine_world import (
    FIRST,
    NAME,
    NUMBER,
    SHORT_NUMBER,
    QuarantineWorld,
    account,
    quarantine_world,
)

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def world(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QuarantineWorld]:
    """One night over rows of every kind that are wrong; each test takes rows of its own."""
    folder = tmp_path_factory.mktemp("replay")
    with quarantine_world(running, "replay", folder) as made:
        for number in ("P1", "P2", "P3", "P4", "P5", "P6"):
            made.payment(number, 500, agency="07299")
        for number in ("A1", "A2", "A3", "A4"):
            made.payment(number, 1000)
            made.line(number, 1, 400)
            made.line(number, 2, 600, fund="XXX")
        for code in (1, 2, 3):
            made.spell(code, SHORT_NUMBER)
        made.accounts(
            {
                "07201": [
                    account("TA0001A", 70),
                    account("TB0001B", 90) | {"_ps_bh": 80},
                    account("TD0001D", 30),
                    account("TD0001D", 31),
                    account("TE0001E", 5) | {"_ck_bhxh": "5 5"},
                    account("TF0001F", 6),
                ],
                "07277": [account("TF0001F", 7)],
            }
        )
        made.plans(
            "1",
            {"gia_tri": "1000.5"},
            {"chi_tieu": "THU_BHTN", "gia_tri": "12345678901234567.25"},
            {"chi_tieu": "THU_TONG", "gia_tri": "7 000"},
            {"chi_tieu": "NO_BHYT", "gia_tri": "0.9", "hieu_luc_tu": "01/2021"},
        )
        made.insert(
            "can_bo", ma_can_bo="CB002", ho_ten="Cán bộ thử", ma_co_quan="07299", ngay_sua=FIRST
        )
        for day in (date(2021, 1, 1), date(2021, 2, 1)):
            made.insert(
                "phan_cong", ma_don_vi="TA0001A", tu_ngay=day, den_ngay=date(2020, 12, 31),
                ma_can_bo="CB001", ngay_sua=FIRST,
            )  # fmt: skip
        made.extract()
        yield made


def row_id(world: QuarantineWorld, feed: str, key: str) -> int:
    (found,) = [r.id for r in world.aside(feed, ended_too=False) if r.row_key.startswith(key)]
    return found


def status(world: QuarantineWorld, row: int) -> tuple[str, str | None]:
    (found,) = [r for r in world.aside() if r.id == row]
    assert found.first_seen == FIRST
    return found.status, found.resolution


def taken_in(world: QuarantineWorld, row: int) -> ReplayReport:
    """Replay a row that now passes, and see that only its status has changed."""
    report = replay(world.settings, row)
    report.raise_if_left()
    assert status(world, row) == ("replayed", "accepted")
    return report


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the register that the test may mend."""
    folder = tmp_path / "expectations"
    shutil.copytree(chotso.ingest.rules.EXPECTATIONS_DIR, folder)
    monkeypatch.setattr(chotso.ingest.rules, "EXPECTATIONS_DIR", folder)
    return folder


def mend(path: Path, wrong: str, right: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert wrong in text
    path.write_text(text.replace(wrong, right), encoding="utf-8")


def pseudonym(world: QuarantineWorld, number: str) -> str:
    return hmac.digest(world.settings.pseudonym_key(), number.encode(), "sha256").hex()


# -- the source was mended ------------------------------------------------------------------------


def test_a_row_that_is_still_wrong_stays_open_and_is_seen_again(world: QuarantineWorld) -> None:
    row = row_id(world, "payments", "P1")
    world.tick()
    report = replay(world.settings, row)
    with pytest.raises(ChotsoError, match=r"payments\.agency_known") as refused:
        report.raise_if_left()
    assert "cơ quan" in str(refused.value)
    assert refused.value.next_step
    assert report.rows[0].next_step
    (found,) = [r for r in world.aside("payments") if r.id == row]
    assert (found.status, found.first_seen, found.last_seen) == ("open", FIRST, world.clock)


def test_a_mended_document_is_read_anew_and_no_position_moves(world: QuarantineWorld) -> None:
    row = row_id(world, "payments", "P2")
    before = world.rows("select feed, position from ops.feed_position order by feed")
    world.tick(hours=5)
    world.payment("LATER", 70)
    mended_at = world.clock + timedelta(hours=5)
    world.source(
        "update tst.chung_tu set ma_co_quan = '07202', so_tien = 501, ngay_sua = %s "
        "where so_chung_tu = 'P2'",
        mended_at,
    )
    world.tick(hours=5)
    report = taken_in(world, row)
    assert [b["rows_delivered"] for b in report.batches] == [1]
    (batch,) = world.rows(
        "select * from ops.batch where batch_id = %s", report.batches[0]["batch_id"]
    )
    assert (batch["read_mode"], batch["status"]) == ("replay", "published")
    assert (batch["known_at"], batch["source_position"]) == (world.clock, None)
    assert batch["landing_files"]["facts"]["closes"] == "nothing"
    assert world.rows("select feed, position from ops.feed_position order by feed") == before
    taken = {r["so_chung_tu"]: r for r in world.in_force("payments")}
    assert (taken["P2"]["so_tien"], taken["P2"]["ma_co_quan"]) == (501, "07202")
    assert "LATER" not in taken
    # The naive twin moves its position to the newest change that it saw, and asks from there.
    since = mended_at - timedelta(hours=2)
    with psycopg.connect(world.warehouse.source_admin_url) as source:
        asked = source.execute("select so_chung_tu from tst.chung_tu where ngay_sua >= %s", [since])
        assert "LATER" not in {row[0] for row in asked}
    world.extract("contributions")
    assert "LATER" in {r["so_chung_tu"] for r in world.in_force("payments")}


def test_a_mended_line_is_judged_with_all_lines_of_its_document(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.tick()
    world.source("update tst.phan_bo set quy = 'HTTT' where so_chung_tu = 'A1'")
    taken_in(world, row_id(world, "allocations", "A1"))
    lines = [(r["so_dong"], r["tien_goc"]) for r in world.in_force("allocations")
             if r["so_chung_tu"] == "A1"]  # fmt: skip
    assert sorted(lines) == [(1, 400), (2, 600)]

    # 400 and 700 are more than the document's 1000: the mended line alone would not show it.
    world.source(
        "update tst.phan_bo set quy = 'HTTT', tien_goc = 700 where so_chung_tu = 'A2' "
        "and so_dong = 2"
    )
    row = row_id(world, "allocations", "A2")
    with pytest.raises(ChotsoError, match=r"now as row .*allocations\.lines_within_document"):
        replay(world.settings, row).raise_if_left()
    assert status(world, row) == ("replayed", "another version replaces it")
    held = [r for r in world.in_force("allocations") if r["so_chung_tu"] == "A2"]
    assert [(r["so_dong"], r["tien_goc"]) for r in held] == [(1, 400)]

    # The naive twin asks for the line alone, and takes it in.
    monkeypatch.setattr(chotso.ingest.extract_table, "scope_query", lambda *_: None)
    monkeypatch.setattr(
        chotso.ingest.extract_table,
        "rows_query",
        lambda contract, request: (query := rows_query(contract, request)).where(
            query.selected_columns["so_dong"] == 2
        ),
    )
    naive = row_id(world, "allocations", "A2|2")
    replay(world.settings, naive)
    held = [r for r in world.in_force("allocations") if r["so_chung_tu"] == "A2"]
    assert sum(r["tien_goc"] for r in held) == 1100


def test_a_line_that_its_document_no_longer_has_ends(world: QuarantineWorld) -> None:
    row = row_id(world, "allocations", "A3")
    world.source("delete from tst.phan_bo where so_chung_tu = 'A3' and so_dong = 2")
    replay(world.settings, row).raise_if_left()
    assert status(world, row) == ("replayed", "no longer delivered")
    assert [r["so_dong"] for r in world.in_force("allocations") if r["so_chung_tu"] == "A3"] == [1]


def test_a_person_is_read_from_the_source_never_from_what_was_kept(world: QuarantineWorld) -> None:
    row = row_id(world, "participations", "1")
    (kept,) = world.rows("select row from quarantine.row where id = %s", row)
    world.tick()
    world.source("update tst.tham_gia set ma_so_bhxh = %s where ma_qua_trinh = 1", NUMBER)
    taken_in(world, row)
    (spell,) = [r for r in world.in_force("participations") if r["ma_qua_trinh"] == 1]
    right = {"person_pseudonym": pseudonym(world, NUMBER), "number_mask": "79********"}
    assert {name: spell[name] for name in right} == right
    # The naive twin publishes what quarantine kept: a masked person, and another one.
    naive = {name: kept["row"][name] for name in right}
    assert naive["person_pseudonym"] != right["person_pseudonym"]
    assert naive["number_mask"] == "*" * len(SHORT_NUMBER)
    assert NUMBER not in json.dumps(kept["row"])
    assert NAME not in json.dumps(kept["row"], ensure_ascii=False)


def test_a_register_row_is_read_by_its_key_and_closes_nothing(world: QuarantineWorld) -> None:
    world.tick()
    world.source("update tst.can_bo set ma_co_quan = '07201' where ma_can_bo = 'CB002'")
    world.source("delete from tst.can_bo where ma_can_bo = 'CB001'")
    taken_in(world, row_id(world, "officers", "CB002"))
    officers = {r["ma_can_bo"] for r in world.in_force("officers")}
    assert officers == {"CB001", "CB002"}, "a replay says nothing of other rows"
    world.insert(
        "can_bo", ma_can_bo="CB001", ho_ten="Cán bộ thử", ma_co_quan="07201", ngay_sua=FIRST
    )  # a register that went on lacking it would be named at every extract
    world.source("update tst.phan_cong set den_ngay = null where tu_ngay = '2021-01-01'")
    report = taken_in(world, row_id(world, "assignments", "TA0001A|2021-01-01"))
    assert [b["rows_delivered"] for b in report.batches] == [1]
    days = {r["tu_ngay"] for r in world.in_force("assignments")}
    assert days == {date(2020, 1, 1), date(2021, 1, 1)}


def test_the_plain_database_path_reads_the_same_keys(
    world: QuarantineWorld, tmp_path: Path
) -> None:
    world.tick()
    world.source("update tst.chung_tu set ma_co_quan = '07201' where so_chung_tu = 'P6'")
    world.source("update tst.phan_bo set quy = 'HTTT' where so_chung_tu = 'A4'")
    world.source("update tst.tham_gia set ma_so_bhxh = %s where ma_qua_trinh = 3", NUMBER)
    world.source("update tst.phan_cong set den_ngay = null where tu_ngay = '2021-02-01'")
    lite = tmp_path / "source.sqlite"
    copy_to_sqlite(world.warehouse.source_admin_url, lite)
    settings = world.settings.model_copy(update={"source_url": f"sqlite:///{lite}"})
    for feed, key in (
        ("payments", "P6"),
        ("allocations", "A4"),
        ("participations", "3"),
        ("assignments", "TA0001A|2021-02-01"),
    ):
        row = row_id(world, feed, key)
        replay(settings, row).raise_if_left()
        assert status(world, row) == ("replayed", "accepted"), feed


def test_a_row_that_the_source_no_longer_has_is_said_so(world: QuarantineWorld) -> None:
    row = row_id(world, "payments", "P3")
    world.source("delete from tst.chung_tu where so_chung_tu = 'P3'")
    with pytest.raises(ChotsoError, match="not found again") as refused:
        replay(world.settings, row).raise_if_left()
    assert "waive" in str(refused.value)
    assert status(world, row)[0] == "open"


def test_a_source_that_is_away_leaves_everything(world: QuarantineWorld) -> None:
    row = row_id(world, "payments", "P1")
    away = world.settings.model_copy(update={"source_url": "postgresql://nobody@127.0.0.1:1/none"})
    report = replay(away, row)
    with pytest.raises(ChotsoError, match="does not answer"):
        report.raise_if_left()
    assert report.batches == []
    assert status(world, row)[0] == "open"


# -- a rule, a contract or a reader was mended ----------------------------------------------------


def test_a_mended_rule_takes_in_a_person(world: QuarantineWorld, rules: Path) -> None:
    row = row_id(world, "participations", "2")
    mend(
        rules / "participations" / "number_well_formed.sql",
        "number_shape is distinct from 'ok'",
        "coalesce(number_shape, '') not in ('ok', '9 digits')",
    )
    world.tick()
    taken_in(world, row)
    (spell,) = [r for r in world.in_force("participations") if r["ma_qua_trinh"] == 2]
    assert spell["person_pseudonym"] == pseudonym(world, SHORT_NUMBER)


def test_a_mended_rule_takes_in_an_account_of_a_file(world: QuarantineWorld, rules: Path) -> None:
    row = row_id(world, "c12", "TB0001B")
    with pytest.raises(ChotsoError, match=r"c12\.closing_identity_si"):
        replay(world.settings, row).raise_if_left()
    rule = rules / "patterns" / "closing_identity.sql"
    rule.write_text(rule.read_text(encoding="utf-8").rstrip() + "\nlimit 0\n", encoding="utf-8")
    world.tick()
    report = taken_in(world, row)
    (account_,) = [r for r in world.in_force("c12") if r["madvi"] == "TB0001B"]
    assert (account_["ck_bhxh"], account_["known_from"]) == (90, world.clock)
    (batch,) = world.rows(
        "select * from ops.batch where batch_id = %s", report.batches[0]["batch_id"]
    )
    assert (batch["read_mode"], batch["rows_delivered"]) == ("replay", 1)
    assert "TA0001A" in {r["madvi"] for r in world.in_force("c12")}, "a replay closes nothing"


def test_rows_with_one_key_are_judged_together(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = sorted(r.id for r in world.aside("c12") if r.row_key.startswith("TD0001D"))
    with pytest.raises(ChotsoError, match="key_unique_or_identical"):
        replay(world.settings, one).raise_if_left()
    assert {status(world, one)[0], status(world, other)[0]} == {"open"}
    assert "TD0001D" not in {r["madvi"] for r in world.in_force("c12")}
    # The naive twin judges the named row alone: one of two that differ looks like the only one.
    kept = chotso.ingest.rejudge._KEPT
    together = "aside.row_key = deserving.row_key"
    assert together in kept
    monkeypatch.setattr(
        chotso.ingest.rejudge, "_KEPT", kept.replace(together, "aside.id = any(%(ids)s)")
    )
    replay(world.settings, one).raise_if_left()
    assert "TD0001D" in {r["madvi"] for r in world.in_force("c12")}


def test_rows_with_one_key_are_judged_together_when_their_agency_becomes_known(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sheet of an unknown agency, one of a known one, and one employer on both."""
    both = {r.id for r in world.aside("c12") if r.row_key.startswith("TF0001F")}
    assert len(both) == 2
    world.tick()
    world.insert(
        "co_quan", ma_co_quan="07277", ten="BHXH thử 07277", ma_cap_tren="072", cap=2,
        ma_huyen="709", hieu_luc_tu=date(2010, 1, 1), ngay_sua=world.clock,
    )  # fmt: skip
    world.extract("registers", "c12")
    assert {status(world, row)[0] for row in both} == {"open"}
    seen = {r.rule_id for r in world.aside("c12") if r.id in both}
    assert seen == {"c12.key_unique_or_identical"}, "of its agency nothing is wrong any more"
    # The naive twin judges only the row whose agency was unknown: it looks like the only one.
    kept = chotso.ingest.rejudge._KEPT
    monkeypatch.setattr(
        chotso.ingest.rejudge,
        "_KEPT",
        kept.replace("aside.row_key = deserving.row_key", "aside.row ->> 'ma_co_quan' = '07277'"),
    )
    world.act("update quarantine.row set rule_ids = rule_ids || 'c12.agency_known'::text "
              "where row_key like 'TF0001F%' and row ->> 'ma_co_quan' = '07277'")  # fmt: skip
    world.act("update quarantine.row set last_seen = %s where row_key like 'TF0001F%%'", FIRST)
    world.extract("c12")
    assert [r["ck_bhxh"] for r in world.in_force("c12") if r["madvi"] == "TF0001F"] == [7]


def test_a_cell_that_could_not_be_read_stays_what_it_is(world: QuarantineWorld) -> None:
    row = row_id(world, "c12", "TE0001E")
    world.tick()
    with pytest.raises(ChotsoError, match=r"c12\.readable"):
        replay(world.settings, row).raise_if_left()
    (found,) = [r for r in world.aside("c12") if r.row_key.startswith("TE0001E")]
    assert (found.id, found.status, found.last_seen) == (row, "open", world.clock)
    # The naive twin reads the empty place as an empty cell, which is 0: another version.
    naive = cells.read_cell(
        found.row["ck_bhxh"], chotso.contracts.contract_of("c12").landed["ck_bhxh"]
    )
    assert found.row["ck_bhxh"] is None
    assert naive == 0


def test_a_mended_rule_takes_in_a_plan_with_every_digit(
    world: QuarantineWorld, rules: Path
) -> None:
    fraction, long = row_id_of(world, "THU_BHYT"), row_id_of(world, "THU_BHTN")
    rule = rules / "plans" / "value_is_whole.sql"
    rule.write_text(rule.read_text(encoding="utf-8").rstrip() + "\nlimit 0\n", encoding="utf-8")
    taken_in(world, fraction)
    values = {r["chi_tieu"]: str(r["gia_tri"]) for r in world.in_force("plans")}
    assert values["THU_BHYT"] == "1000.5"
    (kept,) = world.rows("select row::text as row from quarantine.row where id = %s", long)
    assert "12345678901234567.25" in kept["row"]
    loaded = chotso.ingest.rejudge._typed(
        chotso.contracts.contract_of("plans"), json.loads(kept["row"], parse_float=str)
    )
    assert loaded["gia_tri"] == "12345678901234567.25"
    # The naive twin goes through a float.
    assert repr(json.loads(kept["row"])["gia_tri"]) != "12345678901234567.25"


def test_a_mended_reader_reads_the_archived_file_anew(
    world: QuarantineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = row_id_of(world, "THU_TONG")
    with pytest.raises(ChotsoError, match=r"plans\.readable"):
        replay(world.settings, row).raise_if_left()
    (world.warehouse.drop / "KE_HOACH_1.xlsx").rename(world.settings.home / "moved.xlsx")
    read = cells._READERS["numeric"]
    monkeypatch.setitem(
        cells._READERS,
        "numeric",
        lambda v, c: read(v.replace(" ", "") if isinstance(v, str) else v, c),
    )
    try:
        taken_in(world, row)
    finally:
        (world.settings.home / "moved.xlsx").rename(world.warehouse.drop / "KE_HOACH_1.xlsx")
    (plan,) = [r for r in world.in_force("plans") if r["chi_tieu"] == "THU_TONG"]
    assert plan["gia_tri"] == 7000
    # The naive twin takes the kept row, in which the cell is empty.
    (kept,) = world.rows("select row from quarantine.row where id = %s", row)
    assert kept["row"]["gia_tri"] is None


@pytest.fixture
def months_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract mended: the first day in force of a plan may be written as a month."""
    folder = tmp_path / "feeds"
    shutil.copytree(chotso.contracts.FEEDS_DIR, folder)
    mend(
        folder / "plans.yml", "hieu_luc_tu: {type: date,", "hieu_luc_tu: {type: date, form: month,"
    )
    monkeypatch.setattr(chotso.contracts, "FEEDS_DIR", folder)


@pytest.mark.usefixtures("months_readable")
def test_a_mended_contract_reads_a_key_anew(world: QuarantineWorld) -> None:
    row = row_id_of(world, "NO_BHYT")
    replay(world.settings, row).raise_if_left()
    assert status(world, row) == ("replayed", "read anew under another key")
    (plan,) = [r for r in world.in_force("plans") if r["chi_tieu"] == "NO_BHYT"]
    assert plan["hieu_luc_tu"].isoformat() == "2021-01-01"


def row_id_of(world: QuarantineWorld, measure: str) -> int:
    (found,) = [r.id for r in world.aside("plans", ended_too=False) if r.row["chi_tieu"] == measure]
    return found


# -- all of them, and killed ones -----------------------------------------------------------------


def replayed(settings: Settings, row: int) -> None:
    replay(settings, row)


def test_a_killed_replay_is_finished_by_the_next(world: QuarantineWorld) -> None:
    row = row_id(world, "payments", "P4")
    world.source("update tst.chung_tu set ma_co_quan = '07201' where so_chung_tu = 'P4'")
    for point in ("landed.payments", "loaded.payments", "publishing.before-commit.payments"):
        assert was_killed(run_in_child(replayed, world.settings, row, failpoint=point)), point
        assert status(world, row)[0] == "open"
    report = replay(world.settings, row)
    report.raise_if_left()
    assert status(world, row) == ("replayed", "accepted")
    held = [r for r in world.in_force("payments") if r["so_chung_tu"] == "P4"]
    assert len(held) == 1
    assert world.rows("select 1 from ops.batch where status = 'running'") == []


def test_all_open_rows_are_replayed_and_every_one_is_told_of(world: QuarantineWorld) -> None:
    world.tick()
    world.source("update tst.chung_tu set ma_co_quan = '07201' where so_chung_tu = 'P5'")
    open_before = {r.id for r in world.aside(ended_too=False)}
    report = replay(world.settings)
    assert {r.id for r in report.rows} == open_before
    by_key = {r.row_key: r.status for r in report.rows if r.feed == "payments"}
    assert (by_key["P5"], by_key["P1"]) == ("replayed", "open")
    with pytest.raises(ChotsoError, match="stays open"):
        report.raise_if_left()
    assert_balanced(world.rows("select * from ops.batch where status = 'published'"))


def assert_balanced(batches: list[dict[str, Any]]) -> None:
    for batch in batches:
        assert batch["rows_delivered"] == batch["rows_accepted"] + batch["rows_quarantined"]
        assert batch["money_delivered"] == batch["money_accepted"] + batch["money_quarantined"]


@pytest.mark.parametrize("asked", [999_999, 0])
def test_a_row_that_is_not_there_is_refused(world: QuarantineWorld, asked: int) -> None:
    with pytest.raises(ChotsoError, match=f"No row {asked}"):
        replay(world.settings, asked)
