"""Each rule of the figures by a worked example, so that the judge itself is judged."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.oracle.literal import (
    AGENCIES,
    NIGHT,
    PROVINCE,
    account,
    agency,
    at,
    document,
    line,
    observed,
    plan,
    plans,
    spell,
    statement,
)
from tests.oracle.model import Measures, Observation
from tests.oracle.recompute import PLAN_MEASURES, arrears_ratio, attainment, nine_decimals

CUTOFF = at("2021-12-31 17:00")
DECEMBER = date(2021, 12, 1)
NOVEMBER = date(2021, 11, 1)
COMPULSORY = "collection_si_compulsory"


def row(
    observations: list[Observation],
    metric: str,
    agency_code: str = "07201",
    month: date = DECEMBER,
    **how: Any,
) -> dict[str, Any]:
    how.setdefault("as_known_at", max(o.known_at for o in observations))
    return attainment(observations, **how)[agency_code, month, metric]


def ratio(
    observations: list[Observation],
    variant: str = "total_receivable",
    group: str = "si",
    agency_code: str = "07201",
    month: date = DECEMBER,
    **how: Any,
) -> tuple[Any, ...]:
    how.setdefault("as_known_at", max(o.known_at for o in observations))
    found = arrears_ratio(observations, **how)[agency_code, month, group, variant]
    return found["numerator"], found["denominator"], found["ratio"], found["is_met"]


def test_universe_is_agencies_in_force_times_months_times_metrics() -> None:
    agencies = (
        *AGENCIES,
        agency("07203", hieu_luc_tu=date(2021, 3, 31)),
        agency("07204", hieu_luc_den=date(2021, 2, 1)),
        agency("07205", hieu_luc_tu=date(2021, 5, 2), hieu_luc_den=date(2021, 5, 2)),
    )
    rows = attainment([observed(agencies=agencies)], NIGHT)
    months = {
        code: sorted({key[1].month for key in rows if key[0] == code})
        for code in ("072", "07203", "07204", "07205")
    }
    assert months == {
        "072": list(range(1, 13)),
        "07203": list(range(3, 13)),
        "07204": [1, 2],
        "07205": [5],
    }
    assert len(rows) == (3 * 12 + 10 + 2 + 1) * 13
    assert len(PLAN_MEASURES) == 13


def test_universe_ends_with_the_newest_published_business_date() -> None:
    first = observed(at("2021-02-01 01:00"), date(2021, 1, 31))
    second = observed(at("2022-01-02 01:00"), date(2022, 1, 1))
    at_first = attainment([first, second], first.known_at)
    assert {key[1] for key in at_first} == {date(2021, 1, 1)}
    at_second = attainment([first, second], second.known_at)
    assert max(key[1] for key in at_second) == date(2022, 1, 1)
    assert min(key[1] for key in at_second) == date(2021, 1, 1)


def test_collection_counts_principal_by_local_month_of_credit() -> None:
    world = observed(
        documents=[
            document("A", "2021-11-30 23:59:59.999999"),
            document("B", "2021-12-01 00:00"),
            document("C", "2021-12-02 09:00", trang_thai="HUY"),
            document("D", "2020-12-31 23:59:59.999999"),
        ],
        lines=[
            line("A", "HTTT", 100, 7),
            line("B", "HTTT", 20, 1, 1),
            line("B", "ODTS", 3, 0, 2),
            line("B", "TNLD", 4, 0, 3),
            line("B", "BHTN", 50, 0, 4),
            line("B", "BHYT", 600, 0, 5),
            line("B", "BHXHTN", 7000, 0, 6),
            line("B", "HTTT", -5, 0, 7),
            line("C", "HTTT", 999),
            line("D", "HTTT", 888),
        ],
    )
    figures = attainment([world], NIGHT)

    def both(metric: str, month: date = DECEMBER) -> tuple[Any, Any]:
        found = figures["07201", month, metric]
        return found["actual_month"], found["actual_to_date"]

    assert both(COMPULSORY, NOVEMBER) == (100, 100)
    assert both(COMPULSORY) == (22, 122)
    assert both("collection_ui") == (50, 50)
    assert both("collection_hi") == (600, 600)
    assert both("collection_si_voluntary") == (7000, 7000)
    assert both("collection_total") == (7672, 7772)


def test_year_to_date_restarts_each_january() -> None:
    world = observed(
        at("2022-02-01 01:00"),
        date(2022, 1, 31),
        documents=[document("A", "2021-12-31 23:59"), document("B", "2022-01-01 00:00")],
        lines=[line("A", "BHYT", 1), line("B", "BHYT", 10)],
    )
    assert row([world], "collection_hi")["actual_to_date"] == 1
    assert row([world], "collection_hi", month=date(2022, 1, 1))["actual_to_date"] == 10


def test_interest_counts_from_the_configured_month() -> None:
    world = observed(
        documents=[document("A", "2021-11-30 10:00"), document("B", "2021-12-01 10:00")],
        lines=[line("A", "BHYT", 1, 100), line("B", "BHYT", 10, 1000)],
    )
    config = Measures(counts_interest=((date(2021, 1, 1), False), (DECEMBER, True)))
    assert row([world], "collection_hi", config=config)["actual_to_date"] == 1011


def test_province_counts_itself_and_every_chain_in_force_or_not() -> None:
    agencies = (
        PROVINCE,
        agency("07201", hieu_luc_den=date(2021, 1, 31)),
        agency("07202", "07201", cap=3),
        agency("08001", "080"),
        agency("080", None, cap=1),
    )
    world = observed(
        agencies=agencies,
        documents=[
            document("A", "2021-12-02 10:00", "07201"),
            document("B", "2021-12-02 10:00", "07202"),
            document("C", "2021-12-02 10:00", "072"),
            document("D", "2021-12-02 10:00", "08001"),
        ],
        lines=[line(code, "BHYT", 10**n) for n, code in enumerate("ABCD")],
    )
    figures = attainment([world], NIGHT)
    collected = {
        code: figures[code, DECEMBER, "collection_hi"]["actual_month"]
        for code in ("072", "07202", "080", "08001")
    }
    assert collected == {"072": 111, "07202": 10, "080": 1000, "08001": 1000}
    assert ("07201", DECEMBER, "collection_hi") not in figures


def test_a_void_counts_until_its_voiding_is_known() -> None:
    paid = document("A", "2021-12-02 10:00")
    first = observed(documents=[paid], lines=[line("A", "BHYT", 10)])
    second = observed(
        NIGHT + timedelta(days=1),
        documents=[paid | {"trang_thai": "HUY"}],
        lines=first.tables["phan_bo"],
    )
    world = [first, second]
    assert row(world, "collection_hi", as_known_at=first.known_at)["actual_month"] == 10
    assert row(world, "collection_hi", as_known_at=second.known_at)["actual_month"] == 0
    just_before = second.known_at - timedelta(microseconds=1)
    assert row(world, "collection_hi", as_known_at=just_before)["known_at"] == first.known_at


def test_people_are_distinct_within_the_agency_and_within_the_province() -> None:
    world = observed(
        spells=[
            spell(1, "0000000001", date(2021, 1, 1), NOVEMBER),
            spell(2, "0000000001", NOVEMBER),
            spell(3, "0000000001", DECEMBER, ma_co_quan="07202"),
            spell(4, "0000000002", date(2021, 1, 1), trang_thai="HUY"),
            spell(5, "0000000003", date(2022, 1, 1)),
            spell(6, "0000000004", DECEMBER, DECEMBER, loai="BHTN"),
        ]
    )
    figures = attainment([world], NIGHT)

    def heads(code: str, month: date, metric: str = "participants_hi") -> Any:
        return figures[code, month, metric]["actual_to_date"]

    assert [heads(c, NOVEMBER) for c in ("07201", "07202", "072")] == [1, 0, 1]
    assert [heads(c, DECEMBER) for c in ("07201", "07202", "072")] == [1, 1, 1]
    assert [heads("07201", m, "participants_ui") for m in (NOVEMBER, DECEMBER)] == [0, 1]


def test_surplus_never_nets_and_total_is_the_sum_of_groups() -> None:
    sheets = {
        "07201": [
            account("E1", ck_bhxh=100, ck_bhyt=-50, ck_bhtn=30, ps_bh=1000, ps_yt=20, ps_tn=60),
            account("E2", ck_bhxh=-70, ck_bhyt=5, ck_bhtn=None, bst_bh=500, bsg_bh=300),
        ],
        "07202": [account("E3", ck_bhxh=1, ps_bh=1)],
    }
    world = [observed(statements=[statement("2021-12-30 20:00", DECEMBER, sheets)])]
    assert ratio(world) == (100, 1200, Decimal("0.083333333"), None)
    assert ratio(world, group="hi")[:2] == (5, 20)
    assert ratio(world, group="ui")[:2] == (30, 60)
    assert ratio(world, group="total")[:2] == (135, 1280)
    assert ratio(world, group="total", agency_code="072")[:2] == (136, 1281)
    assert ratio(world, "interest_bearing_receivable")[:2] == (0, 1200)
    assert ratio(world, "interest_bearing_receivable", "hi")[:2] == (5, 20)
    assert ratio(world, "total_plan") == (100, None, None, None)


def test_plan_variants_divide_by_the_plan_and_share_the_target() -> None:
    files = plans(
        plan("THU_BHXH_BB", "10000"),
        plan("THU_TONG", "0"),
        plan("NO_BHXH", "0.9"),
        plan("NO_TONG", "0.9"),
    )
    sheets = {"07201": [account("E1", ck_bhxh=90, ps_bh=9000)]}
    stated = statement("2021-12-30 20:00", DECEMBER, sheets)
    world = [observed(statements=[stated], plan_files=[files])]
    assert ratio(world, "total_plan") == (90, 10000, Decimal("0.009"), False)
    assert ratio(world, "total_receivable") == (90, 9000, Decimal("0.01"), False)
    assert ratio(world, "interest_bearing_plan") == (0, 10000, Decimal(0), True)
    assert ratio(world, "total_plan", "total") == (90, 0, None, None)
    assert ratio(world, "total_plan", "ui") == (0, None, None, None)
    official = row(world, "arrears_ratio_si")
    assert (official["numerator"], official["denominator"]) == (90, 9000)
    assert official["plan_in_force"] == Decimal("0.009")
    assert official["attainment_ratio"] == Decimal("1.111111111")
    config = Measures(official_variant=((date(2021, 1, 1), "total_plan"),))
    assert row(world, "arrears_ratio_si", config=config)["actual_month"] == Decimal("0.009")


def test_no_account_is_null_and_denominator_zero_leaves_the_ratio_open() -> None:
    sheets = {"07201": [account("E1", ck_bhxh=5)], "07202": []}
    stated = statement("2021-12-30 20:00", DECEMBER, sheets)
    world = [observed(statements=[stated], plan_files=[plans(plan("NO_BHXH", "0.9"))])]
    assert ratio(world) == (5, 0, None, None)
    assert ratio(world, group="ui") == (0, 0, None, None)
    assert ratio(world, agency_code="07202") == (None, None, None, None)
    assert ratio(world, month=NOVEMBER) == (None, None, None, None)
    empty = row(world, "arrears_ratio_si", "07202")
    assert (empty["actual_month"], empty["actual_to_date"], empty["is_met"]) == (None, None, None)


def test_receivable_to_date_takes_each_months_own_agency() -> None:
    november = statement("2021-11-30 20:00", NOVEMBER, {"07201": [account("E1", ps_bh=100)]})
    december = statement(
        "2021-12-30 20:00",
        DECEMBER,
        {"07201": [account("E2", ps_bh=1)], "07202": [account("E1", ps_bh=10, ck_bhxh=3)]},
    )
    world = [observed(statements=[november, december])]
    assert ratio(world)[:2] == (0, 101)
    assert ratio(world, agency_code="07202")[:2] == (3, 10)
    assert ratio(world, agency_code="072")[:2] == (3, 111)


def test_newest_export_wins_whatever_order_files_arrive_in() -> None:
    both = {"07201": [account("E1", ck_bhxh=1), account("E2", ck_bhxh=20)], "07202": []}
    moved = {"07202": [account("E1", ck_bhxh=300)]}
    left = {"07202": [account("E3", ck_bhxh=4000)]}
    exports = [
        statement("2021-12-28 20:00", DECEMBER, both),
        statement("2021-12-29 20:00", DECEMBER, moved),
        statement("2021-12-30 20:00", DECEMBER, left),
    ]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        world = [
            observed(NIGHT + timedelta(hours=n), statements=[exports[i]])
            for n, i in enumerate(order)
        ]
        assert ratio(world)[0] == 20  # E1 left for good, also when its new sheet drops it
        assert ratio(world, agency_code="07202")[0] == 4000
    until_moved = [observed(statements=exports[:2])]
    assert ratio(until_moved)[0] == 20
    assert ratio(until_moved, agency_code="07202")[0] == 300


def test_a_statement_is_unknown_before_the_extract_that_brought_it() -> None:
    stated = statement("2021-12-01 20:00", DECEMBER, {"07201": [account("E1", ck_bhxh=1)]})
    world = [observed(), observed(NIGHT + timedelta(hours=1), statements=[stated])]
    assert ratio(world, as_known_at=NIGHT)[0] is None
    assert ratio(world)[0] == 1


def test_plan_in_force_is_the_greatest_revision_begun_by_the_months_last_day() -> None:
    files = plans(
        plan("THU_BHYT", "100"),
        plan("THU_BHYT", "200", date(2021, 11, 30), so_quyet_dinh="9/QĐ"),
        plan("THU_BHYT", "300", date(2021, 11, 30), so_quyet_dinh="Đ/QĐ"),
        plan("THU_BHYT", "400", date(2021, 12, 31), ngay_ky=date(2021, 1, 1)),
        plan("THU_BHYT", "50", date(2021, 1, 1), ngay_ky=date(2020, 12, 1)),
        plan("THU_BHYT", "999", date(2021, 12, 1), loai_doi_tuong="CAN_BO"),
    )
    world = [observed(plan_files=[files])]
    in_force = [
        row(world, "collection_hi", month=date(2021, m, 1))["plan_in_force"]
        for m in (1, 10, 11, 12)
    ]
    assert in_force == [100, 100, 300, 400]
    assert row(world, "collection_hi", month=date(2021, 1, 1))["plan_original"] == 50
    early = row(world, "collection_hi", event_cutoff=at("2021-12-30 23:59"))
    assert early["plan_in_force"] == 300
    assert row(world, "collection_hi", "072")["plan_in_force"] is None


def test_original_is_the_smallest_known_also_when_not_in_force() -> None:
    world = [observed(plan_files=[plans(plan("THU_BHYT", "7", date(2021, 12, 1)))])]
    november = row(world, "collection_hi", month=NOVEMBER)
    assert (november["plan_original"], november["plan_in_force"]) == (7, None)
    assert (november["is_met"], november["attainment_ratio"]) == (None, None)


def test_newest_delivery_of_a_plan_line_wins_and_absent_lines_stay() -> None:
    first = plans(plan("THU_BHYT", "1"), plan("THU_BHTN", "10"), name="KE_HOACH_B.xlsx")
    second = plans(plan("THU_BHYT", "2"), name="KE_HOACH_A.xlsx")
    together = [observed(plan_files=[second, first])]
    assert row(together, "collection_hi")["plan_in_force"] == 1
    apart = [
        observed(plan_files=[first]),
        observed(NIGHT + timedelta(hours=1), plan_files=[second]),
    ]
    assert row(apart, "collection_hi")["plan_in_force"] == 2
    assert row(apart, "collection_ui")["plan_in_force"] == 10
    assert row(apart, "collection_hi", as_known_at=NIGHT)["plan_in_force"] == 1


def test_a_plan_of_zero_is_a_plan() -> None:
    world = [observed(plan_files=[plans(plan("THU_BHYT", "0"))])]
    found = row(world, "collection_hi")
    assert (found["plan_in_force"], found["is_met"], found["attainment_ratio"]) == (0, True, None)


@pytest.mark.parametrize(
    ("credited", "counted"),
    [("2021-12-31 16:59:59.999999", 10), ("2021-12-31 17:00", 0), ("2021-12-31 23:59", 0)],
)
def test_documents_count_before_the_cutoff_strictly(credited: str, counted: int) -> None:
    night = NIGHT + timedelta(days=2)
    world = [observed(night, documents=[document("A", credited)], lines=[line("A", "BHYT", 10)])]
    assert row(world, "collection_hi", event_cutoff=CUTOFF)["actual_month"] == counted
    assert row(world, "collection_hi")["actual_month"] == 10


def test_spells_recorded_before_the_cutoff_count_in_their_newest_version() -> None:
    recorded = {"ngay_nhap": CUTOFF - timedelta(microseconds=1)}
    late = spell(2, "0000000002", DECEMBER, ngay_nhap=CUTOFF)
    first = observed(CUTOFF, spells=[spell(1, "0000000001", DECEMBER, **recorded), late])
    closed = spell(1, "0000000001", DECEMBER, **recorded, trang_thai="HUY")
    second = observed(CUTOFF + timedelta(hours=8), spells=[closed, late])
    world = [first, second]
    how: dict[str, Any] = {"event_cutoff": CUTOFF}
    assert row(world, "participants_hi", as_known_at=CUTOFF, **how)["actual_month"] == 1
    assert row(world, "participants_hi", **how)["actual_month"] == 0
    assert row(world, "participants_hi", as_known_at=CUTOFF)["actual_month"] == 2


def test_what_was_credited_after_the_cutoff_is_added_back_before_any_max() -> None:
    stated = "2021-12-31 18:00"
    sheets = {
        "07201": [account("TA0001A", ck_bhxh=-30, ck_bhyt=5, ck_bhtn=-2, ps_bh=60, ps_tn=9)],
        "07202": [account("TA0002A", ck_bhxh=-30)],
    }
    documents = [
        document("A", "2021-12-31 16:59", ngay_nhap=at("2021-12-31 17:30")),
        document("B", "2021-12-31 17:00", "07202", ngay_nhap=at(stated)),
        document("C", "2021-12-31 17:01", ngay_nhap=at("2021-12-31 18:00:00.000001")),
        document("D", "2022-01-01 00:00", ngay_nhap=at("2021-12-31 17:30")),
        document("E", "2021-12-31 17:02", trang_thai="HUY"),
    ]
    lines = [
        line("A", "HTTT", 1000),
        line("B", "HTTT", 100, 9),
        line("B", "BHXHTN", 7, 0, 2),
        line("B", "BHTN", 2, 0, 3),
        line("C", "HTTT", 2000),
        line("D", "HTTT", 4000),
        line("E", "HTTT", 8000),
    ]
    world = [
        observed(
            at("2022-01-01 01:00"),
            documents=documents,
            lines=lines,
            statements=[statement(stated, DECEMBER, sheets)],
        )
    ]
    cut: dict[str, Any] = {"event_cutoff": CUTOFF}
    assert ratio(world)[:2] == (0, 60)
    assert ratio(world, **cut)[:2] == (70, 60)
    assert ratio(world, "interest_bearing_receivable", **cut)[:2] == (10, 60)
    assert ratio(world, group="ui", **cut)[:2] == (0, 9)
    assert ratio(world, group="hi", **cut)[:2] == (5, 0)
    assert ratio(world, group="total", **cut)[0] == 75
    assert ratio(world, agency_code="07202", **cut)[0] == 0


def test_only_the_cutoffs_month_takes_an_add_back() -> None:
    sheets = {"07201": [account("TA0001A", ck_bhxh=1)]}
    world = [
        observed(
            at("2022-02-01 01:00"),
            date(2022, 1, 31),
            documents=[document("A", "2021-12-31 17:00")],
            lines=[line("A", "HTTT", 100)],
            statements=[
                statement("2022-01-31 20:00", DECEMBER, sheets),
                statement("2022-01-31 21:00", date(2022, 1, 1), sheets),
            ],
        )
    ]
    assert ratio(world, event_cutoff=CUTOFF)[0] == 101
    assert ratio(world, month=date(2022, 1, 1), event_cutoff=CUTOFF)[0] == 1


def test_verdicts_are_decided_on_the_unrounded_fraction() -> None:
    sheets = {
        "07201": [account("E1", ck_bhxh=8_999_999_999, ps_bh=10**12)],
        "07202": [account("E2", ck_bhxh=9_000_000_000, ps_bh=10**12)],
    }
    targets = [plan("NO_BHXH", "0.90", ma_doi_tuong=code) for code in ("07201", "07202")]
    world = [
        observed(
            statements=[statement("2021-12-30 20:00", DECEMBER, sheets)],
            plan_files=[plans(*targets)],
        )
    ]
    assert ratio(world) == (8_999_999_999, 10**12, Decimal("0.009"), True)
    assert ratio(world, agency_code="07202") == (9_000_000_000, 10**12, Decimal("0.009"), False)


def test_halves_are_rounded_away_from_zero() -> None:
    half = Fraction(1, 2 * 10**9)
    assert nine_decimals(half) == Decimal("0.000000001")
    assert nine_decimals(-half) == Decimal("-0.000000001")
    assert nine_decimals(half * Fraction(999, 1000)) == 0
    assert nine_decimals(3 * half) == Decimal("0.000000002")
    assert nine_decimals(None) is None


def test_money_set_aside_counts_wherever_it_could_belong_and_once_at_the_province() -> None:
    unknown = document("A", "2021-12-02 10:00", "07299")
    known = document("B", "2021-12-02 10:00", "07202")
    world = [
        observed(
            documents=[unknown, known],
            lines=[line("A", "HTTT", 100, 5), line("A", "BHYT", 7, 0, 2), line("B", "BHTN", 20, 1)],
            statements=[
                statement(
                    "2021-12-30 20:00",
                    DECEMBER,
                    {"07299": [account("E9", ck_bhxh=50, ck_bhyt=-3, ck_bhtn=4)]},
                )
            ],
            set_aside={
                "chung_tu": frozenset({("A",)}),
                "phan_bo": frozenset({("B", 1)}),
                "c12": frozenset({("2021-12-30 20:00", "07299", "E9")}),
            },
        )
    ]
    figures = attainment(world, NIGHT)

    def money(metric: str, month: date = DECEMBER) -> list[Any]:
        codes = ("072", "07201", "07202")
        return [figures[code, month, metric]["quarantined_money"] for code in codes]

    assert money(COMPULSORY) == [105, 105, 105]
    assert money("collection_hi") == [7, 7, 7]
    assert money("collection_ui") == [21, 0, 21]
    assert money("collection_total") == [133, 112, 133]
    assert money("collection_total", NOVEMBER) == [0, 0, 0]
    assert money("arrears_ratio_si") == [50, 50, 50]
    assert money("arrears_ratio_hi") == [0, 0, 0]
    assert money("arrears_ratio_total") == [54, 54, 54]
    assert money("participants_hi") == [0, 0, 0]
    assert figures["072", DECEMBER, "collection_total"]["actual_month"] == 0
    assert figures["072", DECEMBER, "arrears_ratio_si"]["numerator"] is None


def test_the_accepted_version_stays_in_force_while_a_newer_one_is_set_aside() -> None:
    paid = document("A", "2021-12-02 10:00")
    bad = paid | {"ma_co_quan": "07299"}
    before = observed(
        documents=[paid],
        lines=[line("A", "BHYT", 10)],
        statements=[
            statement("2021-12-29 20:00", DECEMBER, {"07201": [account("E1", ck_bhxh=1)]}, "one")
        ],
    )
    restated = {"07201": [account("E2", ck_bhxh=20)], "07299": [account("E1", ck_bhxh=300)]}
    after = observed(
        NIGHT + timedelta(hours=1),
        documents=[bad],
        lines=[line("A", "BHYT", 10)],
        statements=[statement("2021-12-30 20:00", DECEMBER, restated, "two")],
        set_aside={
            "chung_tu": frozenset({("A",)}),
            "c12": frozenset({("two", "07299", "E1")}),
        },
    )
    world = [before, after]
    assert row(world, "collection_hi")["actual_month"] == 10
    assert row(world, "collection_hi")["quarantined_money"] == 10
    assert ratio(world)[0] == 21
    replayed = observed(
        NIGHT + timedelta(hours=2),
        agencies=[*AGENCIES, agency("07299")],
        documents=[bad],
        lines=[line("A", "BHYT", 10)],
    )
    world.append(replayed)
    assert row(world, "collection_hi")["actual_month"] == 0
    assert row(world, "collection_hi", "07299")["actual_month"] == 10
    assert row(world, "collection_hi", "07299")["quarantined_money"] == 0
    assert ratio(world)[0] == 20
    assert ratio(world, agency_code="07299")[0] == 300
