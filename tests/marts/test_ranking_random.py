"""Random figures under random rules: every point and every place against the recomputation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import psycopg
import pytest

from tests.oracle.compare import differences
from tests.oracle.ranking import ORDER, POINTS_KEY, RANKING_KEY, Participant, Rules, ranked
from tests.oracle.recompute import Figures, nine_decimals
from tests.proofs import record, size
from tests.worlds.build_warehouse import Servers, new_warehouse
from tests.worlds.build_world import World
from tests.worlds.ranking_world import MODELS, NIGHT, Ranked, period

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(3600)]

SCHEMA = "marts_build"
SEEDS = range(size(4, 100))
PROVINCES = {
    **dict.fromkeys([f"072{n:02d}" for n in range(1, 9)], "072"),
    **dict.fromkeys([f"080{n:02d}" for n in range(1, 4)], "080"),
    **dict.fromkeys(["09001", "09002"], None),
}
OFFICERS = {f"O{n}": agency for n, agency in enumerate([*PROVINCES, *PROVINCES][:18])}
FACTS = {"agency": "int_agency_attainment", "officer": "int_officer_attainment"}
OBSTACLES = ["gate_failed", "no_plan", "plan_zero", "no_figure"]


def _world(world: World) -> None:
    world.batch("2021-12-31", NIGHT)
    for code in ("072", "080"):
        world.agency(code, parent=None, level=1)
    for code, province in PROVINCES.items():
        world.agency(code, parent=province)
    for officer, agency in OFFICERS.items():
        world.row("officers", ma_can_bo=officer, ho_ten=officer, ma_co_quan=agency)


@pytest.fixture(scope="module")
def built(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranked]:
    folder = tmp_path_factory.mktemp("home")
    with new_warehouse(servers, folder) as made:
        with made.world() as world:
            _world(world)
        found = Ranked(made, folder)
        found.build(SCHEMA, [period()])
        yield found


def _period(rng: Random) -> dict[str, Any]:
    """Rules of any kind; few metrics, so that many are level."""
    metrics = rng.sample(ORDER, k=rng.randint(1, 3))

    def weights() -> dict[str, str]:
        named = rng.sample(metrics, k=rng.randint(1, len(metrics)))
        return {metric: rng.choice(("10", "30", "33.33", "0.5", "0")) for metric in named}

    rules: dict[str, Any] = {
        "weights": weights(),
        "officer_weights": rng.choice((None, weights())),
        "gates": rng.sample(ORDER, k=rng.choice((0, 0, 1, 2))),
        "ties": rng.sample(ORDER, k=rng.choice((0, 1, 2, 3))),
        "decimals": rng.choice((0, 1, 4, 4, 7)),
        "points": {
            "share_at_target": rng.choice(("0.5", "0.5", "0", "1", "0.3333")),
            "excess": rng.choice(("share_of_target", "amount")),
        },
        "not_considered_when": rng.sample(OBSTACLES, k=rng.choice((0, 2, 4))),
    }
    return period(**rules)


def _figure(rng: Random, metric: str, rarely: float) -> dict[str, Any]:
    """What an attainment row of the metric could hold."""
    numerator = denominator = plan = actual = None
    if metric.startswith("arrears_ratio_"):
        numerator = rng.choice((0, 1, 2, 3, 9, 9 * 10**9 + rng.choice((-1, 0, 1))))
        denominator = rng.choice((100, 200, 300, 1_000, 10**12, -7, 0))
        if rng.random() < rarely:
            numerator = denominator = None
        if numerator is not None and denominator:
            actual = Fraction(numerator, denominator)
        plan = rng.choice(("0.009", "0.01", "0.02", "0.01"))
    else:
        actual = Fraction(rng.choice((-1, 0, 1, 2, 3, 3, 4, 6, 10**15)))
        plan = rng.choice(("1", "2", "3", "3", "7", "999999999999999"))
    if rng.random() < rarely:
        plan = rng.choice((None, "0"))
    target = None if plan is None else Decimal(plan)
    is_met = None
    if actual is not None and target is not None:
        is_below = metric.startswith("arrears_ratio_")
        is_met = actual < Fraction(target) if is_below else actual >= Fraction(target)
    attained = actual / Fraction(target) if actual is not None and target else None
    return {
        "actual_to_date": nine_decimals(actual),
        "numerator": numerator,
        "denominator": denominator,
        "plan_in_force": target,
        "attainment_ratio": nine_decimals(attained),
        "is_met": is_met,
    }


def _write(built: Ranked, kind: str, figures: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Put the figures in place of those that were built."""
    with psycopg.connect(built.warehouse.admin_url) as conn, conn.cursor() as cursor:
        cursor.executemany(
            f"""
            update {SCHEMA}.{FACTS[kind]}
            set actual_to_date = %(actual_to_date)s, numerator = %(numerator)s,
                denominator = %(denominator)s, plan_in_force = %(plan_in_force)s,
                attainment_ratio = %(attainment_ratio)s, is_met = %(is_met)s
            where {kind}_code = %(code)s and month = %(month)s and metric_code = %(metric)s
            """,  # type: ignore[arg-type, unused-ignore]
            [
                row | {"code": code, "metric": metric, "month": date(2021, 12, 1)}
                for code, rows in figures.items()
                for metric, row in rows.items()
            ],
        )


