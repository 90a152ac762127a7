"""# Arrears: the employers' monthly accounts (C12-TS).

What each employer owes, from the workbooks that the collection software exports into the drop
folder. An export is a full statement of the agencies whose sheets it has; the newest instant wins.

1. **wait_for_registers**. Input: the ledger. Runs on any worker, asks every 2 s for up to 3 h.
   Output: `published` or, where a register was stopped tonight, `stopped`: this extract then goes
   on with the registers in force.
2. **land**. Input: the `C12_*` files of the drop folder that were not taken yet. Runs on a worker
   that reaches `chotso_drop`. Output: immutable landing files with their manifest, and a row per
   batch in `ops.batch`.
3. **publish**. Input: the landed batches of the date. Runs in the warehouse: load, rules, split
   into accepted and quarantined, one transaction. Output: `raw.c12`, `quarantine.row`, and the
   asset `arrears` for the date. Then every sheet's newest statement in the archive is compared
   with what the warehouse holds of it, in rows and đồng; one that differs is published once more.
   What still differs fails the task, and no build is shown.

**Partition.** The business date, `YYYY-MM-DD`: the run of 01:00 local belongs to the day before.

**When it fails.** Each file is a batch of its own: a file that does not match its `.sha256` or
`.count`, or lacks what a C12 export must have, is refused whole, named in the log, and the other
files go on. Ask the sender for the file again; a refused file is tried again when its bytes
change. Then clear `land` and all after it. A night without files is valid. Clearing, re-running
and backfilling are safe: the same content again changes nothing.
"""

from airflow.sdk import dag
from wiring.assets import ARREARS
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
def extract_arrears() -> None:
    """Bring the C12 exports of the night from the drop folder into raw."""
    # 1. The registers of the date first: the ledger is asked, not another DAG's state.
    ready = wait_for_registers()
    # 2. Every new file as it came, into the archive.
    landed = land("c12")
    # 3. Through the rules into raw and quarantine.
    publish.override(outlets=[ARREARS])("c12", landed)

    ready >> landed


extract_arrears()
