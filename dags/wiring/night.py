"""The three steps of every extract as tasks; they only call chotso.

Each task hands on the business date that it took, so that a run without one stays with the date
that was due when it began.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, PokeReturnValue, TriggerRule, task

from chotso.orchestration.quoting import quoting_nothing

BUSINESS_DATE = Param(
    None,
    type=["null", "string"],
    format="date",
    title="Business date (ngày nghiệp vụ)",
    description="Empty: the newest date that is due by the source's clock. A partition key wins.",
)
FULL = Param(
    False,
    type="boolean",
    title="Read the open year whole",
    description="Compare it with the warehouse; every difference is recorded. Sundays always do.",
)


# It keeps its slot while it waits. Each of these DAGs has at most one active run, and a query every
# few seconds costs less than a new process for each query.
@task.sensor(
    mode="poke",
    poke_interval=2,
    timeout=timedelta(hours=3).total_seconds(),
    execution_timeout=timedelta(hours=4),
)
@quoting_nothing
def wait_for_registers(
    partition_key: str | None = None, params: dict[str, Any] | None = None
) -> PokeReturnValue:
    """Ask the ledger whether the registers of the date are done."""
    from chotso.orchestration.due import run_date
    from chotso.orchestration.night import registers_state
    from chotso.settings import load_settings

    settings = load_settings()
    day = run_date(settings, partition_key, params)
    state = registers_state(settings, day)
    return PokeReturnValue(
        is_done=state is not None,
        xcom_value={"business_date": day.isoformat(), "registers": state},
    )


@task
@quoting_nothing
def land(
    group: str,
    ready: Any = None,
    partition_key: str | None = None,
    params: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Read what changed, in one snapshot, into files that never change; returns the batches."""
    from chotso.ingest.night import land_group
    from chotso.orchestration.due import run_date
    from chotso.settings import load_settings

    settings = load_settings()
    day = run_date(settings, partition_key, params, earlier=ready)
    full = bool((params or {}).get("full"))
    batches = land_group(settings, group, day, full=full)
    return {"business_date": day.isoformat(), "batches": batches}


# It also runs if the landing was stopped: one refused file must not keep the others out.
@task(trigger_rule=TriggerRule.ALL_DONE)
@quoting_nothing
def publish(
    group: str,
    landed: Any,
    partition_key: str | None = None,
    params: dict[str, Any] | None = None,
    outlets: list[Any] | None = None,
    outlet_events: Any = None,
) -> dict[str, int]:
    """Load, judge and publish; `landed` is None if the landing was stopped. Returns counts."""
    from chotso.orchestration.due import run_date
    from chotso.orchestration.night import publish_landed
    from chotso.settings import load_settings

    settings = load_settings()
    day = run_date(settings, partition_key, params, earlier=landed)
    counts = publish_landed(settings, group, day, is_landed=landed is not None)
    for asset in outlets or ():
        outlet_events[asset].add_partitions(day.isoformat())
    return counts
