"""Officers' figures of one hand-made year, worked out by hand: whose đồng, people and debts."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build import run_build
from chotso.registers import load_registers
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse
from tests.worlds.build_world import World, instant

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

NIGHT = "2022-01-05T01:00"
CUTOFF = instant("2021-12-20T17:00")
NIGHTLY, AT_CUTOFF = "marts", "scratch_officers"
SI, HI, TOTAL = "arrears_ratio_si", "collection_hi", "collection_total"
PEOPLE = "participants_hi"
METRICS = len(load_registers().metrics.metrics)

Figure = Callable[..., dict[str, Any] | None]


def _officer(world: World, code: str, agency: str) -> None:
    world.row("officers", ma_can_bo=code, ho_ten=f"Cán bộ {code}", ma_co_quan=agency)


def _assign(world: World, employer: str, officer: str, since: str, until: str | None) -> None:
    world.row("assignments", ma_don_vi=employer, tu_ngay=since, den_ngay=until, ma_can_bo=officer)


def _plan(
    world: World, officer: str, measure: str, value: str, effective: str, number: str
) -> None:
    world.row(
        "plans", so_quyet_dinh=number, ngay_ky="2021-01-01", don_vi_giao="BHXH", nam=2021,
        loai_doi_tuong="CAN_BO", ma_doi_tuong=officer, chi_tieu=measure, gia_tri=value,
        hieu_luc_tu=effective,
    )  # fmt: skip


def _spell(world: World, person: str, employer: str, since: str, agency: str = "07201") -> None:
    world.spells += 1
    world.row(
        "participations", ma_qua_trinh=world.spells, person_pseudonym=person.ljust(64, "0"),
        number_shape="ok", loai="BHYT", ma_don_vi=employer, ma_co_quan=agency,
        tu_thang=f"{since}-01", den_thang=None, trang_thai="HIEU_LUC",
        ngay_nhap=instant("2021-01-01T00:00"),
    )  # fmt: skip


def _registers(world: World) -> None:
    world.batch("2022-01-04", NIGHT)
    world.agency("072", parent=None, level=1)
    for code in ("07201", "07202", "07203"):
        world.agency(code, hieu_luc_den="2021-06-30" if code == "07203" else None)
    for code, agency in (("O1", "07201"), ("O2", "07201"), ("O3", "07202"), ("O4", "07203")):
        _officer(world, code, agency)
    for code in ("HAND", "LAPS", "FREE", "LATE", "TURN"):
        world.employer(code)
    # handed over at midnight of the month's end
    _assign(world, "HAND", "O1", "2021-01-01", "2021-11-30")
    _assign(world, "HAND", "O2", "2021-12-01", None)
    # overlapping: the later one counts while it runs
    _assign(world, "LAPS", "O1", "2020-05-01", None)
    _assign(world, "LAPS", "O2", "2021-12-10", "2021-12-20")
    # ended before it began, and begun too late
    _assign(world, "LATE", "O1", "2021-05-01", "2021-04-30")
    _assign(world, "LATE", "O2", "2022-01-01", None)
    # handed over between the cutoff and the month's end, to one that the register lacks
    _assign(world, "TURN", "O1", "2021-01-01", "2021-12-25")
    _assign(world, "TURN", "GHOST", "2021-12-26", None)


def _credits(world: World) -> None:
    for number, (employer, credited, amount) in enumerate(
        [
            ("HAND", "2021-11-30T23:59:59.999999", 1),
            ("HAND", "2021-12-01T00:00", 10),
            ("LAPS", "2021-12-09T23:59:59.999999", 100),
            ("LAPS", "2021-12-10T00:00", 1_000),
            ("LAPS", "2021-12-20T23:59:59.999999", 10_000),
            ("LAPS", "2021-12-21T00:00", 100_000),
            ("FREE", "2021-12-05T10:00", 1_000_000),
            ("LATE", "2021-12-31T23:59:59.999999", 2_000_000),
            ("LATE", "2022-01-01T00:00", 5_000_000),
        ]
    ):
        world.payment(f"D{number}", credited, ("BHYT", amount, 7), employer=employer)
    elsewhere = {"employer": "HAND"}
    world.payment("moved", "2021-12-02T10:00", ("BHTN", 30, 0), agency="07202", **elsewhere)
    world.payment("own", "2021-08-15T10:00", ("BHTN", 60, 0), agency="072", **elsewhere)
    world.payment("gone", "2021-08-15T10:00", ("BHTN", 90, 0), agency="07203", **elsewhere)
    world.payment("void", "2021-08-15T10:00", ("BHTN", 7, 0), status="HUY", **elsewhere)


def _people_and_accounts(world: World) -> None:
    for person, employer, since in (
        ("p1", "HAND", "2021-01"), ("p1", "LAPS", "2021-06"), ("p2", "HAND", "2021-01"),
        ("p3", "FREE", "2021-03"), ("p4", "TURN", "2021-01"),
    ):  # fmt: skip
        _spell(world, person, employer, since)
    world.account("HAND", "2021-11", ck_bhxh=100, ps_bh=1_000)
    world.account("HAND", "2021-12", ck_bhxh=40, ps_bh=4_000)
    world.account("LAPS", "2021-12", ck_bhxh=-500, ps_bh=3_000, bst_bh=20, bsg_bh=3)
    world.account("TURN", "2021-12", ck_bhxh=7, ps_bh=983)
    world.account("FREE", "2021-12", ck_bhxh=5, ps_bh=50)


def _plans(world: World) -> None:
    _plan(world, "O1", "THU_BHYT", "400", "2021-01-01", "1")
    _plan(world, "O1", "THU_BHYT", "200", "2021-12-31", "2")
    _plan(world, "O2", "NO_BHXH", "1", "2021-01-01", "1")
    _plan(world, "O3", "THU_BHYT", "0", "2021-01-01", "1")
    _plan(world, "GHOST", "NGUOI_BHYT", "1", "2021-01-01", "1")


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The nightly build, and one at a cutoff before the month's end."""
    with (
        new_warehouse(servers, tmp_path_factory.mktemp("home")) as made,
    ):
        with made.world() as world:
            for part in (_registers, _credits, _people_and_accounts, _plans):
                part(world)
        run_build(made.settings)
        run_build(made.settings, event_cutoff=CUTOFF, schema=AT_CUTOFF)
        yield made


