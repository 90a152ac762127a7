"""# Watch: what is wrong, told once.

The same judgement as `chotso watch`, every five minutes, for those who run no watch beside Airflow.
It cannot tell that Airflow itself has stopped: run `chotso watch` as a service, too. Both may run:
they take turns, and each incident is told once.

1. **look**. Input: the ledger, the clocks, the disks, the drop folder, Airflow's health. Runs on a
   worker that reaches warehouse, source and the alert routes. Output: rows in `ops.incident`, and
   messages on the routes for what is new, worse or over.

**When it fails.** The warehouse does not answer, or a register of `config/` is wrong. What is wrong
was told on the routes all the same, if one works; the log says what.
"""

from airflow.sdk import dag, task
from wiring.defaults import DAG_DEFAULTS
from wiring.schedules import every_five_minutes

from chotso.orchestration.quoting import quoting_nothing


@dag(
    schedule=every_five_minutes(),
    description="Tells what is wrong, each cause once.",
    doc_md=__doc__,
    tags=["watch"],
    **DAG_DEFAULTS,
)
def watch_nights() -> None:
    """Judge, keep incidents, tell people."""

    @task
    @quoting_nothing
    def look() -> list[str]:
        """One round; returns the kinds of what is wrong."""
        from chotso.settings import load_settings
        from chotso.watch.rounds import look_once

        found = look_once(load_settings())
        return sorted({each.kind for each in found.diagnosis.causes})

    # 1. One round.
    look()


watch_nights()
