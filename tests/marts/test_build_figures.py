"""Figures of one hand-made year, each worked out by hand: whole builds, not single models."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build import run_build
from chotso.build.dbt import build_variables
from chotso.build.runner import run_dbt
from chotso.registers import load_registers
from tests.worlds.build_warehouse import Servers, Warehouse, new_warehouse
from tests.worlds.build_world import World, instant

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

FIRST_NIGHT = "2022-01-01T01:00"
SECOND_NIGHT = "2022-01-05T01:00"
CUTOFF = instant("2021-12-31T17:00")
METRICS = len(load_registers().metrics.metrics)
NIGHTLY, PAST, AT_CUTOFF = "marts", "scratch_past", "scratch_cutoff"

Figure = Callable[..., dict[str, Any]]


def _register(world: World) -> None:
    world.batch("2021-12-31", FIRST_NIGHT)
    world.agency("072", parent=None, level=1)
    for number in range(1, 8):
        world.agency(f"0720{number}", hieu_luc_den="2021-06-30" if number == 7 else None)
    world.agency("080", parent=None, level=1)
    world.agency("08001", parent="080")
    world.employer("TA0001A")


def _credits(world: World) -> None:
    """07201: around local midnights. 07207 is out of force, 072 is filed under itself."""
    hi = "BHYT"
    world.payment("before_year", "2020-12-31T23:59:59.999999", (hi, 10_000, 7))
    world.payment("in_year", "2021-01-01T00:00", (hi, 100_000, 7))
    world.payment("november", "2021-11-30T23:59:59.999999", (hi, 1, 7))
    world.payment("december", "2021-12-01T00:00", (hi, 10, 7))
    world.payment("last_moment", "2021-12-31T23:59:59.999999", (hi, 100, 7))
    world.payment("next_year", "2022-01-01T00:00", (hi, 1_000, 7))
    world.payment("gone", "2021-08-15T10:00", ("HTTT", 500, 0), agency="07207")
    world.payment("own", "2021-08-15T10:00", ("BHXHTN", 60, 0), agency="072")
    world.payment("other", "2021-08-15T10:00", ("HTTT", 9_000, 0), agency="08001")


def _corrections(world: World) -> None:
    """07202: voided, moved and made known late."""
    world.payment("voided", "2021-11-10T10:00", ("BHTN", 500, 0), agency="07202")
    world.payment("moved", "2021-11-10T10:00", ("BHTN", 30, 0), agency="07202")
    world.batch("2022-01-04", SECOND_NIGHT)
    for code in ("voided", "moved"):
        world.supersede("payments", SECOND_NIGHT, so_chung_tu=code)
        world.supersede("allocations", SECOND_NIGHT, so_chung_tu=code)
    void = {"agency": "07202", "status": "HUY"}
    world.payment("voided", "2021-11-10T10:00", ("BHTN", 500, 0), **void)
    world.payment("moved", "2021-12-10T10:00", ("BHTN", 40, 0), agency="07203")
    world.payment("late", "2021-11-20T10:00", ("BHTN", 7, 0), agency="07202")


def _cutoff(world: World) -> None:
    """07204: two payments around 17:00 that the export of the second night both has."""
    at = {"agency": "07204", "employer": "TD0001D", "recorded": "2022-01-01T08:00"}
    world.payment("in_time", "2021-12-31T16:59:59.999999", ("HTTT", 100, 0), **at)
    world.payment("too_late", "2021-12-31T17:00", ("HTTT", 1_000, 0), ("BHXHTN", 5, 0), **at)
    world.account(
        "TD0001D", "2021-12", "07204", "2022-01-02T20:00", ck_bhxh=-400, ps_bh=50_000, ps_yt=10
    )
    world.spell("cut1", "2021-12", None, agency="07204", recorded="2021-12-31T16:59:59.999999")
    world.spell("cut2", "2021-12", None, agency="07204", recorded="2021-12-31T17:00")


def _accounts(world: World) -> None:
    """07205: a surplus beside debts; R moved to 07206's sheet in December."""
    world.account("S", "2021-12", "07205", ck_bhxh=-500, ck_bhtn=200, ps_tn=300, ps_bh=-10)
    world.account("B", "2021-12", "07205", ck_bhxh=1_000, ps_bh=300, bst_bh=50, bsg_bh=7)
    world.account("R", "2021-11", "07205", ck_bhxh=1, ps_bh=4_000)
    world.account("R", "2021-12", "07206", ck_bhxh=2, ps_bh=5_000)
    world.plan("NO_TONG", "20", target="07205")
    world.plan("NO_BHXH", "0.9", target="07206")
    world.plan("THU_BHXH_BB", "1000", target="07206")


