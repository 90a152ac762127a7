"""The report views of one hand-made world: names, what is due, status, debts and quarantine."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build.dbt import build_variables
from chotso.build.expose import expose
from chotso.registers import load_registers
from chotso.warehouse.connect import connect
from tests.oracle.pace import due_to_date, status
from tests.oracle.recompute import nine_decimals
from tests.worlds.build_warehouse import Servers, Warehouse, dbt_into, new_warehouse
from tests.worlds.build_world import World, instant

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

NAMES = {
    "072": ("Bảo hiểm xã hội tỉnh Tây Ninh", "Toàn tỉnh Tây Ninh"),
    "07201": ("Bảo hiểm xã hội huyện Dương Minh Châu", "Dương Minh Châu"),
    "07202": ("BHXH thị xã Hòa Thành", "Hòa Thành"),
    "07203": ("Bảo hiểm xã hội  thành phố Tây Ninh", "Tây Ninh"),
    "07204": ("BHXH quận Một", "Một"),
    "07205": ("Phòng Quản lý thu", "Phòng Quản lý thu"),
    "07206": (None, "07206"),
}
OCTOBER, JANUARY = date(2021, 10, 1), date(2021, 1, 1)
HI, PERSONS, ARREARS = "collection_hi", "participants_hi", "arrears_ratio_si"
# schema → when known; the last one has another pace and other labels
STATES = {
    "scratch_october": "2021-10-21T01:00",
    "scratch_year_end": "2022-01-01T01:00",
    "scratch_january": "2022-01-03T01:00",
    "scratch_leap": "2024-02-21T01:00",
}
SHARES = ["0.05", "0.15", *["0.08"] * 10]
Row = Callable[..., dict[str, Any]]


def _registers(world: World) -> None:
    world.batch("2021-10-20", STATES["scratch_october"])
    for code, (name, _) in NAMES.items():
        if code == "072":
            world.agency(code, parent=None, level=1, ten=name)
        else:
            world.agency(code, ten=name)
    world.employer("E1")
    world.row(
        "employers", ma_don_vi="E2", ten="E2", ma_khoi="ZZ", ma_co_quan="07201",
        ngan_sach=False, chu_ky_dong=1, trang_thai="HOAT_DONG",
    )  # fmt: skip
    for code in ("CB1", "CB2"):
        world.row("officers", ma_can_bo=code, ho_ten=f"Cán bộ {code}", ma_co_quan="07201")
    for code, since in (("CB1", "2021-01-01"), ("CB2", "2021-10-10")):
        world.row("assignments", ma_don_vi="E1", tu_ngay=since, ma_can_bo=code)


def _collection(world: World) -> None:
    """20 October is day 293 of 365: 2,930 of a plan of 3,650 are due."""
    for agency, collected, plan in (
        ("07201", 3_000, "3650"), ("07202", 2_930, "3650"), ("07203", 2_929, "3650"),
        ("07204", 100, "100"), ("07205", 0, "0"), ("07206", 5, None),
    ):  # fmt: skip
        world.payment(agency, "2021-03-01T10:00", ("BHYT", collected, 0), agency=agency)
        if plan is not None:
            world.plan("THU_BHYT", plan, target=agency)


def _persons(world: World) -> None:
    """20 October is day 262 of 334 after January's end."""
    for agency, january, october, plan in (
        ("07201", 2, 9, "11"), ("07202", 2, 4, "4"), ("07203", 5, 3, "4"), ("07204", 0, 8, "10"),
    ):  # fmt: skip
        world.plan("NGUOI_BHYT", plan, target=agency)
        for number in range(max(january, october)):
            begun = "2021-01" if number < january else "2021-05"
            ended = None if number < october else "2021-06"
            world.spell(f"{agency[-1]}{number}", begun, ended, agency=agency)


def _accounts(world: World) -> None:
    """07201 is over its target, 07202 below, 07203 exactly at it; 07204 has no account."""
    stated = "2021-10-20T01:00"
    for agency in ("07201", "07202", "07203", "07204"):
        world.plan("NO_BHXH", "0.9", target=agency)
    for month, owed in (("06", 1), ("07", 1), ("08", 0), ("09", 1), ("10", 5)):
        world.account("E1", f"2021-{month}", ck_bhxh=owed, ck_bhyt=-9, sothang=2, stated=stated)
    for month in ("07", "09", "10"):
        world.account("E2", f"2021-{month}", ck_bhxh=5, ps_bh=200, stated=stated)
    world.account("U", "2021-10", "07202", ck_bhxh=8, ps_bh=1_000, stated=stated)
    world.account("X", "2021-10", "07203", ck_bhxh=9, ps_bh=1_000, stated=stated)
    for day, fund, principal in (
        ("10-01", "HTTT", 1), ("10-13", "BHYT", 10), ("10-14", "BHTN", 100), ("10-20", "TNLD", 40),
        ("10-20", "BHXHTN", 5_000), ("09-30", "HTTT", 7),
    ):  # fmt: skip
        world.payment(f"E1 {day} {fund}", f"2021-{day}T10:00", (fund, principal, 3), employer="E1")


