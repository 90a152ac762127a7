"""Accounts and arrears by worked examples."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.oracle.literal import (
    CUTOFF,
    DECEMBER,
    NIGHT,
    NOVEMBER,
    account,
    at,
    document,
    line,
    observed,
    plan,
    plans,
    ratio,
    row,
    statement,
)
from tests.oracle.model import Measures


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
