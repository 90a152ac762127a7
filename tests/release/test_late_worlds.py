"""Random hostile worlds: what comes late is the difference of two recomputations."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest

from chotso.explain import states
from chotso.explain.figure import FIGURES
from chotso.explain.since import Between
from chotso.explain.states import State
from chotso.ingest.night import extract_all
from chotso.registers import load_registers
from chotso.release.late.facts import REASONS, Fact, facts_of
from chotso.release.late.register import Cell, cells_of
from chotso.sandbox.server import SandboxServer
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.recompute import Figures, attainment
from tests.oracle.worlds import World
from tests.proofs import record, size
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(3600)]

SEEDS = (2, 0, 1, 3, 4, 5, 6, 7)
LAST_MONTH = date(2021, 12, 1)
ZERO = Decimal(0)
_A_WEEK = timedelta(days=7)


def test_parts_and_facts_are_the_oracles_difference(running: SandboxServer, tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS[: size(1, 8)]:
        with product(running, f"late_{seed}", tmp_path / str(seed)) as warehouse:
            _tell_all(warehouse, seed, seen)
    assert seen["cells"] > 0
    assert seen["facts"] > 0
    named = {name.replace(" ", "_"): count for name, count in sorted(seen.items())}
    record("late: parts add up in random worlds", worlds=len(SEEDS), **named)


def _tell_all(warehouse: Product, seed: int, seen: Counter[str]) -> None:
    world = World.create(
        warehouse.source_admin_url,
        warehouse.drop,
        seed,
        reader=SOURCE_LOGIN,
        plant_unknown=seed % 2 == 0,
    )
    for _ in world.nights:
        night = world.advance()
        reports = extract_all(warehouse.settings, night.business_date)
        assert not [sentence for report in reports for sentence in report.stopped]
    with states.holding(warehouse.settings) as conn:
        built: list[tuple[State, Figures]] = []
        for night in world.nights:
            if night.clock >= CUTOFF:
                state = states.make_state(
                    warehouse.settings, conn, night.clock, load_registers(), CUTOFF
                )
                built.append((state, attainment(world.observations, night.clock, CUTOFF)))
        for (start, before), (end, after) in pairwise(built):
            _is_the_difference(conn, start, end, before, after, seen)
        if len(built) > 2:  # and over all nights at once
            _is_the_difference(conn, built[0][0], built[-1][0], built[0][1], built[-1][1], seen)


def _is_the_difference(
    conn: psycopg.Connection,
    start: State,
    end: State,
    before: Figures,
    after: Figures,
    seen: Counter[str],
) -> None:
    cells = {
        (cell.agency_code, cell.month, cell.metric_code): cell
        for cell in cells_of(conn, start, end, LAST_MONTH)
    }
    for key, right in after.items():
        if key[1] > LAST_MONTH:
            continue
        was = {name: before[key][name] if key in before else None for name in FIGURES}
        now = {name: right[name] for name in FIGURES}
        if key not in cells:
            # an agency that was not in force, and is now with nothing: no figure moved
            assert was == now or (key not in before and not any(now.values())), key
            continue
        cell = cells[key]
        assert cell.would_be == now, key
        assert key not in before or cell.frozen == was, key
        _adds_up(cell)
        seen["cells"] += 1
        seen["differing cells"] += was != now
        for reason in cell.parts:
            seen[f"by {reason}"] += 1
    facts = facts_of(conn, Between(conn, start, start, end), start, end, LAST_MONTH)
    _facts_make_the_cells(facts, cells, before)
    seen["facts"] += len(facts)


def _adds_up(cell: Cell) -> None:
    assert set(cell.parts) <= set(REASONS)
    for name in FIGURES:
        change = (cell.would_be[name] or ZERO) - (cell.frozen[name] or ZERO)
        assert sum((part[name] for part in cell.parts.values()), ZERO) == change, cell


def _facts_make_the_cells(
    facts: list[Fact], cells: dict[tuple[str, date, str], Cell], before: Figures
) -> None:
    """Of agencies that are no province, each month's own change is the sum of its facts."""
    sums: dict[tuple[str, date, str], Decimal] = defaultdict(Decimal)
    for fact in facts:
        if fact.feed == "plans":
            continue
        month = fact.month
        while month <= fact.last_month:
            sums[fact.agency_code, month, fact.metric_code] += fact.amount
            month = (month.replace(day=28) + _A_WEEK).replace(day=1)
    for key, cell in cells.items():
        agency, month, metric = key
        if agency in ("072", "080") or key not in before or metric.endswith("_total"):
            continue
        name = "numerator" if metric.startswith("arrears") else "actual_month"
        if cell.frozen[name] is None or cell.would_be[name] is None:
            continue  # the month's first account shows what was there already
        change = (cell.would_be[name] or ZERO) - (cell.frozen[name] or ZERO)
        assert sums[agency, month, metric] == change, (key, cell)
