"""The three steps of every extract as tasks; they only call chotso."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, PokeReturnValue, TriggerRule, task

FULL = Param(
    False,
    type="boolean",
    title="Read the open year whole",
    description="Compare it with the warehouse; every difference is recorded. Sundays always do.",
)


# It keeps its slot while it waits. There are four such DAGs with at most one active run each, and a
# query every few seconds costs less than a new process for each query.
@task.sensor(
    mode="poke",
    poke_interval=2,
    timeout=timedelta(hours=3).total_seconds(),
    execution_timeout=timedelta(hours=4),
)
def wait_for_registers(partition_key: str | None = None) -> PokeReturnValue:
    """Ask the ledger whether the registers of the date are done."""
    from chotso.orchestration.night import business_date, registers_state
    from chotso.settings import load_settings

    state = registers_state(load_settings(), business_date(partition_key))
    return PokeReturnValue(is_done=state is not None, xcom_value=state)


@task
def land(
    group: str, partition_key: str | None = None, params: dict[str, Any] | None = None
) -> list[str]:
    """Read what changed, in one snapshot, into files that never change; returns batch ids."""
    from chotso.ingest.night import land_group
    from chotso.orchestration.night import business_date
    from chotso.settings import load_settings

    date = business_date(partition_key)
    full = bool((params or {}).get("full"))
    return land_group(load_settings(), group, date, full=full)


# It also runs if the landing was stopped: one refused file must not keep the others out.
@task(trigger_rule=TriggerRule.ALL_DONE)
def publish(group: str, landed: object, partition_key: str | None = None) -> dict[str, int]:
    """Load, judge and publish; `landed` is None if the landing was stopped. Returns counts."""
    from chotso.orchestration.night import business_date, publish_and_count
    from chotso.settings import load_settings

    return publish_and_count(
        load_settings(), group, business_date(partition_key), is_landed=landed is not None
    )