def _people(world: World) -> None:
    """p1 is with two agencies; p2 changed between them."""
    world.spell("p1", "2021-01", None, "BHXHBB", "07201")
    world.spell("p1", "2021-06", "2021-09", "BHXHBB", "07202")
    world.spell("p2", "2021-01", "2021-06", "BHXHBB", "07201")
    world.spell("p2", "2021-07", None, "BHXHBB", "07202")
    world.spell("p3", "2021-01", None, "BHXHBB", "07207")
    world.spell("void", "2021-01", None, "BHXHBB", "07201", status="HUY")
    world.spell("future", "2022-02", None, "BHXHBB", "07201")


def _plans(world: World) -> None:
    """07203: revised from 31 December, ties by code point; 072 has its own."""
    world.plan("THU_BHTN", "100", target="07203")
    world.plan("THU_BHTN", "80", "2021-12-31", "2021-11-01", "QE", target="07203")
    world.plan("THU_BHTN", "40", "2021-12-31", "2021-11-01", "QĐ", target="07203")
    world.plan("THU_BHYT", "0", target="07203")
    world.plan("THU_BHTN", "3", target="072")


def _quarantine(world: World) -> None:
    world.set_aside("allocations", {"so_chung_tu": "december", "quy": "BHYT", "tien_goc": 5,
                                    "tien_lai": 1, "so_dong": 9})  # fmt: skip
    world.set_aside("allocations", {"so_chung_tu": "none", "quy": "HTTT", "tien_goc": 20})
    world.set_aside("payments", {"so_chung_tu": "late_one", "ma_co_quan": "07206",
                                 "ngay_ghi_co": "2021-12-31T16:59:59.999999+00:00"})  # fmt: skip
    for principal in (300, 310):
        world.set_aside("allocations", {"so_chung_tu": "late_one", "quy": "?",
                                        "so_dong": 1, "tien_goc": principal})  # fmt: skip
    world.set_aside("c12", {"ma_co_quan": "07206", "thang": "2021-12-01", "ck_bhxh": 4_000,
                            "ck_bhyt": -1, "ck_bhtn": None})  # fmt: skip
    world.set_aside("payments", {"so_chung_tu": "august", "ma_co_quan": "07205", "so_tien": 1_000,
                                 "ngay_ghi_co": "2021-08-15T03:00:00+00:00"})  # fmt: skip
    world.set_aside("allocations", {"so_chung_tu": "august", "so_dong": 1, "quy": "BHYT",
                                    "tien_goc": 690, "tien_lai": 10})  # fmt: skip
    for closing, month in ((900, "2021-09-01"), (1_500, "2021-10-01"), (1_200, "2021-11-01")):
        world.set_aside("c12", {"ma_co_quan": "07206", "madvi": "Q", "thang": month,
                                "ck_bhxh": closing})  # fmt: skip
    for measure, target, value in (
        ("THU_TONG", "072", 50), ("THU_TONG", "07201", 55), ("THU_BHYT", "07201", 40),
        ("THU_BHTN", "07201", 20), ("THU_TONG", "07202", 7), ("THU_TONG", "nobody", 3),
        ("NO_TONG", "07201", 900_000), ("NGUOI_BHYT", "07201", 900_000),
    ):  # fmt: skip
        world.set_aside("plans", {"loai_doi_tuong": "CO_QUAN", "ma_doi_tuong": target, "nam": 2021,
                                  "chi_tieu": measure, "gia_tri": value})  # fmt: skip
    world.set_aside(
        "allocations",
        {"so_chung_tu": "december", "quy": "BHYT", "tien_goc": 9_999},
        resolved="2022-01-03T00:00",
        status="waived",
    )


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """The nightly build, the past one of the first night, and one at the cutoff."""
    with (
        new_warehouse(servers, tmp_path_factory.mktemp("home")) as made,
    ):
        with made.world() as world:
            for part in (_register, _credits, _people, _plans, _corrections, _cutoff, _accounts):
                part(world)
            _quarantine(world)
        run_build(made.settings)
        run_build(made.settings, as_known_at=instant(FIRST_NIGHT), schema=PAST)
        run_build(made.settings, event_cutoff=CUTOFF, schema=AT_CUTOFF)
        yield made