def _set_aside(world: World) -> None:
    for code, seen in (("nobody's", "2021-10-01"), ("old", "2021-10-13"), ("new", "2021-10-14")):
        row = {"so_chung_tu": code} if code == "nobody's" else {"ma_co_quan": "07201"}
        world.set_aside("payments", row, seen=f"{seen}T08:00")


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with new_warehouse(servers, tmp_path_factory.mktemp("home")) as made:
        with made.world() as world:
            for part in (_registers, _collection, _persons, _accounts, _set_aside):
                part(world)
            world.batch("2021-12-31", STATES["scratch_year_end"])
            world.batch("2022-01-02", STATES["scratch_january"])
            world.batch("2024-02-20", STATES["scratch_leap"])
            world.plan("THU_BHYT", "3660", year=2024, effective="2024-01-01")
            world.plan("NGUOI_BHYT", "18", year=2024, effective="2024-01-01")
        for schema, known_at in STATES.items():
            variables = build_variables(load_registers(), instant(known_at), None)
            what = ["+rpt_attainment"]
            if schema == "scratch_october":
                what += ["+rpt_employer_debt", "+rpt_quarantine", "+rpt_arrears"]
            if schema == "scratch_leap":
                pace = {"from": "2024-02", "monthly_shares": SHARES}
                variables["measures"]["pace"].append(pace)
                variables["labels"]["status"] = [{"code": "behind", "vi": "Trễ", "en": "Late"}]
            dbt_into(made.settings, schema, variables, ("run", "--select", *what))
        yield made


NIGHT = """
create table if not exists marts_build.rpt_pace (business_date date, agency_code text,
    is_latest_night boolean, figure integer, primary key (business_date, agency_code));
truncate marts_build.rpt_pace;
insert into marts_build.rpt_pace values ({day}, '07201', true, {figure}), ({day}, '072', true, 0);
"""


def test_of_the_nights_that_are_kept_the_newest_is_marked(servers: Servers, tmp_path: Path) -> None:
    """Also where an older date is run again, and where the newest is."""
    shown = []
    with new_warehouse(servers, tmp_path) as made, connect(made.settings) as conn:
        for day, figure in (("29", 1), ("31", 2), ("30", 3), ("31", 4)):
            at = sql.Literal(date(2021, 12, int(day)))
            conn.execute(sql.SQL(NIGHT).format(day=at, figure=sql.Literal(figure)))
            built = conn.execute(
                "insert into ops.build (business_date, as_known_at, target_schema, config, "
                "config_sha256, code_version, status) values (%s, now(), 'marts_build', '{}', '', "
                "'', 'running') returning build_id",
                [f"2021-12-{day}"],
            ).fetchone()
            assert built is not None
            expose(conn, "marts_build", built[0])
            conn.commit()
            shown.append(
                made.rows(
                    "select to_char(business_date, 'DD'), is_latest_night, figure "
                    "from marts.rpt_pace where agency_code = '07201' order by 1"
                )
            )
    assert shown == [
        [("29", True, 1)],
        [("29", False, 1), ("31", True, 2)],
        [("29", False, 1), ("30", False, 3), ("31", True, 2)],
        [("29", False, 1), ("30", False, 3), ("31", True, 4)],
    ]


@pytest.fixture
def row(warehouse: Warehouse) -> Iterator[Row]:
    """The one row of a report with these values."""
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:

        def found(schema: str, report: str, **where: Any) -> dict[str, Any]:
            query = sql.SQL("select * from {} where {}").format(
                sql.Identifier(f"scratch_{schema}", report),
                sql.SQL(" and ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value))
                    for name, value in where.items()
                ),
            )
            (one,) = conn.execute(query).fetchall()
            return one

        yield found


@pytest.fixture
def stands(row: Row) -> Row:
    def of(agency: str, metric: str, month: date = OCTOBER, schema: str = "october") -> Any:
        return row(schema, "rpt_attainment", agency_code=agency, metric_code=metric, month=month)

    return of


