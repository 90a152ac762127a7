"""The synthetic source in a real PostgreSQL: seeded, advanced, totalled, logged."""

import hashlib
import json
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest

from chotso.calendar import LOCAL_ZONE
from chotso.errors import ChotsoError
from chotso.sandbox.province import AdvanceReport, SeedReport, advance, read_events, seed
from chotso.sandbox.province.tables import TABLES
from chotso.sandbox.server import SandboxServer

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

SEEDED_AT = datetime(2021, 10, 1, tzinfo=LOCAL_ZONE)
CUTOFF = datetime(2021, 12, 31, 17, tzinfo=LOCAL_ZONE)
NAMES = [*(table.name for table in TABLES), "doi_soat", "dong_ho"]


class Source:
    """A province of a test's own, in the one schema `tst`."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.drop, self.state_dir = url, folder / "drop", folder / "state"

    def seed(self, number: int, defects: Literal["none", "some", "all"] = "none") -> SeedReport:
        return seed(
            self.url, self.drop, persons=3_000, employers=80, year=2021, seed=number,
            defects=defects, state_dir=self.state_dir, progress=lambda _: None,
        )  # fmt: skip

    def advance(self, to: datetime) -> AdvanceReport:
        return advance(
            self.url, self.drop, to=to, state_dir=self.state_dir, progress=lambda _: None
        )

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def tables(self) -> dict[str, list[str]]:
        return {
            name: [row[0] for row in self.rows(f"select t::text from tst.{name} t order by 1")]
            for name in NAMES
        }

    def files(self) -> dict[str, str]:
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.drop.iterdir()
        }


@pytest.fixture
def source(running: SandboxServer, tmp_path: Path) -> Source:
    return Source(running.source_admin_url, tmp_path)


def totals(source: Source) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """The source's control totals, and the same counted here from the tables."""
    months: dict[str, str] = {}
    counted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for number, credited, amount in source.rows(
        "select so_chung_tu, ngay_ghi_co, so_tien from tst.chung_tu"
    ):
        months[number] = f"{credited.astimezone(LOCAL_ZONE):%Y-%m}-01"
        counted["chung_tu", months[number]][0] += 1
        counted["chung_tu", months[number]][1] += amount
    for number, money in source.rows("select so_chung_tu, tien_goc + tien_lai from tst.phan_bo"):
        counted["phan_bo", months[number]][0] += 1
        counted["phan_bo", months[number]][1] += money
    for (month,) in source.rows("select tu_thang::text from tst.tham_gia"):
        counted["tham_gia", month][0] += 1
    stated = source.rows(
        "select bang, thang::text, so_dong, tong_tien, tinh_luc = bay_gio "
        "from tst.doi_soat, tst.dong_ho"
    )
    return set(stated), {(*key, *value, True) for key, value in counted.items()}


def test_same_seed_same_source_and_one_advance_is_many(source: Source, tmp_path: Path) -> None:
    source.seed(3, "all")
    again = Source(source.url, tmp_path / "again")
    seeded = source.tables()
    steps = [datetime(2021, 10, 6, 1, tzinfo=LOCAL_ZONE), CUTOFF - timedelta(days=3), CUTOFF,
             CUTOFF, CUTOFF + timedelta(hours=7, minutes=30)]  # fmt: skip
    for step in steps:
        source.advance(step)
    tables, files = source.tables(), source.files()
    defects = (source.state_dir / "defects.json").read_text()
    again.seed(3, "all")
    assert again.tables() == seeded
    again.advance(steps[-1])
    assert again.tables() == tables
    assert again.files() == files
    assert (again.state_dir / "defects.json").read_text() == defects
    split = [json.dumps(event) for event in read_events(source.state_dir)]
    assert sorted(split) == sorted(json.dumps(event) for event in read_events(again.state_dir))
    again.seed(4, "all")
    assert again.tables() != seeded


def test_control_totals_agree_at_every_clock_and_the_log_retells_the_tables(
    source: Source,
) -> None:
    source.seed(1)
    for clock in (SEEDED_AT, SEEDED_AT + timedelta(days=40), CUTOFF, CUTOFF + timedelta(days=9)):
        source.advance(clock)
        stated, counted = totals(source)
        assert stated == counted
        assert source.rows("select bay_gio from tst.dong_ho") == [(clock,)]
    told: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for event in read_events(source.state_dir):
        if "table" not in event:
            continue
        keys = next(t for t in TABLES if t.name == event["table"])
        key = json.dumps([event["row"][name] for name in keys.names[: keys.key_columns]])
        if event["op"] == "delete":
            del told[event["table"]][key]
        else:
            told[event["table"]][key] = event["row"]
    for table in TABLES:
        with psycopg.connect(source.url) as connection:
            connection.execute("set timezone = 'Asia/Ho_Chi_Minh'")
            found = connection.execute(f"select to_jsonb(t) from tst.{table.name} t".encode())
            held = sorted(json.dumps(row[0], sort_keys=True) for row in found)
        assert held == sorted(json.dumps(row, sort_keys=True) for row in told[table.name].values())


