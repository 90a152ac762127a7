"""# Freeze: seal the figures of a period at its cutoff.

Starts at the cutoffs of `config/periods.yml`, and every hour for what is overdue. Which period is
due is decided by the source's clock and by the releases in the warehouse, never by what Airflow
remembers: a run too many finds nothing to do.

1. **find_due_periods**. Input: the period register, the source's clock, `frozen.release`. Runs on
   a worker that reaches `chotso_source`. Output: ids of the periods whose cutoff has passed and
   that have no sealed release. A cutoff less than five minutes ahead is waited for.
2. **freeze**, one after the other, for each period due. Input: the source, once more whole, at or
   after the cutoff. Runs in the warehouse and writes the releases folder. Output: a sealed bundle
   in `<releases>/<period>/`, `frozen.release` and its figures. Periods with the same cutoff get a
   release each, in one chain.

**When it fails.** Nothing is half sealed, and the instant of the final extract stays the one of
the first attempt. The log says which check failed; mend the cause and clear `freeze`: it goes on
where it stopped. A period that is sealed stays sealed: freezing it again gives the same release
and restores a missing bundle. After the seal a mistake is mended by a corrigendum alone.
"""

from datetime import timedelta

from airflow.sdk import dag, task
from wiring.defaults import DAG_DEFAULTS
from wiring.schedules import cutoffs

from chotso.orchestration.quoting import quoting_nothing


@dag(
    schedule=cutoffs(),
    description="Seals the figures of every period whose cutoff has passed",
    doc_md=__doc__,
    tags=["freeze", "deadline"],
    **DAG_DEFAULTS,
)
def freeze_results() -> None:
    """Seal one release for every period whose cutoff has passed."""

    @task
    @quoting_nothing
    def find_due_periods() -> list[str]:
        """Ask the register, the source's clock and the warehouse what is due."""
        from chotso.orchestration.deadline import periods_due
        from chotso.settings import load_settings

        return periods_due(load_settings())

    # The deadline is what matters here, so one more try than elsewhere.
    @task(
        retries=3,
        max_active_tis_per_dagrun=1,
        execution_timeout=timedelta(hours=4),
        map_index_template="{{ period_id }}",
    )
    @quoting_nothing
    def freeze(period_id: str) -> dict[str, str]:
        """Final extract, build at the cutoff, seal."""
        from chotso.release.seal.freeze import freeze as seal
        from chotso.settings import load_settings

        release = seal(load_settings(), period_id)
        return {"release_id": release.release_id, "root_sha256": release.root_sha256}

    # 1. What is due? 2. One release for each.
    freeze.expand(period_id=find_due_periods())


freeze_results()