def test_short_names_leave_out_what_all_agencies_share(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select distinct agency_code, agency_short_name, agency_order, is_province "
        "from scratch_october.rpt_attainment order by 1"
    )
    assert rows == [
        (code, short, place, code == "072")
        for place, (code, (_, short)) in enumerate(NAMES.items(), 1)
    ]


@pytest.mark.parametrize(
    ("agency", "due", "said"),
    [
        ("07201", 2_930, "on_track"),
        ("07202", 2_930, "on_track"),
        ("07203", 2_930, "behind"),
        ("07204", Fraction(100 * 293, 365), "met"),
        ("07205", 0, "met"),
        ("07206", None, "no_plan"),
    ],
)
def test_collection_is_due_linearly_by_day(stands: Row, agency: str, due: Any, said: str) -> None:
    found = stands(agency, HI)
    exact = None if due is None else Fraction(due)
    assert (found["plan_to_date"], found["status_code"]) == (nine_decimals(exact), said)
    recomputed = due_to_date(HI, found["plan_in_force"], None, OCTOBER, date(2021, 10, 20))
    assert recomputed == exact
    # a whole month is judged by its last day, whatever the night
    later = stands(agency, HI, schema="year_end")
    by_month_end = due_to_date(HI, later["plan_in_force"], None, OCTOBER, date(2021, 12, 31))
    assert later["plan_to_date"] == nine_decimals(by_month_end)


def test_a_plan_of_0_is_met_and_no_plan_is_none(stands: Row) -> None:
    zero, none = stands("07205", HI), stands("07206", HI)
    assert (zero["plan_status_code"], zero["plan_status_vi"]) == ("zero", "Kế hoạch bằng 0")
    assert (zero["attainment_ratio"], zero["pace_ratio"], zero["missing_to_plan"]) == (
        None,
        None,
        0,
    )
    assert (none["plan_status_code"], none["status_vi"]) == ("none", "Chưa giao kế hoạch")
    assert (none["plan_to_date"], none["missing_to_plan"], none["is_met"]) == (None, None, None)


@pytest.mark.parametrize(
    ("agency", "due", "said"),
    [
        ("07201", 2 + 9 * Fraction(262, 334), "behind"),
        ("07202", 2 + 2 * Fraction(262, 334), "met"),
        ("07203", Fraction(4), "behind"),
        ("07204", 10 * Fraction(262, 334), "on_track"),
        ("07205", None, "no_plan"),
    ],
)
def test_persons_are_due_from_january_on(
    stands: Row, agency: str, due: Fraction | None, said: str
) -> None:
    found, january = stands(agency, PERSONS), stands(agency, PERSONS, JANUARY)
    assert (found["plan_to_date"], found["status_code"]) == (nine_decimals(due), said)
    plan, start = found["plan_in_force"], january["actual_to_date"]
    assert due_to_date(PERSONS, plan, start, OCTOBER, date(2021, 10, 20)) == due
    if due is not None:  # in January nothing has grown yet
        assert january["plan_to_date"] == min(plan, start)


@pytest.mark.parametrize(
    ("agency", "said"),
    [("07201", "behind"), ("07202", "met"), ("07203", "behind"), ("07204", None),
     ("07205", "no_plan")],
)  # fmt: skip
def test_arrears_must_be_below_on_every_day(
    stands: Row, row: Row, agency: str, said: str | None
) -> None:
    found = stands(agency, ARREARS)
    assert found["status_code"] == said
    assert found["plan_to_date"] == found["plan_in_force"]
    shown = row("october", "rpt_arrears", agency_code=agency, month=OCTOBER, group_code="si")
    assert (shown["status_code"], shown["target_ratio"]) == (said, found["plan_in_force"])
    assert shown["group_vi"] == "BHXH"
    if agency == "07204":
        assert (found["status_vi"], found["status_order"]) == ("Chưa có số liệu", 6)


def test_once_the_year_is_over_what_is_not_met_is_missed(stands: Row) -> None:
    december = date(2021, 12, 1)
    said = {
        agency: stands(agency, HI, december, "year_end")["status_code"]
        for agency in NAMES
        if agency != "072"
    }
    assert said == {
        "07201": "missed", "07202": "missed", "07203": "missed", "07204": "met", "07205": "met",
        "07206": "no_plan",
    }  # fmt: skip
    for agency in ("07201", "07203"):
        found = stands(agency, PERSONS, december, "year_end")
        assert found["status_code"] == "missed"
        assert found["plan_to_date"] == found["plan_in_force"]
    plan = Decimal(3650)
    assert status(HI, Fraction(2_929), plan, Fraction(plan), is_over=True) == "missed"