@pytest.fixture
def figure(warehouse: Warehouse) -> Iterator[Figure]:
    with psycopg.connect(warehouse.admin_url, row_factory=dict_row) as conn:

        def row(
            agency: str, month: str, metric: str, schema: str = NIGHTLY, **more: str
        ) -> dict[str, Any]:
            table = "fct_arrears_ratio" if more else "fct_monthly_attainment"
            where = {"agency_code": agency, "month": date.fromisoformat(f"{month}-01")}
            where |= more or {"metric_code": metric}
            query = sql.SQL("select * from {} where {}").format(
                sql.Identifier(schema, table),
                sql.SQL(" and ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(v))
                    for n, v in where.items()
                ),
            )
            (found,) = conn.execute(query).fetchall()
            return found

        yield row


def test_a_credit_belongs_to_its_local_month_and_interest_does_not_count(figure: Figure) -> None:
    hi = "collection_hi"
    by_month = [figure("07201", m, hi)["actual_month"] for m in ("2021-01", "2021-11", "2021-12")]
    assert by_month == [100_000, 1, 110]
    assert figure("07201", "2021-12", hi)["actual_to_date"] == 100_111
    assert figure("07201", "2022-01", hi)["actual_to_date"] == 1_000
    assert figure("07201", "2021-05", hi)["actual_to_date"] == 100_000


def test_the_province_counts_itself_and_agencies_out_of_force_and_no_other_province(
    figure: Figure, warehouse: Warehouse
) -> None:
    assert figure("072", "2021-08", "collection_si_compulsory")["actual_month"] == 500
    assert figure("072", "2021-08", "collection_si_voluntary")["actual_month"] == 60
    assert figure("072", "2021-08", "collection_total")["actual_month"] == 560
    assert figure("080", "2021-08", "collection_total")["actual_month"] == 9_000
    shown = warehouse.rows(
        "select max(month), count(distinct month), count(*) from marts.fct_monthly_attainment "
        "where agency_code = '07207'"
    )
    assert shown == [(date(2021, 6, 1), 6, 6 * METRICS)]


def test_every_agency_in_force_has_every_month_and_metric(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select count(*), count(distinct month), max(month) from marts.fct_monthly_attainment"
    )
    assert rows == [((9 * 13 + 6) * METRICS, 13, date(2022, 1, 1))]
    past = warehouse.rows(f"select max(month), max(known_at) from {PAST}.fct_monthly_attainment")
    assert past == [(date(2021, 12, 1), instant(FIRST_NIGHT))]


def test_what_became_known_later_changes_nothing_before(figure: Figure) -> None:
    ui = "collection_ui"
    assert figure("07202", "2021-11", ui, PAST)["actual_month"] == 530
    assert figure("07202", "2021-11", ui)["actual_month"] == 7
    assert figure("07203", "2021-12", ui, PAST)["actual_month"] == 0
    assert figure("07203", "2021-12", ui)["actual_month"] == 40
    assert figure("072", "2021-12", ui, PAST)["actual_to_date"] == 530
    assert figure("072", "2021-12", ui)["actual_to_date"] == 47