def _rules(written: dict[str, Any], kind: str) -> Rules:
    weights = written["weights"]
    if kind == "officer" and written["officer_weights"] is not None:
        weights = written["officer_weights"]
    return Rules(
        period_id=written["id"],
        participant_type=kind,
        gates=written["gates"],
        weights=weights,
        ties=written["ties"],
        not_considered_when=written["not_considered_when"],
        share_at_target=written["points"]["share_at_target"],
        excess=written["points"]["excess"],
        decimals=written["decimals"],
    )


def _wrong(built: Ranked, points: Figures, places: Figures) -> list[str]:
    return [
        *differences(built.rows(SCHEMA, "rpt_emulation_points"), points, POINTS_KEY),
        *differences(built.rows(SCHEMA, "rpt_emulation_ranking"), places, RANKING_KEY),
    ]


def test_every_point_and_place_agrees(built: Ranked) -> None:
    cells, results, naive_caught = 0, set(), 0
    for seed in SEEDS:
        rng = Random(f"ranking {seed}")
        written = _period(rng)
        rarely = rng.choice((0.0, 0.02, 0.2))
        points: Figures = {}
        places: Figures = {}
        naive: Figures = {}
        for kind, agency_of in (
            ("agency", {code: code for code in PROVINCES}),
            ("officer", OFFICERS),
        ):
            figures = {
                code: {metric: _figure(rng, metric, rarely) for metric in ORDER}
                for code in agency_of
            }
            _write(built, kind, figures)
            rules = _rules(written, kind)
            taking_part = [
                Participant(code, PROVINCES[agency], figures[code])
                for code, agency in agency_of.items()
            ]
            for right, found in zip((points, places), ranked(rules, taking_part), strict=True):
                right.update(found)
            everyone = [replace(p, province="072") for p in taking_part]
            naive.update(ranked(rules, everyone)[1])
        built.build(SCHEMA, [written], select=MODELS)
        wrong = _wrong(built, points, places)
        assert not wrong, f"seed {seed}, {written}\n" + "\n".join(wrong)
        for table in ("rpt_emulation_points", "rpt_emulation_ranking"):
            for row in built.rows(SCHEMA, table):
                assert "#" not in row["explanation_vi"] + row["explanation_en"]
        naive_caught += naive != places
        cells += sum(map(len, (*points.values(), *places.values())))
        results |= {row["result_code"] for row in points.values()}
        results |= {"tie" for row in places.values() if row["tie_broken_by"]}
        results |= {"shared" for row in places.values() if row["is_rank_shared"]}
    assert naive_caught
    assert {"leader", "above_target", "below_target", "not_considered", "tie", "shared"} <= results
    record("Points and places against the recomputation", configurations=len(SEEDS), cells=cells)