def test_an_empty_january_is_not_the_latest_month(warehouse: Warehouse) -> None:
    """Persons of December are still there in January; neither plan nor money is."""
    latest = "select distinct month from scratch_{}.rpt_attainment where is_latest_month"
    assert warehouse.rows(latest.format("october")) == [(OCTOBER,)]
    assert warehouse.rows(latest.format("year_end")) == [(date(2021, 12, 1),)]
    assert warehouse.rows(latest.format("january")) == [(date(2021, 12, 1),)]
    shown = warehouse.rows(
        "select max(month), max(actual_to_date) filter (where month = '2022-01-01') "
        "from scratch_january.rpt_attainment where metric_code = 'participants_hi'"
    )
    assert shown == [(date(2022, 1, 1), 24)]


def test_shares_count_from_their_month_and_a_leap_year_has_its_day(stands: Row) -> None:
    january, february = date(2024, 1, 1), date(2024, 2, 1)
    linear = stands("07201", HI, january, "leap")
    assert linear["plan_to_date"] == 3660 * Fraction(31, 366)
    shared = stands("07201", HI, february, "leap")
    assert shared["plan_to_date"] == nine_decimals(
        3660 * (Fraction("0.05") + Fraction("0.15") * Fraction(20, 29))
    )
    persons = stands("07201", PERSONS, february, "leap")
    assert persons["plan_to_date"] == nine_decimals(9 + 9 * Fraction(20, 335))


def test_a_label_follows_the_register_and_an_unknown_code_is_shown(stands: Row) -> None:
    assert stands("07203", HI)["status_vi"] == "Chậm tiến độ"
    late = stands("07201", HI, date(2024, 2, 1), "leap")
    assert (late["status_code"], late["status_vi"], late["status_order"]) == ("behind", "Trễ", 1)
    unlabelled = stands("07206", HI, date(2024, 2, 1), "leap")
    assert (unlabelled["status_vi"], unlabelled["status_order"]) == ("no_plan", 2)


def test_who_owes_since_when_and_what_was_paid(row: Row) -> None:
    def debt(employer: str, month: int) -> dict[str, Any]:
        where = {"employer_code": employer, "month": date(2021, month, 1)}
        return row("october", "rpt_employer_debt", **where)

    since = {
        (employer, month): debt(employer, month)["owing_since_month"]
        for employer, month in (("E1", 7), ("E1", 8), ("E1", 10), ("E2", 7), ("E2", 10))
    }
    assert since == {
        ("E1", 7): date(2021, 6, 1), ("E1", 8): None, ("E1", 10): date(2021, 9, 1),
        ("E2", 7): date(2021, 7, 1), ("E2", 10): date(2021, 9, 1),
    }  # fmt: skip
    first = debt("E1", 10)
    assert (first["paid_vnd"], first["paid_last_7_days_vnd"]) == (151, 140)
    assert first["last_credited_date"] == date(2021, 10, 20)
    assert (first["officer_code"], first["officer_name"]) == ("CB2", "Cán bộ CB2")
    assert debt("E1", 9)["officer_code"] == "CB1"
    assert (first["management_group_vi"], first["is_latest_month"]) == (
        "Doanh nghiệp trong nước", True,
    )  # fmt: skip
    assert (first["arrears_vnd"], first["surplus_vnd"]) == (5, 9)
    assert (first["arrears_si_vnd"], first["arrears_hi_vnd"]) == (5, 0)
    second = debt("E2", 10)
    assert (second["management_group_vi"], second["management_group_en"]) == ("ZZ", "ZZ")
    assert (second["officer_code"], second["officer_name"]) == ("unassigned", "Chưa phân công")
    assert (second["payable_vnd"], second["paid_vnd"], second["last_credited_date"]) == (
        200, 0, None,
    )  # fmt: skip


def test_rows_set_aside_have_an_age_and_an_agency_if_it_can_be_told(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select agency_code, agency_short_name, agency_order, age_days_count, age_band_code, "
        "reason_vi, feed_vi, is_province from scratch_october.rpt_quarantine order by 4"
    )
    title = rows[0][6]
    assert title
    assert title != "payments"
    assert rows == [
        ("07201", "Dương Minh Châu", 2, 7, "up_to_7_days", "r", title, False),
        ("07201", "Dương Minh Châu", 2, 8, "up_to_30_days", "r", title, False),
        (None, "Không rõ cơ quan", 9999, 20, "up_to_30_days", "r", title, False),
    ]