def test_at_the_cutoff_only_what_happened_before_counts(figure: Figure) -> None:
    si = "collection_si_compulsory"
    assert figure("07204", "2021-12", si)["actual_month"] == 1_100
    assert figure("07204", "2021-12", si, AT_CUTOFF)["actual_month"] == 100
    assert figure("07204", "2021-12", "collection_total", AT_CUTOFF)["actual_month"] == 100
    assert figure("07204", "2021-12", "participants_hi")["actual_month"] == 2
    assert figure("07204", "2021-12", "participants_hi", AT_CUTOFF)["actual_month"] == 1
    # a void document stays void at the cutoff: knowledge is that of now
    assert figure("07202", "2021-11", "collection_ui", AT_CUTOFF)["actual_month"] == 7


def test_the_accounts_month_of_the_cutoff_gets_late_principal_back_before_the_cut(
    figure: Figure,
) -> None:
    """-400 + 1,000 is 600; voluntary insurance stands in no account."""
    nightly = figure("07204", "2021-12", "arrears_ratio_si")
    assert (nightly["numerator"], nightly["denominator"]) == (0, 50_000)
    at_cutoff = figure("07204", "2021-12", "arrears_ratio_si", AT_CUTOFF)
    assert (at_cutoff["numerator"], at_cutoff["denominator"]) == (600, 50_000)
    assert at_cutoff["actual_to_date"] == Decimal("0.012000000")
    assert figure("07204", "2021-12", "arrears_ratio_hi", AT_CUTOFF)["numerator"] == 0
    variant = {"group_code": "si", "variant_code": "interest_bearing_receivable"}
    assert figure("07204", "2021-12", "", AT_CUTOFF, **variant)["numerator"] == 0


def test_a_surplus_never_nets_and_all_four_variants_are_there(figure: Figure) -> None:
    """SI: S is 500 over, B owes 1,000; UI: S owes 200, all of it of this month."""
    expected = {
        ("si", "total_receivable"): (1_000, -10 + 343 + 4_000),
        ("si", "interest_bearing_receivable"): (700, -10 + 343 + 4_000),
        ("ui", "total_receivable"): (200, 300),
        ("ui", "interest_bearing_receivable"): (0, 300),
        ("total", "total_receivable"): (1_200, 4_633),
        ("total", "total_plan"): (1_200, None),
    }
    for (group, variant), (numerator, denominator) in expected.items():
        row = figure("07205", "2021-12", "", group_code=group, variant_code=variant)
        assert (row["numerator"], row["denominator"]) == (numerator, denominator), (group, variant)
    total = figure("07205", "2021-12", "arrears_ratio_total")
    # 1,200 / 4,633 = 0.25901143967…; over 0.2: 1.29505719835…
    assert total["actual_to_date"] == Decimal("0.259011440")
    assert (total["attainment_ratio"], total["is_met"]) == (Decimal("1.295057198"), False)


def test_an_account_counts_at_the_agency_on_whose_sheet_it_stood_in_its_month(
    figure: Figure,
) -> None:
    december = figure("07206", "2021-12", "arrears_ratio_si")
    assert (december["numerator"], december["denominator"]) == (2, 5_000)
    assert december["actual_to_date"] == Decimal("0.000400000")
    assert december["is_met"] is True
    plan = {"group_code": "si", "variant_code": "total_plan"}
    assert figure("07206", "2021-12", "", **plan)["denominator"] == 1_000
    province = figure("072", "2021-12", "arrears_ratio_si")
    assert (province["numerator"], province["denominator"]) == (1_002, 50_000 + 4_333 + 5_000)


def test_without_an_account_of_the_month_nothing_is_said(figure: Figure) -> None:
    for metric in ("arrears_ratio_si", "arrears_ratio_total"):
        row = figure("07206", "2021-11", metric)
        empty = ("actual_month", "actual_to_date", "numerator", "denominator", "is_met")
        assert [row[name] for name in empty] == [None] * 5
        assert row["attainment_ratio"] is None
    zero = figure("07206", "2021-12", "arrears_ratio_hi")
    assert (zero["numerator"], zero["denominator"], zero["actual_to_date"]) == (0, 0, None)


