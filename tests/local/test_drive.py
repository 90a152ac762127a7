"""A night through Airflow's API: what is done where the assets start no build."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, cast

import pytest

from chotso.local.client import AirflowClient, DagRun, Task
from chotso.local.drive import BUILD, EXTRACTS, RECONCILE, run_night

DAY = date(2021, 12, 28)


class Airflow:
    """Every run succeeds; a build comes by the assets, or only when reconcile has asked for it."""

    def __init__(self, *, by_assets: bool) -> None:
        self.created: list[str] = []
        self._by_assets = by_assets

    def create_run(self, dag_id: str, business_date: date | None = None) -> DagRun:
        self.created.append(dag_id)
        key = business_date.isoformat() if business_date else None
        return DagRun(dag_id, f"{dag_id}-{len(self.created)}", "success", key, "manual")

    def runs(self, dag_id: str, business_date: date | None = None) -> list[DagRun]:
        is_asked = RECONCILE in self.created
        is_built = set(EXTRACTS) <= set(self.created) and (self._by_assets or is_asked)
        key = business_date.isoformat() if business_date else None
        return [DagRun(dag_id, "built", "success", key, "asset_triggered")] if is_built else []

    def tasks(self, run: DagRun) -> list[Task]:
        return [Task(run.dag_id, run.run_id, "find_dates_to_build", -1, "success", 1, None, None)]

    def wait(self, runs: Iterable[DagRun], *, timeout_s: float) -> list[DagRun]:
        return list(runs)

    def wait_until_created(
        self, dag_id: str, business_date: date, *, timeout_s: float, known: Collection[str] = ()
    ) -> DagRun | None:
        return next(iter(self.runs(dag_id, business_date)), None)

    def wait_for_run(self, dag_id: str, business_date: date, **named: Any) -> DagRun:
        (run,) = self.runs(dag_id, business_date)
        return run


@pytest.mark.parametrize("by_assets", [True, False])
def test_reconcile_is_asked_for_the_build_that_no_asset_starts(by_assets: bool) -> None:
    """Airflow counts two assets that come at once for two builds, neither of which is complete."""
    airflow = Airflow(by_assets=by_assets)
    night = run_night(cast("AirflowClient", airflow), DAY, timeout_s=1)
    assert night.is_green
    assert night.build == DagRun(BUILD, "built", "success", DAY.isoformat(), "asset_triggered")
    assert airflow.created == [*EXTRACTS, *([] if by_assets else [RECONCILE])]
