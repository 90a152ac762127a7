"""A new pseudonym key: never within an open period, never by halves, and no head is counted twice.

The naive twin reads on under the new key: the rows that change get it, the others keep the old one,
and a person with spells of both is two.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from chotso.build.dbt import run_build
from chotso.errors import ChotsoError
from chotso.ingest import extract_table, publish
from chotso.ingest.night import extract_group, final_extract
from chotso.sandbox.server import SandboxServer
from chotso.source.pseudonym import key_id
from tests.oracle.hostile.tst import create_schema, write_snapshot
from tests.oracle.hostile.turn import ZONE
from tests.oracle.model import Row
from tests.worlds.freeze_world import past_the_guards
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(600)]

# The first period of the shipped register begins on 2021-09-01.
DAY = date(2021, 8, 20)
PERSONS, SPELLS_EACH = 30, 2
OLD, NEW = b"the old key, of at least 32 bytes in all", b"the new key, of at least 32 bytes in all"


def clock(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 1, tzinfo=ZONE) + timedelta(days=1)


def agency(code: str) -> Row:
    return {
        "ma_co_quan": code, "ten": code, "ma_cap_tren": None if code == "072" else "072",
        "cap": 1 if code == "072" else 2, "ma_huyen": None, "hieu_luc_tu": date(2016, 1, 1),
        "hieu_luc_den": None, "ngay_sua": clock(date(2021, 1, 1)),
    }  # fmt: skip


def spell(number: int, agency_code: str = "07201") -> Row:
    recorded = clock(date(2021, 2, 1)) + timedelta(hours=3 * number)  # beyond the overlap
    return {
        "ma_qua_trinh": number, "ma_so_bhxh": f"72{number % PERSONS:08d}", "ho_ten": "Nguyễn Văn A",
        "ngay_sinh": "1980", "gioi_tinh": "NAM", "loai": ("BHXHBB", "BHTN")[number >= PERSONS],
        "nhom_bhyt": None, "ma_don_vi": None, "ma_co_quan": agency_code,
        "tu_thang": date(2021, 1, 1), "den_thang": None, "trang_thai": "HIEU_LUC",
        "ngay_nhap": recorded, "ngay_sua": recorded,
    }  # fmt: skip


class Keyed:
    """A source of spells, each person with one of either scheme; one row is of no known agency."""

    def __init__(self, warehouse: Product) -> None:
        self.warehouse = warehouse
        self.settings = warehouse.settings
        self.spells = [spell(n) for n in range(PERSONS * SPELLS_EACH)]
        self.spells.append(spell(PERSONS * SPELLS_EACH, "09999"))
        with psycopg.connect(warehouse.source_admin_url) as connection:
            create_schema(connection, SOURCE_LOGIN)
        self.write(DAY)
        self.take(OLD)
        assert not extract_group(self.settings, "registers", DAY).stopped
        assert not self.read(DAY).stopped

    def write(self, day: date) -> None:
        tables: dict[str, list[Row]] = {
            "co_quan": [agency("072"), agency("07201")],
            "tham_gia": self.spells,
        }
        with psycopg.connect(self.warehouse.source_admin_url) as connection:
            write_snapshot(connection, tables, clock(day))

    def touch(self, number: int, day: date, **changes: Any) -> None:
        """Change one spell at the source."""
        self.spells[number] = {**self.spells[number], "ngay_sua": clock(day), **changes}
        self.write(day)

    def take(self, key: bytes) -> None:
        assert self.settings.pseudonym_key_file is not None
        self.settings.pseudonym_key_file.write_bytes(key)

    def read(self, day: date, *, full: bool = False) -> Any:
        return extract_group(self.settings, "participations", day, full=full)

    def rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.warehouse.admin_url, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    def keys(self) -> set[str]:
        found = self.rows("select distinct key_id from raw.participations where known_to is null")
        return {row["key_id"] for row in found}

    def in_force(self) -> set[tuple[Any, ...]]:
        found = self.rows(
            "select ma_qua_trinh, person_pseudonym, key_id from raw.participations "
            "where known_to is null"
        )
        return {tuple(row.values()) for row in found}

    def persons(self) -> int:
        """Heads, as every metric counts them: distinct pseudonyms in force."""
        (found,) = self.rows(
            "select count(distinct person_pseudonym) from raw.participations where known_to is null"
        )
        return int(found["count"])

    def head_counts(self) -> list[dict[str, Any]]:
        run_build(self.settings)
        return self.rows(
            "select agency_code, month, metric_code, actual_to_date "
            "from marts.fct_monthly_attainment where metric_code like 'participants%' "
            "order by 1, 2, 3"
        )


@pytest.fixture
def keyed(
    running: SandboxServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Keyed]:
    # a name is used once: Great Expectations keeps connections by URL
    name = f"key_{abs(hash(request.node.name)) % 10**8}"
    with product(running, name, tmp_path) as warehouse:
        yield Keyed(warehouse)


def test_a_read_of_changes_under_another_key_is_refused(keyed: Keyed) -> None:
    before = keyed.in_force()
    keyed.take(NEW)
    keyed.touch(0, DAY + timedelta(days=1))
    with pytest.raises(ChotsoError, match="A person would be counted under both") as refusal:
        keyed.read(DAY + timedelta(days=1))
    for said in (key_id(OLD), key_id(NEW), "--full", "nothing was read"):
        assert said in str(refusal.value)
    assert keyed.in_force() == before
    (left,) = keyed.rows("select status, reason from ops.batch where status <> 'published'")
    assert left["status"] == "failed"
    assert "under both" in left["reason"]
    # the former key again, and all is as ever
    keyed.take(OLD)
    assert not keyed.read(DAY + timedelta(days=1)).stopped


def test_the_naive_twin_counts_persons_twice(keyed: Keyed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract_table, "check_key", lambda *_: None)
    keyed.take(NEW)
    keyed.touch(0, DAY + timedelta(days=1), ma_don_vi="TA0001A")
    assert not keyed.read(DAY + timedelta(days=1)).stopped
    assert keyed.keys() == {key_id(OLD), key_id(NEW)}
    assert keyed.persons() == PERSONS + 1


def test_a_full_read_takes_up_the_new_key_and_no_head_count_moves(keyed: Keyed) -> None:
    before, counts = keyed.in_force(), keyed.head_counts()
    assert {row["actual_to_date"] for row in counts} >= {PERSONS, 0}
    keyed.take(NEW)
    later = DAY + timedelta(days=1)
    keyed.write(later)
    assert not keyed.read(later, full=True).stopped
    assert keyed.keys() == {key_id(NEW)}
    after = keyed.in_force()
    assert {row[0] for row in after} == {row[0] for row in before}
    assert not {row[1] for row in after} & {row[1] for row in before}
    assert keyed.persons() == PERSONS
    # the next day's build shows the next day too: compare what both show
    shown = {tuple(row.values()) for row in keyed.head_counts()}
    assert {tuple(row.values()) for row in counts} <= shown
    # what is set aside is read anew
    (aside,) = keyed.rows(
        "select row ->> 'key_id' as key_id from quarantine.row where status = 'open'"
    )
    assert aside["key_id"] == key_id(NEW)
    # history is kept: before the change everything stood under the old key
    old = keyed.rows("select distinct key_id from raw.participations where known_to is not null")
    assert [row["key_id"] for row in old] == [key_id(OLD)]
    # and the nights go on
    keyed.touch(1, later + timedelta(days=1), ma_don_vi="TA0001A")
    assert not keyed.read(later + timedelta(days=1)).stopped
    assert keyed.keys() == {key_id(NEW)}


@pytest.mark.parametrize(
    ("day", "period"), [(date(2021, 9, 1), "plan-2021-m09-12"), (date(2022, 3, 1), "2021-")]
)
def test_within_an_open_period_it_is_refused_whatever_is_read(
    keyed: Keyed, day: date, period: str
) -> None:
    before = keyed.in_force()
    keyed.take(NEW)
    keyed.touch(0, day)
    for full in (False, True):
        with pytest.raises(ChotsoError, match="cannot change while the period") as refusal:
            keyed.read(day, full=full)
        assert period in str(refusal.value)
        assert "former key back" in str(refusal.value)
    with pytest.raises(ChotsoError, match="cannot change while the period"):
        final_extract(keyed.settings, day, final_of="sprint-2021-q4", not_before=None)
    assert keyed.in_force() == before


def test_the_last_instant_before_a_period_is_outside_it(keyed: Keyed) -> None:
    keyed.take(NEW)
    midnight = datetime(2021, 9, 1, tzinfo=ZONE)
    for instant, is_open in ((midnight - timedelta(microseconds=1), False), (midnight, True)):
        with psycopg.connect(keyed.warehouse.source_admin_url) as connection:
            connection.execute("update tst.dong_ho set bay_gio = %s", [instant])
        said = "cannot change while the period" if is_open else "counted under both"
        with pytest.raises(ChotsoError, match=said):
            keyed.read(date(2021, 8, 30))


def test_when_the_periods_are_sealed_a_full_read_may(keyed: Keyed) -> None:
    with past_the_guards(keyed.warehouse.settings) as connection:
        for number, period in enumerate(("sprint-2021-q4", "plan-2021-m09-12")):
            connection.execute(
                """
                insert into frozen.release (release_id, period_id, kind, is_current, cutoff_at,
                    as_known_at, root_sha256, previous_root, data_root, sealed_at, code_version,
                    status)
                select %(id)s, %(id)s, 'original', true, %(at)s, %(at)s, %(root)s,
                    (select root_sha256 from frozen.release), %(root)s, %(at)s, 'test', 'sealed'
                """,
                {"id": period, "at": clock(date(2021, 12, 31)), "root": str(number) * 64},
            )
    keyed.take(NEW)
    day = date(2022, 3, 1)
    keyed.write(day)
    with pytest.raises(ChotsoError, match="counted under both"):
        keyed.read(day)
    assert not keyed.read(day, full=True).stopped
    assert keyed.keys() == {key_id(NEW)}
    assert keyed.persons() == PERSONS


@pytest.mark.parametrize("is_naive", [False, True])
def test_a_row_whose_newer_version_is_set_aside_holds_the_change_up(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch, is_naive: bool
) -> None:
    """Its accepted version stays in force, and its number then is not to be had any more."""
    later = DAY + timedelta(days=1)
    keyed.touch(3, later, ma_so_bhxh="720000000", ma_co_quan="09999")
    assert not keyed.read(later).stopped
    keyed.take(NEW)
    keyed.write(later + timedelta(days=1))
    if is_naive:
        monkeypatch.setattr(publish, "check_in_force", lambda *_: None)
        assert not keyed.read(later + timedelta(days=1), full=True).stopped
        assert keyed.keys() == {key_id(OLD), key_id(NEW)}
        assert keyed.persons() == PERSONS + 1
        return
    (stopped,) = keyed.read(later + timedelta(days=1), full=True).stopped
    assert "would leave 1 rows of participations in force under the former" in stopped
    assert "ma_qua_trinh 3" in stopped
    assert keyed.keys() == {key_id(OLD)}
    keyed.touch(3, later + timedelta(days=2), ma_so_bhxh="7200000003", ma_co_quan="07201")
    assert not keyed.read(later + timedelta(days=2), full=True).stopped
    assert keyed.keys() == {key_id(NEW)}
    assert keyed.persons() == PERSONS