def test_a_person_counts_once_at_the_province(figure: Figure) -> None:
    si = "participants_si_compulsory"
    counted = {
        (agency, month): figure(agency, month, si)["actual_to_date"]
        for agency in ("07201", "07202", "072")
        for month in ("2021-05", "2021-06", "2021-07", "2021-10")
    }
    assert [counted["07201", m] for m in ("2021-05", "2021-06", "2021-07", "2021-10")] == [
        2, 2, 1, 1,
    ]  # fmt: skip
    assert [counted["07202", m] for m in ("2021-05", "2021-06", "2021-07", "2021-10")] == [
        0, 1, 2, 1,
    ]  # fmt: skip
    assert [counted["072", m] for m in ("2021-05", "2021-06", "2021-07", "2021-10")] == [3] * 4


def test_plans_revise_each_other_and_a_tie_goes_by_code_point(figure: Figure) -> None:
    ui = "collection_ui"
    november, december = figure("07203", "2021-11", ui), figure("07203", "2021-12", ui)
    assert (november["plan_in_force"], november["plan_original"]) == (100, 100)
    # QĐ (U+0110) comes after QE by code point: 40 of 40 collected
    assert (december["plan_in_force"], december["attainment_ratio"]) == (40, 1)
    assert december["is_met"] is True
    assert figure("07203", "2021-12", ui, AT_CUTOFF)["plan_in_force"] == 40
    zero = figure("07203", "2021-12", "collection_hi")
    assert (zero["plan_in_force"], zero["attainment_ratio"], zero["is_met"]) == (0, None, True)
    assert figure("072", "2021-12", ui)["plan_in_force"] == 3
    assert figure("07203", "2022-01", ui)["plan_original"] is None


def test_money_set_aside_is_shown_where_it_could_belong(figure: Figure) -> None:
    """6 is readable; 20 has no document, so any agency and month; 610 has no fund; 4,000 is C12."""

    def money(agency: str, month: str, metric: str, schema: str = NIGHTLY) -> Any:
        return figure(agency, month, metric, schema)["quarantined_money"]

    assert money("07201", "2021-12", "collection_hi") == 6
    assert money("07201", "2021-12", "collection_total") == 26
    assert money("07201", "2021-03", "collection_si_compulsory") == 20
    assert money("07206", "2021-12", "collection_hi") == 610
    assert money("07206", "2021-12", "collection_total") == 630
    assert money("072", "2021-12", "collection_hi") == 616
    assert money("072", "2021-12", "collection_total") == 636
    assert money("07206", "2021-12", "arrears_ratio_si") == 4_000
    assert money("072", "2021-12", "arrears_ratio_total") == 4_000
    assert money("07206", "2021-12", "arrears_ratio_hi") == 0
    assert money("07206", "2021-12", "participants_hi") == 0
    # waived on 3 January: it was open in the first night
    assert money("07201", "2021-12", "collection_hi", PAST) == 6 + 9_999


def test_what_is_set_aside_could_change_every_figure_to_date_each_dong_once(
    figure: Figure, warehouse: Warehouse
) -> None:
    """August's document of 1,000 and its line of 700 are 1,000; versions of a line count once."""

    def money(agency: str, month: str, metric: str) -> Any:
        return figure(agency, month, metric)["quarantined_to_date"]

    # 07205: 1,000 of August, of which 700 are known to be health insurance
    assert money("07205", "2021-07", "collection_hi") == 0
    assert money("07205", "2021-08", "collection_hi") == 1_000
    assert money("07205", "2021-12", "collection_ui") == 300
    assert money("07205", "2021-12", "collection_total") == 1_000 + 20
    assert figure("07205", "2021-12", "collection_total")["quarantined_money"] == 20
    # 07206: of two versions of a line 300 and 310 the larger; an account of 900, then of 1,500
    assert money("07206", "2021-12", "collection_total") == 310 + 20
    assert money("07206", "2021-09", "arrears_ratio_si") == 900
    assert money("07206", "2021-12", "arrears_ratio_si") == 4_000 + 1_500
    assert money("07206", "2021-12", "arrears_ratio_hi") == 0
    assert money("072", "2021-12", "collection_total") == 1_000 + 310 + 6 + 20
    assert money("072", "2021-12", "participants_hi") == 0
    # a new year: only what has no month that could be read
    assert money("072", "2022-01", "collection_total") == 20
    at_stake = warehouse.rows(
        f"select kind_code, at_stake_vnd from {AT_CUTOFF}.int_money_at_stake "
        "where agency_code = '072' and month = '2021-12-01' order by kind_code"
    )
    # plans: the province's 50; its agencies' 60 (a total, or its parts) and 7; the larger, once;
    # and 3 of an object that no register has
    assert at_stake == [("arrears", 5_500), ("collection", 1_336), ("plan", 67 + 3)]


