"""# Reconcile: dates that were published but not built.

Asset events can be lost or merged, and a night with a blocked feed never has all five assets. The
ledger knows better: every ten minutes this DAG asks it which business dates are published and
settled but not built, and requests a build of each.

1. **find_dates_to_build**. Input: `ops.batch` and `ops.build`. Runs on any worker. Output: one
   event of the asset `build_requested` per date, which starts `build_warehouse` for that date;
   without such a date the task is skipped. The log names the feeds of which nothing is published
   for the newest date, with the reason that the ledger has.

A date is settled when each feed has ended, or when nothing of a missing one has begun for three
hours: then it is built without that feed.

A date whose build was tried and failed since its last batch came is not requested again: it waits
for a person, who has been alerted.

**When it fails.** Nothing is lost: the next run asks again. If it keeps failing, the warehouse
does not answer.
"""

import logging
from typing import Any

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from wiring.assets import BUILD_REQUESTED
from wiring.defaults import DAG_DEFAULTS
from wiring.schedules import every_ten_minutes

from chotso.orchestration.quoting import quoting_nothing

log = logging.getLogger(__name__)


@dag(
    schedule=every_ten_minutes(),
    description="Requests builds of dates that are published and not built; says what is missing",
    doc_md=__doc__,
    tags=["build", "reconcile"],
    **DAG_DEFAULTS,
)
def reconcile_warehouse() -> None:
    """Request builds that no asset event asked for."""

    @task(outlets=[BUILD_REQUESTED])
    @quoting_nothing
    def find_dates_to_build(outlet_events: Any = None) -> list[str]:
        """Ask the ledger; one request per date."""
        from chotso.orchestration.due import missing
        from chotso.orchestration.night import dates_to_request
        from chotso.settings import load_settings

        settings = load_settings()
        gaps = missing(settings)
        for gap in gaps:
            log.warning("nothing is published of %s", gap)
        dates = [date.isoformat() for date in dates_to_request(settings)]
        if not dates:
            told = f"; nothing of: {'; '.join(gaps)}" if gaps else ""
            log.info("every published date is built")
            raise AirflowSkipException(f"every published date is built{told}")
        outlet_events[BUILD_REQUESTED].add_partitions(dates)
        return dates

    # 1. The ledger against the builds.
    find_dates_to_build()


reconcile_warehouse()
