"""The random worlds catch what a careless warehouse would do: each naive twin must fail in some."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from tests.oracle import facts, recompute
from tests.oracle.hostile.turn import CUTOFF, TICK
from tests.oracle.knowledge import local_month
from tests.oracle.model import Observation, PlanFile, Row, Statement
from tests.oracle.recompute import Figures, arrears_ratio, attainment, nine_decimals
from tests.oracle.worlds import World

SEEDS = range(12)
Lived = Sequence[Observation]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[list[Observation]]:
    lived = []
    for seed in SEEDS:
        world = World.create(None, tmp_path_factory.mktemp("drop"), seed)
        while len(world.observations) < len(world.nights):
            world.advance()
        lived.append(world.observations)
    return lived


def figures(observations: Lived, cutoff: datetime | None = CUTOFF) -> tuple[Figures, ...]:
    return tuple(
        compute(observations, observations[-1].known_at, at)
        for compute in (attainment, arrears_ratio)
        for at in (None, cutoff)
    )


@pytest.fixture(scope="module")
def right(worlds: list[list[Observation]]) -> list[tuple[Figures, ...]]:
    return [figures(world) for world in worlds]


def with_rows(
    observations: Lived, table: str, change: Callable[[Row], dict[str, Any]]
) -> list[Observation]:
    return [
        replace(o, tables={**o.tables, table: [{**row, **change(row)} for row in o.tables[table]]})
        for o in observations
    ]


def with_statements(
    observations: Lived, change: Callable[[int, Statement], Statement]
) -> list[Observation]:
    number = iter(range(10**6))
    return [
        replace(o, statements=[change(next(number), s) for s in o.statements]) for o in observations
    ]


def utc_months(observations: Lived) -> list[Observation]:
    hours = timedelta(hours=7)
    return with_rows(observations, "chung_tu", lambda r: {"ngay_ghi_co": r["ngay_ghi_co"] - hours})


def voids_count(observations: Lived) -> list[Observation]:
    return with_rows(observations, "chung_tu", lambda r: {"trang_thai": "HIEU_LUC"})


def never_added_back(observations: Lived) -> list[Observation]:
    late = CUTOFF + timedelta(days=999)
    return with_rows(observations, "chung_tu", lambda r: {"ngay_nhap": late})


def always_added_back(observations: Lived) -> list[Observation]:
    return with_rows(observations, "chung_tu", lambda r: {"ngay_nhap": r["ngay_ghi_co"]})


def spells_instead_of_persons(observations: Lived) -> list[Observation]:
    return with_rows(observations, "tham_gia", lambda r: {"ma_so_bhxh": r["ma_qua_trinh"]})


def last_delivery_wins(observations: Lived) -> list[Observation]:
    first = CUTOFF - timedelta(days=90)
    return with_statements(
        observations, lambda n, s: replace(s, stated_at=first + timedelta(minutes=n))
    )


def employers_stay_on_old_sheets(observations: Lived) -> list[Observation]:
    def keyed_by_sheet(_: int, statement: Statement) -> Statement:
        sheets = {
            agency: [{**row, "madvi": f"{agency} {row['madvi']}"} for row in rows]
            for agency, rows in statement.sheets.items()
        }
        return replace(statement, sheets=sheets)

    return with_statements(observations, keyed_by_sheet)


def empty_sheets_are_skipped(observations: Lived) -> list[Observation]:
    def without_empty(_: int, statement: Statement) -> Statement:
        return replace(statement, sheets={a: rows for a, rows in statement.sheets.items() if rows})

    return with_statements(observations, without_empty)


def parents_of_the_first_night(observations: Lived) -> list[Observation]:
    first = {r["ma_co_quan"]: r["ma_cap_tren"] for r in observations[0].tables["co_quan"]}
    return with_rows(
        observations,
        "co_quan",
        lambda r: {"ma_cap_tren": first.get(r["ma_co_quan"], r["ma_cap_tren"])},
    )


def with_plans(observations: Lived, change: Callable[[PlanFile], PlanFile]) -> list[Observation]:
    return [replace(o, plan_files=[change(f) for f in o.plan_files]) for o in observations]


def decisions_in_the_order_of_a_language(observations: Lived) -> list[Observation]:
    order = ["10/QĐ", "9/QĐ", "a/QĐ", "B/QĐ", "D/QĐ", "Đ/QĐ", "Z/QĐ"]

    def ranked(file: PlanFile) -> PlanFile:
        rows = [{**r, "so_quyet_dinh": str(order.index(r["so_quyet_dinh"]))} for r in file.rows]
        return replace(file, rows=rows)

    return with_plans(observations, ranked)


def files_in_any_order(observations: Lived) -> list[Observation]:
    return with_plans(observations, lambda f: replace(f, name=f.name[::-1]))


@pytest.mark.parametrize(
    "naive",
    [
        utc_months,
        voids_count,
        never_added_back,
        always_added_back,
        spells_instead_of_persons,
        last_delivery_wins,
        employers_stay_on_old_sheets,
        empty_sheets_are_skipped,
        parents_of_the_first_night,
        decisions_in_the_order_of_a_language,
        files_in_any_order,
    ],
)
def test_a_naive_reading_is_caught(
    naive: Callable[[Lived], list[Observation]],
    worlds: list[list[Observation]],
    right: list[tuple[Figures, ...]],
) -> None:
    pairs = zip(worlds, right, strict=True)
    assert any(figures(naive(world)) != expected for world, expected in pairs)


def test_a_cutoff_that_includes_its_own_instant_is_caught(
    worlds: list[list[Observation]], right: list[tuple[Figures, ...]]
) -> None:
    pairs = zip(worlds, right, strict=True)
    assert any(figures(world, CUTOFF + TICK) != expected for world, expected in pairs)


def test_verdicts_on_rounded_ratios_are_caught(
    worlds: list[list[Observation]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def verdicts() -> list[Any]:
        return [
            {key: row["is_met"] for key, row in found.items()}
            for world in worlds
            for found in figures(world)
        ]

    exact = verdicts()

    class Rounding(Fraction):
        def __truediv__(self, other: Any) -> Any:
            return Fraction(nine_decimals(Fraction(self) / Fraction(other)) or 0)

    monkeypatch.setattr(recompute, "Fraction", Rounding)
    assert verdicts() != exact


def test_an_order_by_change_time_would_lose_newer_versions(
    worlds: list[list[Observation]],
) -> None:
    lost = 0
    for observations in worlds:
        for before, after in pairwise(observations):
            old = {r["so_chung_tu"]: r for r in before.tables["chung_tu"]}
            for row in after.tables["chung_tu"]:
                known = old.get(row["so_chung_tu"])
                lost += known is not None and row != known and row["ngay_sua"] < known["ngay_sua"]
    assert lost > 0


def test_lines_left_alone_keep_their_change_time_when_others_vanish(
    worlds: list[list[Observation]],
) -> None:
    found = 0
    for observations in worlds:
        for before, after in pairwise(observations):
            changed_at = {r["so_chung_tu"]: r["ngay_sua"] for r in after.tables["chung_tu"]}
            old = {(r["so_chung_tu"], r["so_dong"]) for r in before.tables["phan_bo"]}
            new = {(r["so_chung_tu"], r["so_dong"]) for r in after.tables["phan_bo"]}
            rewritten = {code for code, _ in old - new}
            found += sum(
                r["so_chung_tu"] in rewritten and r["ngay_sua"] != changed_at[r["so_chung_tu"]]
                for r in after.tables["phan_bo"]
            )
    assert found > 0


def test_credits_stand_on_both_sides_of_every_edge(worlds: list[list[Observation]]) -> None:
    credits = {r["ngay_ghi_co"] for w in worlds for r in w[-1].tables["chung_tu"]}
    for edge in (CUTOFF, CUTOFF + timedelta(hours=7)):
        assert edge in credits
        assert edge - TICK in credits
    assert {local_month(c).year for c in credits} == {2020, 2021, 2022}
    assert set(facts.FUNDS) == {r["quy"] for w in worlds for r in w[-1].tables["phan_bo"]}
