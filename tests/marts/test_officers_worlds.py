"""Every officers' figure of small hostile worlds against the independent recomputation."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from chotso.ingest.night import extract_all
from chotso.sandbox.server import SandboxServer
from tests.oracle.compare import differences
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.knowledge import known
from tests.oracle.model import Observation
from tests.oracle.officer_worlds import OfficerWorld
from tests.oracle.officers import OFFICER_KEY, officer_attainment
from tests.oracle.ranking import ORDER, POINTS_KEY, RANKING_KEY, Participant, Rules, ranked
from tests.oracle.recompute import Figures, attainment
from tests.proofs import IS_FULL, record, size
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(3600)]

FACT, PAST = "fct_officer_attainment", "scratch_past"
PERIODS = Path(__file__).resolve().parents[2] / "config" / "periods.yml"
SEEDS = range(size(1, 12))


def wrong_figures(
    warehouse: Product,
    observations: list[Observation],
    as_known_at: datetime,
    cutoff: datetime | None,
    schema: str,
) -> list[str]:
    expected = officer_attainment(observations, as_known_at, cutoff)
    return differences(warehouse.rows(schema, FACT), expected, OFFICER_KEY)


def by_utc_day(observations: list[Observation]) -> list[Observation]:
    """The naive twin: an officer is looked up by the UTC day of the credit."""
    hours = timedelta(hours=7)

    def moved(o: Observation) -> Observation:
        documents = [
            {**row, "ngay_ghi_co": row["ngay_ghi_co"] - hours} for row in o.tables["chung_tu"]
        ]
        return replace(o, tables={**o.tables, "chung_tu": documents})

    return [moved(o) for o in observations]


def first_come_stays(observations: list[Observation]) -> list[Observation]:
    """The naive twin: a later assignment does not take over from one that still runs."""

    def kept(o: Observation) -> Observation:
        first: dict[str, date] = {}
        for row in o.tables["phan_cong"]:
            first[row["ma_don_vi"]] = min(
                row["tu_ngay"], first.get(row["ma_don_vi"], row["tu_ngay"])
            )
        rows = [r for r in o.tables["phan_cong"] if r["tu_ngay"] == first[r["ma_don_vi"]]]
        return replace(o, tables={**o.tables, "phan_cong": rows})

    return [kept(o) for o in observations]


def wrong_places(
    warehouse: Product,
    observations: list[Observation],
    as_known_at: datetime,
    cutoff: datetime | None,
    schema: str,
) -> list[str]:
    points: Figures = {}
    places: Figures = {}
    for rules, taking_part in shipped_rankings(observations, as_known_at, cutoff):
        for right, found in zip((points, places), ranked(rules, taking_part), strict=True):
            right.update(found)
    return [
        *differences(warehouse.rows(schema, "rpt_emulation_points"), points, POINTS_KEY),
        *differences(warehouse.rows(schema, "rpt_emulation_ranking"), places, RANKING_KEY),
    ]


def shipped_rankings(
    observations: list[Observation], as_known_at: datetime, cutoff: datetime | None
) -> Iterator[tuple[Rules, list[Participant]]]:
    """The shipped periods that have begun, with who takes part in a hostile world."""
    state = known(observations, as_known_at)
    month = min(state.business_date.replace(day=1), date(2021, 12, 1))
    agencies = attainment(observations, as_known_at, cutoff)
    officers = officer_attainment(observations, as_known_at, cutoff)
    register = state.accepted["co_quan"]

    def province(agency: str) -> str | None:
        above = [code for code in state.counting_agencies(agency) if register[code,]["cap"] == 1]
        return min(above, default=None)

    def of_month(figures: Figures, *key: str) -> dict[str, dict[str, Any]]:
        return {metric: figures[(*key, month, metric)] for metric in ORDER}

    in_force = {agency for agency, shown, _ in agencies if shown == month}
    own = {code: row["ma_co_quan"] for (code,), row in state.accepted["can_bo"].items()}
    taking_part = {
        "agency": [
            Participant(code, province(code), of_month(agencies, code))
            for code in in_force
            if register[code,]["cap"] != 1
        ],
        "officer": [
            Participant(code, province(agency), of_month(officers, agency, code))
            for code, agency in own.items()
            if agency in in_force
        ],
    }
    for period in yaml.safe_load(PERIODS.read_text("utf-8"))["periods"]:
        for kind, participants in taking_part.items():
            if period["starts_on"] <= state.business_date:
                yield _rules(period, kind), participants


def _rules(period: dict[str, Any], kind: str) -> Rules:
    return Rules(
        period_id=period["id"],
        participant_type=kind,
        gates=period["gates"],
        weights=period["weights" if kind == "agency" else "officer_weights"],
        ties=period["ties"],
        not_considered_when=period["not_considered_when"],
        share_at_target=period["points"]["share_at_target"],
        excess=period["points"]["excess"],
        decimals=period["decimals"],
    )


def test_officers_and_rankings_agree_as_known_then_and_now_and_at_the_cutoff(
    running: SandboxServer, tmp_path: Path
) -> None:
    cells = 0
    for seed in SEEDS:
        with product(running, f"officers_{seed}", tmp_path / str(seed)) as warehouse:
            world = OfficerWorld.create(
                warehouse.source_admin_url,
                warehouse.drop,
                seed,
                reader=SOURCE_LOGIN,
                plant_unknown=seed % 2 == 1,
            )
            assert isinstance(world, OfficerWorld)
            for _ in world.nights:
                night = world.advance()
                done = extract_all(warehouse.settings, night.business_date)
                assert not [stopped for result in done for stopped in result.stopped]
            seen = world.observations
            clocks = [night.clock for night in world.nights]
            asked: list[tuple[datetime, datetime | None]] = [(clocks[-1], CUTOFF)]
            asked += [(clock, None) for clock in (clocks if IS_FULL else clocks[-2:-1])]
            for as_known_at, cutoff in asked:
                warehouse.rebuild(PAST, as_known_at, cutoff)
                wrong = wrong_figures(warehouse, seen, as_known_at, cutoff, PAST)
                wrong += wrong_places(warehouse, seen, as_known_at, cutoff, PAST)
                assert not wrong, f"seed {seed}, {as_known_at} {cutoff}\n" + "\n".join(wrong)
                cells += 14 * len(warehouse.rows(PAST, FACT))
            for naive in (by_utc_day, first_come_stays):
                twin = wrong_figures(warehouse, naive(seen), as_known_at, cutoff, PAST)
                assert twin, naive
    record("Officers' figures against the recomputation", worlds=len(SEEDS), cells=cells)
