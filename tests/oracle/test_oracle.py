"""The judge itself is judged: universe, collection and people by worked examples."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.oracle.literal import (
    AGENCIES,
    COMPULSORY,
    CUTOFF,
    DECEMBER,
    NIGHT,
    NOVEMBER,
    PROVINCE,
    agency,
    at,
    document,
    line,
    observed,
    row,
    spell,
)
from tests.oracle.model import Measures
from tests.oracle.recompute import PLAN_MEASURES, attainment


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
    assert len(rows) == (3 * 12 + 10 + 2 + 1) * len(PLAN_MEASURES)
    assert len(PLAN_MEASURES) >= 13


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
