"""What is set aside, by worked examples."""

from datetime import date, timedelta
from typing import Any

from tests.oracle.literal import (
    AGENCIES,
    COMPULSORY,
    DECEMBER,
    NIGHT,
    NOVEMBER,
    account,
    agency,
    document,
    line,
    observed,
    ratio,
    row,
    statement,
)
from tests.oracle.recompute import attainment


def test_money_set_aside_counts_wherever_it_could_belong_and_once_at_the_province() -> None:
    unknown = document("A", "2021-12-02 10:00", "07299")
    known = document("B", "2021-12-02 10:00", "07202")
    blank = document("C", "2021-12-02 10:00", ma_co_quan=None)
    world = [
        observed(
            documents=[unknown, known, blank],
            lines=[
                line("A", "HTTT", 100, 5),
                line("A", "BHYT", 7, 0, 2),
                line("B", "BHTN", 20, 1),
                line("C", "BHYT", 1000),
            ],
            statements=[
                statement(
                    "2021-12-30 20:00",
                    DECEMBER,
                    {"07299": [account("E9", ck_bhxh=50, ck_bhyt=-3, ck_bhtn=4)]},
                )
            ],
            set_aside={
                "chung_tu": frozenset({("A",), ("C",)}),
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
    assert money("collection_hi") == [1007, 1007, 1007]
    assert money("collection_ui") == [21, 0, 21]
    assert money("collection_total") == [1133, 1112, 1133]
    assert money("collection_total", NOVEMBER) == [0, 0, 0]
    assert money("arrears_ratio_si") == [50, 50, 50]
    assert money("arrears_ratio_hi") == [0, 0, 0]
    assert money("arrears_ratio_total") == [54, 54, 54]
    assert money("participants_hi") == [0, 0, 0]
    assert [
        figures["072", DECEMBER, metric]["quarantined_to_date"]
        for metric in (
            "collection_hi",
            "collection_total",
            "arrears_ratio_total",
            "participants_hi",
        )
    ] == [1007, 1133, 54, 0]
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


def test_a_register_row_that_a_reading_lacks_is_in_force_as_it_was() -> None:
    later = NIGHT + timedelta(days=1)
    paid = {"documents": [document("A", "2021-12-02 10:00")], "lines": [line("A", "BHYT", 100)]}
    world = [
        observed(**paid),
        observed(
            later, agencies=[each for each in AGENCIES if each["ma_co_quan"] != "07201"], **paid
        ),
    ]
    for code in ("072", "07201"):
        assert row(world, "collection_total", code)["actual_month"] == 100