@pytest.fixture
def figure(warehouse: Warehouse) -> Iterator[Figure]:
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:

        def row(
            agency: str, officer: str, month: str, metric: str, schema: str = NIGHTLY
        ) -> dict[str, Any] | None:
            query = sql.SQL(
                "select * from {} where agency_code = %s and officer_code = %s "
                "and month = %s and metric_code = %s"
            ).format(sql.Identifier(schema, "fct_officer_attainment"))
            key = [agency, officer, date.fromisoformat(f"{month}-01"), metric]
            return conn.execute(query, key).fetchone()

        yield row


def there(figure: Figure, *key: str) -> dict[str, Any]:
    found = figure(*key)
    assert found is not None, key
    return found


def actual(figure: Figure, *key: str) -> Any:
    return there(figure, *key)["actual_to_date"]


def test_a_document_belongs_to_the_officer_of_its_local_credit_date(figure: Figure) -> None:
    assert actual(figure, "07201", "O1", "2021-11", HI) == 1
    assert actual(figure, "07201", "O1", "2021-12", HI) == 100_101
    assert actual(figure, "07201", "O2", "2021-12", HI) == 10 + 1_000 + 10_000
    assert actual(figure, "07201", "unassigned", "2021-12", HI) == 3_000_000
    assert actual(figure, "07201", "O2", "2022-01", HI) == 5_000_000
    # credited on the 20th after 17:00, and after it
    assert actual(figure, "07201", "O2", "2021-12", HI, AT_CUTOFF) == 1_010
    assert actual(figure, "07201", "O1", "2021-12", HI, AT_CUTOFF) == 101


def test_a_row_is_of_the_documents_own_agency_whether_in_force_or_not(figure: Figure) -> None:
    assert actual(figure, "07202", "O2", "2021-12", TOTAL) == 30
    assert figure("07202", "O2", "2021-11", TOTAL) is None
    assert actual(figure, "072", "O1", "2021-08", TOTAL) == 60
    assert actual(figure, "072", "O1", "2021-12", TOTAL) == 60
    assert figure("072", "O1", "2021-07", TOTAL) is None
    assert figure("072", "unassigned", "2021-12", TOTAL) is None
    assert actual(figure, "07203", "O1", "2021-12", TOTAL) == 90
    assert figure("07203", "O1", "2022-01", TOTAL) is None
    # nothing happened there, but it was in force
    assert actual(figure, "07203", "O4", "2021-06", TOTAL) == 0
    assert figure("07203", "O4", "2021-07", TOTAL) is None
    assert actual(figure, "07203", "unassigned", "2021-06", PEOPLE) == 0


def test_a_person_counts_once_with_each_officer(figure: Figure) -> None:
    """p1 is with HAND and LAPS, p2 with HAND, p4 with TURN."""
    counted = {
        (officer, month): actual(figure, "07201", officer, month, PEOPLE)
        for officer in ("O1", "O2", "unassigned")
        for month in ("2021-02", "2021-11", "2021-12")
    }
    assert [counted["O1", m] for m in ("2021-02", "2021-11", "2021-12")] == [3, 3, 1]
    assert [counted["O2", m] for m in ("2021-02", "2021-11", "2021-12")] == [0, 0, 2]
    assert [counted["unassigned", m] for m in ("2021-02", "2021-11", "2021-12")] == [0, 1, 1]
    assert actual(figure, "07201", "GHOST", "2021-12", PEOPLE) == 1
    assert figure("07201", "GHOST", "2021-11", PEOPLE) is None


