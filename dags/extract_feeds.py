"""# Extracts: one DAG per group of contracts.

The contracts in `config/feeds/` say which groups there are, and `dags/groups/<group>.md` what a
group is about; a new feed or group needs no Python. Each DAG has its own page, in which the steps
are told with their inputs and outputs.

1. **wait_for_registers**. All groups but the registers themselves wait for these.
2. **land**. The source or the drop folder as it is, into files that never change.
3. **publish**. Through the rules into `raw` and `quarantine`, then proven. Asset of the group.

**When it fails.** Each DAG's own page says what to do.
"""

from airflow.sdk import dag
from wiring.assets import EXTRACTED
from wiring.defaults import DAG_DEFAULTS
from wiring.night import BUSINESS_DATE, FULL, land, publish, wait_for_registers
from wiring.schedules import nightly

from chotso.orchestration.extracts import Extract, extracts


def extract(group: Extract) -> None:
    """Make the DAG of one group."""

    @dag(
        dag_id=group.dag_id,
        schedule=nightly(),
        description=group.title,
        doc_md=group.page,
        tags=["extract", "nightly"],
        params={"business_date": BUSINESS_DATE, "full": FULL},
        **DAG_DEFAULTS,
    )
    def story() -> None:
        # 1. The registers of the date first: the ledger is asked, not another DAG's state.
        ready = wait_for_registers() if group.waits_for_registers else None
        # 2. The group's feeds in one snapshot, or every new file, into landing.
        landed = land(group.group, ready)
        # 3. Through the rules into raw and quarantine.
        publish.override(outlets=[EXTRACTED[group.group]])(group.group, landed)

    story()


for each in extracts():
    extract(each)
