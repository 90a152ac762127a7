"""# Plans: targets by decision.

What was assigned to each agency and officer for the year, from the workbooks of the numbered
decisions in the drop folder. A later decision revises an earlier one from its own date on.

1. **wait_for_registers**. Input: the ledger. Runs on any worker, asks every 2 s for up to 3 h.
   Output: `published` or, where a register was stopped tonight, `stopped`: this extract then goes
   on with the registers in force.
2. **land**. Input: the `KE_HOACH_*` files of the drop folder that were not taken yet. Runs on a
   worker that reaches `chotso_drop`. Output: immutable landing files with their manifest, and a
   row per batch in `ops.batch`.
3. **publish**. Input: the landed batches of the date. Runs in the warehouse: load, rules, split
   into accepted and quarantined, one transaction. Output: `raw.plans`, `quarantine.row`, and the
   asset `plans` for the date.

**Partition.** The business date, `YYYY-MM-DD`: the run of 01:00 local belongs to the day before.

**When it fails.** Each file is a batch of its own: what is refused is named in the log, and the
other files go on. Have the workbook corrected and delivered again; then clear `land` and all after
it. A night without files is valid. Clearing, re-running and backfilling are safe: a line that is
delivered again replaces its earlier delivery.
"""

from airflow.sdk import dag
from wiring.assets import PLANS
from wiring.defaults import DAG_DEFAULTS
from wiring.night import FULL, land, publish, wait_for_registers
from wiring.schedules import nightly


@dag(
    schedule=nightly(),
    doc_md=__doc__,
    tags=["extract", "nightly"],
    params={"full": FULL},
    **DAG_DEFAULTS,
)
def extract_plans() -> None:
    """Bring new plan decisions from the drop folder into raw."""
    # 1. The registers of the date first: the ledger is asked, not another DAG's state.
    ready = wait_for_registers()
    # 2. Every new file as it came, into the archive.
    landed = land("plans")
    # 3. Through the rules into raw and quarantine.
    publish.override(outlets=[PLANS])("plans", landed)

    ready >> landed


extract_plans()
