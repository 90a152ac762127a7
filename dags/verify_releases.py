"""# Verify: is what readers see what was sealed?

Every morning, all sealed releases as one chain, against the anchors and against the warehouse. A
superuser, a restored backup or a failing disk can change what no right and no trigger forbids; here
it is found.

1. **verify_releases**. Input: the releases folder, the schema `frozen`, and the anchors of
   `CHOTSO_ANCHOR_FILE` (a line `RELEASE ROOT` per signed page, kept where neither the warehouse nor
   the releases folder can write). Runs on a worker that reaches both. Output: `verified`; without
   an anchor for the newest release everything is compared all the same, and the task is *skipped*,
   never green: it agrees, and that proves nothing.

**When it fails.** The alert names release, table, row and column. Touch nothing: what differs is
evidence. Compare the release with its signed page, then with a second custodian's copy; who is
right, and how a folder is restored, stands in docs/verification.md.
"""

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from wiring.defaults import DAG_DEFAULTS
from wiring.schedules import every_morning


@dag(
    schedule=every_morning(),
    doc_md=__doc__,
    tags=["verify"],
    **DAG_DEFAULTS,
)
def verify_releases() -> None:
    """Compare all releases with their anchors and with what readers see."""

    @task(task_id="verify_releases")
    def compare() -> list[str]:
        """All releases that were verified."""
        from chotso.orchestration.watch import watch_releases
        from chotso.settings import load_settings

        watched = watch_releases(load_settings())
        if watched.status == "nothing":
            raise AirflowSkipException("nothing is sealed yet")
        if watched.status == "unanchored":
            raise AirflowSkipException(
                f"equal, but unanchored: {', '.join(watched.unanchored)}. Add the root on the "
                "signed page to CHOTSO_ANCHOR_FILE."
            )
        return watched.releases

    compare()


verify_releases()
