"""# Registers: agencies, officers, employers, assignments.

The first extract of a night. The other extracts wait until the ledger says that this one is
through, because payments, accounts and people are judged against these registers.

1. **land**. Input: `co_quan`, `can_bo`, `don_vi`, `phan_cong` of the collection system, in one
   consistent snapshot. Runs on a worker that reaches `chotso_source`. Output: immutable landing
   files with their manifest, and a row per batch in `ops.batch`.
2. **publish**. Input: the landed batches of the date. Runs in the warehouse: load, rules, split
   into accepted and quarantined, one transaction. Output: `raw.agencies`, `raw.officers`,
   `raw.employers`, `raw.assignments`, `quarantine.row`, and the asset `registers` for the date.
   Rows that were set aside for an unknown agency are judged again here.

**Partition.** The business date, `YYYY-MM-DD`: the run of 01:00 local belongs to the day before.

**When it fails.** The log of the failed task ends with what was kept and the next step. A blocked
batch stops only itself: yesterday's registers stay in force, and the other extracts go on with
them. A row that the source no longer shows stays in force too, and fails `publish` every night
until it is back or closed (`chotso missing`). Mend the cause (`chotso status`, `ops.rule_result`),
then clear `land` and all after it. Clearing, re-running and backfilling are safe: an unchanged row
adds no version.
"""

from airflow.sdk import dag
from wiring.assets import REGISTERS
from wiring.defaults import DAG_DEFAULTS
from wiring.night import FULL, land, publish
from wiring.schedules import nightly


@dag(
    schedule=nightly(),
    doc_md=__doc__,
    tags=["extract", "nightly"],
    params={"full": FULL},
    **DAG_DEFAULTS,
)
def extract_registers() -> None:
    """Bring the night's registers from the source into raw."""
    # 1. One snapshot of the four registers into landing.
    landed = land("registers")
    # 2. Through the rules into raw and quarantine.
    publish.override(outlets=[REGISTERS])("registers", landed)


extract_registers()
