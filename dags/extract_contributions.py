"""# Contributions: payment documents and their allocation lines.

What employers paid, and what each payment was for. Documents and lines share one snapshot, so that
a document never arrives without its lines.

1. **wait_for_registers**. Input: the ledger. Runs on any worker, asks every 2 s for up to 3 h.
   Output: `published` or, where a register was stopped tonight, `stopped`: this extract then goes
   on with the registers in force.
2. **land**. Input: `chung_tu` and `phan_bo` of the collection system, changes since the last
   published position. Runs on a worker that reaches `chotso_source`. Output: immutable landing
   files with their manifest, and a row per batch in `ops.batch`.
3. **publish**. Input: the landed batches of the date. Runs in the warehouse: load, rules, split
   into accepted and quarantined, one transaction. Output: `raw.payments`, `raw.allocations`,
   `quarantine.row`, and the asset `contributions` for the date. Then every month's rows and
   đồng are compared with the source's own count (`doi_soat`); a month that differs is read whole
   at once and compared again. What still differs fails the task, and no build is shown. Runs on a
   worker that reaches `chotso_source`.

**Partition.** The business date, `YYYY-MM-DD`: the run of 01:00 local belongs to the day before.

**When it fails.** The log of the failed task ends with what was kept and the next step. A blocked
batch stops only itself and the figures of the night before stay. Clear `land` and all after it
once the cause is mended; clearing, re-running and backfilling are safe: a night always reads the
source as it is, and an unchanged row adds no version.
"""

from airflow.sdk import dag
from wiring.assets import CONTRIBUTIONS
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
def extract_contributions() -> None:
    """Bring the night's payments and allocations from the source into raw."""
    # 1. The registers of the date first: the ledger is asked, not another DAG's state.
    ready = wait_for_registers()
    # 2. Documents and lines, one snapshot, into landing.
    landed = land("contributions")
    # 3. Through the rules into raw and quarantine.
    publish.override(outlets=[CONTRIBUTIONS])("contributions", landed)

    ready >> landed


extract_contributions()
