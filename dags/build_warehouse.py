"""# Build: staging, marts, tests, and the one switch that shows them.

Runs when all five assets of one business date are there. What it may trust is the ledger alone:
asset events can be lost or come twice, so `reconcile_warehouse` asks `ops.batch` every ten minutes
for dates that were published but not built, and requests them here.

1. **build**. Input: `raw`, the configuration, and everything known at this moment. Runs in the
   warehouse through dbt: staging, intermediate, marts in `marts_build`, all tests. Output: a row
   in `ops.build`, then the new generation in `marts`, switched at once: a reader sees the old
   night or the new one. Asset `marts` for the date.

A run whose date the ledger already counts as built (its event came twice) does nothing and says
so; a run that was cleared or made by hand always builds.

**Partition.** The business date, `YYYY-MM-DD`. A build takes in everything published so far, so
one build also covers older dates that wait.

**When it fails.** Readers go on seeing the night before. The log names the model or test that
failed, and dbt's own log; or the months whose control totals differ, which nothing is built on
(`ops.control_total`, `ops.difference`). Mend the cause, then clear `build`. Clearing and re-running
are safe: same inputs, same figures.
"""

from airflow.sdk import PartitionedAssetTimetable, dag, task
from wiring.assets import A_NIGHT_OR_REQUESTED, MARTS
from wiring.defaults import DAG_DEFAULTS


@dag(
    schedule=PartitionedAssetTimetable(assets=A_NIGHT_OR_REQUESTED),
    doc_md=__doc__,
    tags=["build", "nightly"],
    **DAG_DEFAULTS,
)
def build_warehouse() -> None:
    """Build, test and show the marts of a night."""

    @task(outlets=[MARTS])
    def build(partition_key: str | None = None, **context: object) -> dict[str, object]:
        """Build what the ledger says is not built yet, test it, and switch the readers over."""
        from chotso.orchestration.night import build_if_due, business_date, is_demanded
        from chotso.settings import load_settings

        return build_if_due(
            load_settings(), business_date(partition_key), is_demanded=is_demanded(context)
        )

    # 1. Staging to marts, tests, switch.
    build()


build_warehouse()