def test_an_export_agrees_with_the_documents_recorded_by_then(source: Source) -> None:
    source.seed(2)
    source.advance(datetime(2021, 12, 31, 23, 59, 59, tzinfo=LOCAL_ZONE))
    exports = [event for event in read_events(source.state_dir) if event.get("kind") == "c12"]
    last = exports[-1]
    exported_at = datetime.fromisoformat(last["at"])
    assert exported_at > CUTOFF
    late = source.rows(
        "select count(*) from tst.chung_tu where ngay_ghi_co >= '2021-12-31T17:00:00+07:00'"
    )
    assert late[0][0] > 0
    assert not source.rows(f"select 1 from tst.chung_tu where ngay_nhap > '{last['at']}'")
    newest = {event["month"]: event for event in exports}
    for month, export in newest.items():
        if month < "2021-09-01":
            continue
        paid = source.rows(
            "select ma_don_vi, sum(tien_goc) filter (where quy in ('HTTT', 'ODTS', 'TNLD')), "
            "sum(tien_goc) filter (where quy = 'BHYT'), sum(tien_goc) filter (where quy = 'BHTN'), "
            "sum(tien_lai) from tst.chung_tu join tst.phan_bo using (so_chung_tu) "
            "where trang_thai = 'HIEU_LUC' and quy <> 'BHXHTN' and date_trunc('month', "
            f"ngay_ghi_co at time zone 'Asia/Ho_Chi_Minh') = '{month}' group by ma_don_vi"
        )
        wanted = {code: tuple(int(part or 0) for part in parts) for code, *parts in paid}
        stated = {
            row["madvi"]: tuple(row[f] for f in ("_dt_bhxh", "_dt_bhyt", "_dt_bhtn", "_dt_lai"))
            for rows in export["sheets"].values()
            for row in rows
        }
        for code, amounts in stated.items():
            assert amounts == wanted.pop(code, (0, 0, 0, 0))
        assert not wanted


def test_versions_come_late_and_lines_vanish(source: Source) -> None:
    source.seed(2)
    source.advance(datetime(2022, 2, 1, tzinfo=LOCAL_ZONE))
    newest = datetime.min.replace(tzinfo=LOCAL_ZONE)
    late = deleted = voided = refunded = 0
    for event in read_events(source.state_dir):
        at = datetime.fromisoformat(event["at"])
        if at <= SEEDED_AT or "table" not in event:
            continue
        if event["op"] == "delete":
            deleted += 1
            continue
        own = datetime.fromisoformat(event["row"]["ngay_sua"])
        assert timedelta() <= at - own <= timedelta(minutes=55)
        late += own < newest
        newest = max(newest, own)
        voided += event["row"].get("trang_thai") == "HUY"
        refunded += event["row"].get("so_tien", 0) < 0
    assert min(late, deleted, voided, refunded) > 0
    crossing = source.rows(
        "select 1 from tst.chung_tu where ngay_ghi_co < '2021-12-31T17:00:00+07:00' "
        "and ngay_nhap >= '2022-01-01T00:00:00+07:00'"
    )
    assert crossing


def test_lines_add_up_to_the_document_or_to_less(source: Source) -> None:
    source.seed(2)
    source.advance(CUTOFF)
    found = source.rows(
        "select sign(so_tien - sum(tien_goc + tien_lai)), count(*) over () "
        "from tst.chung_tu join tst.phan_bo using (so_chung_tu) group by so_chung_tu"
    )
    assert {int(row[0]) for row in found} == {0, 1}
    missing = source.rows(
        "select count(*) from tst.chung_tu where not exists "
        "(select from tst.phan_bo where phan_bo.so_chung_tu = chung_tu.so_chung_tu)"
    )
    assert missing == [(0,)]


def test_the_clock_never_goes_back_nor_past_the_end(source: Source) -> None:
    source.seed(2)
    before = source.tables()
    for refused in (
        SEEDED_AT - timedelta(seconds=1),
        datetime(2023, 1, 1, tzinfo=LOCAL_ZONE),
        datetime(2021, 12, 1),
    ):
        with pytest.raises(ChotsoError):
            source.advance(refused)
    assert source.tables() == before


def test_an_advance_killed_before_its_tables_is_repeated(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.seed(2)
    with monkeypatch.context() as patched:
        patched.setattr("chotso.sandbox.province.province.upsert", _killed)
        with pytest.raises(KeyboardInterrupt):
            source.advance(CUTOFF)
    source.advance(CUTOFF)
    log = [json.dumps(event) for event in read_events(source.state_dir)]
    assert len(set(log)) == len(log)
    assert totals(source)[0] == totals(source)[1]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_the_reading_login_reads_and_no_more(source: Source, running: SandboxServer) -> None:
    source.seed(2)
    with psycopg.connect(running.source_url, autocommit=True) as connection:
        assert connection.execute("select bay_gio from tst.dong_ho").fetchone() == (SEEDED_AT,)
        # Read-only is this login's default, which it may change; its rights it may not.
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from tst.chung_tu")


def test_everything_says_that_it_is_invented(source: Source) -> None:
    report = source.seed(2)
    assert "giả định" in report.note
    [[comment]] = source.rows("select obj_description('tst'::regnamespace, 'pg_namespace')")
    assert "giả định" in comment
    assert not source.rows("select 1 from tst.don_vi where ten !~* 'giả định'")
    assert not source.rows("select 1 from tst.tham_gia where ho_ten !~* 'giả định'")


def test_an_interrupted_seed_is_told_from_a_province(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.seed(2)
    before = source.tables()
    with monkeypatch.context() as patched:
        patched.setattr("chotso.sandbox.province.province.fill", _killed)
        with pytest.raises(KeyboardInterrupt):
            source.seed(5)
    assert source.tables() == before
    with pytest.raises(ChotsoError, match="Seed the province anew"):
        source.advance(CUTOFF)