def test_the_officer_of_the_cutoffs_date_answers_for_accounts_and_people(figure: Figure) -> None:
    at_end = there(figure, "07201", "GHOST", "2021-12", SI)
    assert (at_end["numerator"], at_end["denominator"]) == (7, 983)
    assert figure("07201", "GHOST", "2021-12", SI, AT_CUTOFF) is None
    # LAPS is with O2 on the 20th, TURN still with O1
    o1, o2 = (there(figure, "07201", o, "2021-12", SI, AT_CUTOFF) for o in ("O1", "O2"))
    assert (o1["numerator"], o1["denominator"]) == (7, 1_000 + 983)
    assert (o2["numerator"], o2["denominator"]) == (40, 4_000 + 3_017)
    # credited to LAPS in the cutoff's month, after the cutoff: added back to its account
    added = there(figure, "07201", "O2", "2021-12", "arrears_ratio_hi", AT_CUTOFF)
    assert (added["numerator"], added["denominator"]) == (110_000, 0)
    assert actual(figure, "07201", "O1", "2021-12", PEOPLE, AT_CUTOFF) == 1
    assert actual(figure, "07201", "O2", "2021-12", PEOPLE, AT_CUTOFF) == 2


def test_each_months_receivable_stays_with_that_months_officer(figure: Figure) -> None:
    november, december = (there(figure, "07201", "O1", m, SI) for m in ("2021-11", "2021-12"))
    assert (november["numerator"], november["denominator"]) == (100, 1_000)
    assert november["actual_to_date"] == Decimal("0.100000000")
    # HAND's November stays; LAPS has a surplus
    assert (december["numerator"], december["denominator"]) == (0, 1_000 + 3_017)
    o2 = there(figure, "07201", "O2", "2021-12", SI)
    # 40 of 4,000 is 1 %: not below it
    assert (o2["numerator"], o2["denominator"], o2["is_met"]) == (40, 4_000, False)
    assert (o2["plan_in_force"], o2["attainment_ratio"]) == (Decimal("0.01"), 1)
    before = there(figure, "07201", "O2", "2021-11", SI)
    assert [before[n] for n in ("numerator", "denominator", "is_met")] == [None] * 3


def test_plans_stand_with_the_own_agency_alone(figure: Figure) -> None:
    row = there(figure, "07201", "O1", "2021-12", HI)
    assert (row["plan_original"], row["plan_in_force"], row["plan_final"]) == (400, 200, 200)
    assert row["attainment_ratio"] == Decimal("500.505")
    cut = there(figure, "07201", "O1", "2021-12", HI, AT_CUTOFF)
    assert (cut["plan_in_force"], cut["plan_final"]) == (400, 200)
    away = there(figure, "07203", "O1", "2021-12", HI)
    assert (away["plan_original"], away["plan_status_code"]) == (None, "none")
    assert away["is_own_agency"] is False
    zero = there(figure, "07202", "O3", "2021-12", HI)
    assert (zero["plan_in_force"], zero["plan_status_code"], zero["is_met"]) == (0, "zero", True)
    unregistered = there(figure, "07201", "GHOST", "2021-12", PEOPLE)
    assert (unregistered["plan_in_force"], unregistered["officer_key"]) == (None, "GHOST|first")


def test_every_officer_and_every_rest_has_every_month_and_metric(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        """
        select agency_code, officer_code, count(*), count(distinct metric_code), min(month)
        from marts.fct_officer_attainment group by 1, 2 order by 1, 2
        """
    )
    months = {(row[0], row[1]): (row[2], row[4]) for row in rows}
    assert {row[3] for row in rows} == {METRICS}
    first = date(2021, 1, 1)
    assert months == {
        ("072", "O1"): (5 * METRICS, date(2021, 8, 1)),
        ("07201", "O1"): (13 * METRICS, first),
        ("07201", "O2"): (13 * METRICS, first),
        ("07201", "GHOST"): (2 * METRICS, date(2021, 12, 1)),
        ("07201", "unassigned"): (13 * METRICS, first),
        ("07202", "O2"): (METRICS, date(2021, 12, 1)),
        ("07202", "O3"): (13 * METRICS, first),
        ("07202", "unassigned"): (13 * METRICS, first),
        ("07203", "O1"): (5 * METRICS, date(2021, 8, 1)),
        ("07203", "O4"): (6 * METRICS, first),
        ("07203", "unassigned"): (6 * METRICS, first),
    }
