"""Random hostile worlds: every figure is its items, every change the sum of its parts."""

import time
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import psycopg
import pytest

from chotso.explain import states
from chotso.explain.causes import CAUSES
from chotso.explain.figure import FIGURES, ITEM_FIGURES, find_figure
from chotso.explain.items import (
    basis_of,
    greatest_items,
    items_of,
    plans_of,
    sums_of,
    total_of,
)
from chotso.explain.since import Between, Since
from chotso.explain.states import State
from chotso.ingest.night import extract_all
from chotso.registers import load_registers
from chotso.sandbox.server import SandboxServer
from tests.oracle.causes import Causes
from tests.oracle.knowledge import Knowledge, known
from tests.oracle.recompute import Figures, attainment
from tests.oracle.worlds import World
from tests.proofs import record, size
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(3600)]

# every cause stands in the first one's changes
SEEDS = (2, 0, 1, 3, 4, 5, 6, 7)
CUTOFF_MONTH = date(2021, 12, 1)
EARLIER_MONTH = date(2021, 9, 1)
_MONTHS = [date(2021, number, 1) for number in range(8, 13)]


def test_items_make_the_figure_and_parts_make_the_change(
    running: SandboxServer, tmp_path: Path
) -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS[: size(1, 8)]:
        with product(running, f"explained_{seed}", tmp_path / str(seed)) as warehouse:
            _explain_all(warehouse, seed, seen)
    assert seen["parts of a change"] > 0
    record("explain: items and parts add up", worlds=len(SEEDS), **_figures(seen))


def _explain_all(warehouse: Product, seed: int, seen: Counter[str]) -> None:
    world = World.create(
        warehouse.source_admin_url,
        warehouse.drop,
        seed,
        reader=SOURCE_LOGIN,
        plant_unknown=seed % 2 == 0,
    )
    for _ in world.nights:
        night = world.advance()
        stopped = [
            s for r in extract_all(warehouse.settings, night.business_date) for s in r.stopped
        ]
        assert not stopped, "\n".join(stopped)
    with states.holding(warehouse.settings) as conn:
        built: list[tuple[State, Figures]] = []
        for night in world.nights:
            state = states.make_state(warehouse.settings, conn, night.clock, load_registers())
            right = attainment(world.observations, night.clock)
            built.append((state, right))
            _items_are_the_oracles_figures(conn, state, right, seen)
        for (start, before), (end, after) in combinations(built, 2):
            earlier, later = (
                known(world.observations, state.as_known_at) for state in (start, end)
            )
            told = _Told(earlier, later, start.as_known_at)
            _parts_are_the_oracles_change(conn, start, end, before, after, told, seen)


def _items_are_the_oracles_figures(
    conn: psycopg.Connection, state: State, right: Figures, seen: Counter[str]
) -> None:
    plans = plans_of(conn, state)
    for agency, month, metric in _asked(right):
        figure = find_figure(conn, state, agency, metric, month)
        basis = basis_of(conn, state, month)
        items = items_of(conn, state, figure, basis)
        made = sums_of(figure, total_of(items), plans, basis).numbers()
        assert made == _numbers(right, (agency, month, metric)), (state, agency, month, metric)
        greatest, total = greatest_items(conn, state, figure, basis, lines=2)
        assert total == total_of(items), (state, agency, month, metric)
        assert {item.key for item in greatest} <= {item.key for item in items}
        assert len(greatest) == min(2, len(items))
        seen["figures"] += 1
        seen["items"] += len(items)


def _parts_are_the_oracles_change(
    conn: psycopg.Connection,
    start: State,
    end: State,
    before: Figures,
    after: Figures,
    told: "_Told",
    seen: Counter[str],
) -> None:
    between = Between(conn, start, start, end)
    for key in _asked(after):
        agency, month, metric = key
        begun = time.perf_counter()
        since = between.explain(agency, metric, month)
        seen["microseconds"] += int((time.perf_counter() - begun) * 1e6)
        assert since.was_shown == (key in before), key
        assert since.after == _numbers(after, key), key
        if since.was_shown:
            assert since.before == _numbers(before, key), key
        else:
            assert not any(since.before.values()), key
        _adds_up(since, key)
        assert _by_cause(since) == told.by_cause(*key), key
        seen["changes"] += 1
        seen["parts of a change"] += len(since.parts)
        for part in since.parts:
            seen[f"by {part.cause}"] += 1


def _adds_up(since: Since, key: tuple[object, ...]) -> None:
    zero = Decimal(0)
    for name in FIGURES:
        change = (since.after[name] or zero) - (since.before[name] or zero)
        assert since.change[name] == change, key
        assert sum((part.change[name] for part in since.parts), zero) == change, key
    is_ratio = str(key[2]).startswith("arrears_ratio_")
    names = ITEM_FIGURES["ratio" if is_ratio else "flow"]
    for part in since.parts:
        assert part.cause in CAUSES
        for position, name in enumerate(names):
            assert sum(piece.change[position] for piece in part.pieces) == part.change[name], key


class _Told:
    """The oracle's causes of every figure's change."""

    def __init__(self, earlier: Knowledge, later: Knowledge, earlier_at: datetime) -> None:
        causes = Causes(earlier, later, earlier_at)
        self._changes = {
            "collection": causes.of_collection(),
            "arrears": causes.of_accounts(),
            "participants": causes.of_heads(_MONTHS),
        }

    def by_cause(self, agency: str, month: date, metric: str) -> dict[str, tuple[int, int]]:
        """Sums over the changed items by cause, as the figure's kind of items has them."""
        kind = metric.split("_")[0]
        name = metric.removeprefix("arrears_ratio_")
        found = {}
        for cause, change in self._changes[kind].items():
            of_month = change.get((agency, month, name), (0, 0))
            to_date = [
                change.get((agency, month.replace(month=number), name), (0, 0))
                for number in range(1, month.month + 1)
            ]
            found[cause] = {
                "collection": (of_month[0], sum(first for first, _ in to_date)),
                "arrears": (of_month[0], sum(second for _, second in to_date)),
                "participants": (of_month[0], of_month[0]),
            }[kind]
        return {cause: sums for cause, sums in found.items() if any(sums)}


def _by_cause(since: Since) -> dict[str, tuple[int, int]]:
    found = {}
    for part in since.parts:
        items = [p for p in part.pieces if p.kind not in ("opening", "plan_line")]
        sums = (sum(item.change[0] for item in items), sum(item.change[1] for item in items))
        if part.cause != "newly_shown" and any(sums):
            found[str(part.cause)] = sums
    return found


def _asked(right: Figures) -> list[tuple[str, date, str]]:
    """Every agency and metric of the cutoff's month, or of the newest month there is."""
    newest = min(max(month for _, month, _ in right), CUTOFF_MONTH)
    return [key for key in right if key[1] in (newest, EARLIER_MONTH)]


def _numbers(right: Figures, key: tuple[str, date, str]) -> dict[str, Decimal | None]:
    return {name: right[key][name] for name in FIGURES}


def _figures(seen: Counter[str]) -> dict[str, int]:
    milliseconds = seen.pop("microseconds") // max(seen["changes"], 1) // 1000
    named = {name.replace(" ", "_"): count for name, count in sorted(seen.items())}
    return named | {"milliseconds_per_change": milliseconds}
