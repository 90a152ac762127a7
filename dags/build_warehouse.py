"""# Build: staging, marts, tests, and the one switch that shows them.

Runs when the assets of all groups of feeds are there for one business date. What it may trust is
the ledger alone: asset events can be lost or come twice, so `reconcile_warehouse` asks `ops.batch`
every ten minutes for dates that were published but not built, and requests them here.

1. **build**. Input: `raw`, the configuration, and everything known at this moment. Runs in the
   warehouse through dbt: staging, intermediate, marts in `marts_build`, all tests. Output: a row
   in `ops.build`, then the new generation in `marts`, switched at once: a reader sees the old
   night or the new one. Asset `marts` for the date. Then the watch looks once: what would stop the
   next freeze is told the same night.

A run whose date the ledger already counts as built (its event came twice) does nothing and says
so; a run that was cleared or made by hand always builds.

**Partition.** The business date, `YYYY-MM-DD`; a run by hand that names none takes the newest date
of which anything is published. A build takes in everything published so far, so one build also
covers older dates that wait.

**When it fails.** Readers go on seeing the night before. The log names the model or test that
failed, and dbt's own log; or the months whose control totals differ, which nothing is built on
(`ops.control_total`, `ops.difference`). Mend the cause, then clear `build`. Clearing and re-running
are safe: same inputs, same figures.
"""

from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, task
from wiring.assets import A_NIGHT_OR_REQUESTED, MARTS
from wiring.defaults import DAG_DEFAULTS

from chotso.orchestration.quoting import quoting_nothing


@dag(
    schedule=PartitionedAssetTimetable(assets=A_NIGHT_OR_REQUESTED),
    description="dbt builds and tests the figures of a night, and one switch shows them",
    doc_md=__doc__,
    tags=["build", "nightly"],
    **DAG_DEFAULTS,
)
def build_warehouse() -> None:
    """Build, test and show the marts of a night."""

    @task(outlets=[MARTS])
    @quoting_nothing
    def build(
        partition_key: str | None = None, outlet_events: Any = None, **context: Any
    ) -> dict[str, object]:
        """Build what the ledger says is not built yet, test it, and switch the readers over."""
        from chotso.orchestration.due import build_date
        from chotso.orchestration.night import build_if_due, is_demanded
        from chotso.settings import load_settings
        from chotso.watch.rounds import look_quietly

        settings = load_settings()
        day = build_date(settings, partition_key)
        built = build_if_due(settings, day, is_demanded=is_demanded(context))
        outlet_events[MARTS].add_partitions(day.isoformat())
        look_quietly(settings)  # also where no watch runs: what would stop the next freeze?
        return built

    # 1. Staging to marts, tests, switch.
    build()


build_warehouse()