def test_naive_sums_count_money_twice_or_not_at_all(warehouse: Warehouse) -> None:
    """Of payments and lines alike, or of the last month alone, as releases before did."""
    rows = warehouse.rows(
        "select sum((row ->> 'so_tien')::numeric + coalesce(lines.money, 0)) "
        "from quarantine.row as document left join lateral ( "
        "select sum((line.row ->> 'tien_goc')::numeric) as money from quarantine.row as line "
        "where line.feed = 'allocations' and line.row ->> 'so_chung_tu' = "
        "document.row ->> 'so_chung_tu') as lines on true "
        "where feed = 'payments' and row ->> 'so_chung_tu' = 'august'"
    )
    assert rows == [(1_690,)]
    rows = warehouse.rows(
        "select quarantined_money from marts.fct_monthly_attainment where agency_code = '07205' "
        "and month = '2021-12-01' and metric_code = 'collection_hi'"
    )
    assert rows == [(0,)]


def test_types_are_the_fixed_ones_and_every_column_says_what_it_is(warehouse: Warehouse) -> None:
    rows = warehouse.rows(
        "select column_name::text, data_type::text from information_schema.columns "
        "where table_schema = 'marts' and table_name = 'fct_monthly_attainment'"
    )
    types = {row[0]: row[1] for row in rows}
    assert types == {
        "agency_code": "text", "month": "date", "metric_code": "text",
        "is_met": "boolean", "known_at": "timestamp with time zone",
        "agency_key": "text", "plan_status_code": "text", "is_province": "boolean",
        **dict.fromkeys(
            ["actual_month", "actual_to_date", "numerator", "denominator", "plan_original",
             "plan_in_force", "plan_final", "attainment_ratio", "quarantined_money",
             "quarantined_to_date"], "numeric",
        ),
    }  # fmt: skip
    undescribed = warehouse.rows(
        """
        select relation.relname, attribute.attname
        from pg_attribute as attribute
        inner join pg_class as relation on relation.oid = attribute.attrelid
        where relation.relnamespace = 'marts'::regnamespace and attribute.attnum > 0
            and coalesce(col_description(relation.oid, attribute.attnum), '') not like '%—%'
        """
    )
    assert undescribed == []


def test_the_rules_that_are_easy_to_get_wrong_hold_in_each_model(warehouse: Warehouse) -> None:
    variables = build_variables(load_registers(), instant(SECOND_NIGHT), None)
    summary = run_dbt(
        warehouse.settings, "marts_build", variables, ("test", "--select", "test_type:unit")
    )
    assert summary.tests >= 26


@pytest.mark.parametrize(
    ("numerator", "denominator", "exact", "naive"),
    [
        (3 * 10**29 - 1, 2 * 10**38, "0.000000001", "0.000000002"),
        (1, 2 * 10**9, "0.000000001", "0.000000001"),
        (-1, 2 * 10**9, "-0.000000001", "-0.000000001"),
    ],
)
def test_postgresql_division_rounds_twice_and_ours_does_not(
    warehouse: Warehouse, numerator: int, denominator: int, exact: str, naive: str
) -> None:
    """The naive twin: round(a / b, 9) rounds what `/` has already rounded."""
    ours = (
        f"sign({numerator}::numeric) * div(2 * 1000000000::numeric * abs({numerator}) "
        f"+ {denominator}, 2 * {denominator}::numeric) * 0.000000001"
    )
    rows = warehouse.rows(f"select {ours}, round({numerator}::numeric / {denominator}, 9)")
    assert rows == [(Decimal(exact), Decimal(naive))]
