"""# Verify: is what readers see what was sealed?

Every morning, all sealed releases as one chain, against the anchors and against the warehouse. A
superuser, a restored backup or a failing disk can change what no right and no trigger forbids; here
it is found.

1. **verify_releases**. Input: the releases folder, the schema `frozen`, and the anchors of
   `CHOTSO_ANCHOR_FILE` (a line `RELEASE ROOT` per signed page, kept where neither the warehouse nor
   the releases folder can write). Runs on a worker that reaches both. Output: `verified`. A release
   that no anchor vouches for *fails* the task, after everything was compared: it agrees with
   itself, as a forged one would.

**When it fails.** The alert names release, table, row and column. Touch nothing: what differs is
evidence. Compare the release with its signed page, then with a second custodian's copy; who is
right, and how a folder is restored, stands in docs/verification.md. A release that is only
*unanchored* waits for its line in `CHOTSO_ANCHOR_FILE`, taken from the signed page; if nobody
ordered it, it is forged.
"""

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowSkipException
from wiring.defaults import DAG_DEFAULTS
from wiring.schedules import every_morning

from chotso.orchestration.quoting import quoting_nothing


@dag(
    schedule=every_morning(),
    description="Compares every sealed release with its anchor and with what readers see",
    doc_md=__doc__,
    tags=["verify"],
    **DAG_DEFAULTS,
)
def verify_releases() -> None:
    """Compare all releases with their anchors and with what readers see."""

    @task(task_id="verify_releases")
    @quoting_nothing
    def compare() -> list[str]:
        """All releases that were verified."""
        from chotso.release.check.daily import check_releases
        from chotso.settings import load_settings

        checked = check_releases(load_settings())
        if checked.status == "nothing":
            raise AirflowSkipException("nothing is sealed yet")
        return checked.releases

    compare()


verify_releases()
