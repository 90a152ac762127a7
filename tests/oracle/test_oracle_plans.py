"""Plans and rounding by worked examples."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.oracle.literal import NIGHT, NOVEMBER, at, observed, plan, plans, row
from tests.oracle.recompute import nine_decimals


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


def test_halves_are_rounded_away_from_zero() -> None:
    half = Fraction(1, 2 * 10**9)
    assert nine_decimals(half) == Decimal("0.000000001")
    assert nine_decimals(-half) == Decimal("-0.000000001")
    assert nine_decimals(half * Fraction(999, 1000)) == 0
    assert nine_decimals(3 * half) == Decimal("0.000000002")
    assert nine_decimals(None) is None
