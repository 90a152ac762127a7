"""Debts, plan lines and reconciliation of random worlds against the independent recomputation."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chotso.build.dbt import build_variables
from chotso.build.runner import run_dbt
from chotso.build.scratch import drop_foreign_keys
from chotso.ingest.night import extract_all
from chotso.registers import load_registers
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.oracle.compare import differences
from tests.oracle.debts import DEBT_KEY, employer_debts
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.knowledge import known
from tests.oracle.ledgers import Ledgers
from tests.oracle.model import Observation
from tests.oracle.reconciliation import RECONCILIATION_KEY, reconciliation
from tests.oracle.targets import TARGET_KEY, plan_targets
from tests.oracle.worlds import World
from tests.proofs import record, size
from tests.worlds.product import SOURCE_LOGIN, Product, product

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(1800)]

SCHEMA = "marts_build"
MARTS = ("fct_employer_debt", "fct_plan_target", "fct_reconciliation", "fct_arrears_ratio")
LEDGER_SEEDS = range(size(1, 12))
WORLD_SEEDS = range(6)


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    """What was compared, for the record of a full run."""
    compared: Counter[str] = Counter()
    yield compared
    record("debts, plans and reconciliation", **compared)


def count(warehouse: Product, tally: Counter[str]) -> None:
    """Add the rows of a state that agreed."""
    tally["states_compared"] += 1
    for mart in MARTS:
        tally[f"{mart}_rows"] += len(warehouse.rows(SCHEMA, mart))


def build(warehouse: Product, known_at: datetime, cutoff: datetime | None) -> None:
    """The marts under test with their data tests, as known at an instant."""
    variables = build_variables(load_registers(), known_at, cutoff)
    with connect(warehouse.settings) as conn:
        drop_foreign_keys(conn, SCHEMA)
    what = (*("--select", *(f"+{mart}" for mart in MARTS)), "--indirect-selection", "cautious")
    command = ("build", "--exclude-resource-type", "unit_test", *what)
    run_dbt(warehouse.settings, SCHEMA, variables, command)


def wrong(
    warehouse: Product,
    observations: Sequence[Observation],
    known_at: datetime,
    cutoff: datetime | None,
) -> list[str]:
    """What differs from the oracle in the marts under test."""
    debts = employer_debts(observations, known_at, cutoff)
    ledgers = reconciliation(observations, known_at, cutoff)
    targets = plan_targets(observations, known_at)
    rows = warehouse.rows(SCHEMA, "fct_reconciliation")
    return [
        *differences(warehouse.rows(SCHEMA, "fct_employer_debt"), debts, DEBT_KEY),
        *differences(rows, ledgers, RECONCILIATION_KEY),
        *differences(warehouse.rows(SCHEMA, "fct_plan_target"), targets, TARGET_KEY),
        *wrong_flags(warehouse.rows(SCHEMA, "fct_arrears_ratio")),
        *wrong_totals(rows, observations, known_at, cutoff),
    ]


def wrong_flags(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Rows whose flag does not say whether the verdicts of their four variants differ."""
    verdicts: dict[tuple[Any, ...], set[bool]] = defaultdict(set)
    for row in rows:
        if row["is_met"] is not None:
            verdicts[row["agency_code"], row["month"], row["group_code"]].add(row["is_met"])
    return [
        f"{row} flags differing verdicts wrongly"
        for row in rows
        if row["has_differing_verdicts"]
        is not (len(verdicts[row["agency_code"], row["month"], row["group_code"]]) == 2)
    ]


def wrong_totals(
    rows: Sequence[dict[str, Any]],
    observations: Sequence[Observation],
    known_at: datetime,
    cutoff: datetime | None,
) -> list[str]:
    """Whether the categories add up to both ledgers; summed here from the source's own rows."""
    state = known(observations, known_at)
    paid = sum(
        line["tien_goc"]
        for line in state.accepted["phan_bo"].values()
        for document in [state.accepted["chung_tu"].get((line["so_chung_tu"],))]
        if document is not None
        and document["trang_thai"] == "HIEU_LUC"
        and (cutoff is None or document["ngay_ghi_co"] < cutoff)
    )
    allocated = sum(
        account.row.get(column) or 0
        for account in state.accounts.values()
        for column in ("_dt_bhxh", "_dt_bhyt", "_dt_bhtn")
    )
    found = sum(r["paid_vnd"] for r in rows), sum(r["allocated_vnd"] or 0 for r in rows)
    return [] if found == (paid, allocated) else [f"{found} where {(paid, allocated)} is right"]


@pytest.mark.parametrize("seed", LEDGER_SEEDS)
def test_near_ledgers_agree_with_the_oracle_each_night_and_at_the_cutoff(
    running: SandboxServer, tmp_path: Path, seed: int, tally: Counter[str]
) -> None:
    with product(running, f"ledgers_{seed}", tmp_path) as warehouse:
        ledgers = Ledgers(warehouse.source_admin_url, warehouse.drop, seed, SOURCE_LOGIN)
        clocks = []
        for _ in range(3):
            clock, business_date = ledgers.advance()
            clocks.append(clock)
            stopped = [s for r in extract_all(warehouse.settings, business_date) for s in r.stopped]
            assert not stopped, "\n".join(stopped)
        for known_at, cutoff in ((clocks[0], None), (clocks[2], None), (clocks[2], CUTOFF)):
            build(warehouse, known_at, cutoff)
            said = wrong(warehouse, ledgers.observations, known_at, cutoff)
            assert not said, f"{known_at} {cutoff}\n" + "\n".join(said)
            count(warehouse, tally)
        tally["ledger_seeds"] += 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", WORLD_SEEDS)
def test_hostile_worlds_agree_with_the_oracle(
    running: SandboxServer, tmp_path: Path, seed: int, tally: Counter[str]
) -> None:
    with product(running, f"debts_{seed}", tmp_path) as warehouse:
        world = World.create(
            warehouse.source_admin_url,
            warehouse.drop,
            seed,
            reader=SOURCE_LOGIN,
            plant_unknown=seed % 2 == 1,
        )
        for _ in world.nights:
            night = world.advance()
            stopped = extract_all(warehouse.settings, night.business_date)
            assert not [s for result in stopped for s in result.stopped]
        for known_at, cutoff in ((world.nights[0].clock, None), (world.nights[-1].clock, CUTOFF)):
            build(warehouse, known_at, cutoff)
            said = wrong(warehouse, world.observations, known_at, cutoff)
            assert not said, f"{known_at} {cutoff}\n" + "\n".join(said)
            count(warehouse, tally)
        tally["world_seeds"] += 1
