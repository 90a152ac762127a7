"""# Refresh: the figures of the last quarter of an hour, in a period's last days.

In the last three days before each cutoff, every 15 minutes between 07:00 and the cutoff's time of
day, readers see what the source holds now, and dashboards say as of when. Days, hours and minutes
stand in `config/operations/refresh.yml`; outside of them this DAG has no runs.

1. **refresh**. Input: the source's clock, the ledger, and what changed of every feed since the last
   published position. Runs on a worker that reaches `chotso_source` and `chotso_drop` and holds the
   pseudonym key. Output: batches of the current date through the same rules, quarantine and control
   totals as at night, marked `is_refresh`; a build that adds what changed; the switch. Rows in
   `fct_intraday_attainment`, none in `fct_nightly_attainment`.

It is a night run earlier, and the night itself comes as before: nothing that asks whether a night
is due, done or late sees what a refresh read. A run **skips itself**, and says why, while a night,
an extract, a build or a freeze works, until readers see the night that is due, when the cutoff is
closer than a refresh usually takes, and when the source's clock says that none is due. One that
finds another run at work between two groups of feeds ends there; what it published is counted by
the next build.

**When it fails.** Readers see what they saw, or all but the feed that the log names. The next run
and the night read it again. Nothing needs to be cleared; without Airflow the same is
`chotso refresh --if-due`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from wiring.defaults import DAG_DEFAULTS
from wiring.schedules import last_days

from chotso.orchestration.quoting import quoting_nothing


@dag(
    schedule=last_days(),
    description="Shows the figures as of now, every quarter of an hour in a period's last days",
    doc_md=__doc__,
    tags=["extract", "build", "deadline"],
    **{**DAG_DEFAULTS, "dagrun_timeout": timedelta(hours=1)},
)
def refresh_figures() -> None:
    """A light night within the day."""

    # A run that hangs must not stand in the way of the freeze.
    @task(execution_timeout=timedelta(minutes=20))
    @quoting_nothing
    def refresh() -> dict[str, Any]:
        """Extract, build and show what changed; or skip."""
        from chotso.orchestration.refresh import NotNowError
        from chotso.orchestration.refresh import refresh as run
        from chotso.settings import load_settings

        try:
            done = run(load_settings(), only_if_due=True)
        except NotNowError as error:
            raise AirflowSkipException(error.what) from error
        done.raise_if_stopped()
        known = done.as_known_at.isoformat() if done.as_known_at else None
        return {"business_date": done.business_date.isoformat(), "as_known_at": known}

    # 1. One refresh, or none.
    refresh()


refresh_figures()
