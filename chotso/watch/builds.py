"""Looks at the build for readers: did it fail, does it hang, and who holds what it waits for?"""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.waits import Holder
from chotso.warehouse.locks import is_held
from chotso.watch.fault import Fault
from chotso.watch.moment import Moment

_NEWEST = """
select
    build_id, business_date, status, reason, started_at, clock_timestamp() - started_at as age,
    clock_timestamp() - coalesce(finished_at, started_at) as ended_ago
from ops.build
where target_schema = %s
order by build_id desc
limit 1
"""
_USUAL = """
select percentile_cont(0.5) within group (order by lasted)
from (
    select exposed_at - started_at as lasted
    from ops.build
    where target_schema = %s and exposed_at is not null and not is_refresh
    order by build_id desc
    limit %s
) as recent
having count(*) >= 3
"""
_RUNNING = """
select node, clock_timestamp() - started_at
from ops.build_node
where build_id = %s and status = 'running'
order by started_at
limit 3
"""
# Our own sessions that wait, as the login itself sees them, and who holds them up.
_WAITING = """
select distinct
    waiting.application_name as name, blocker.pid, holder.application_name, holder.login,
    holder.since
from pg_catalog.pg_stat_activity as waiting
cross join lateral
    pg_catalog.unnest(pg_catalog.pg_blocking_pids(waiting.pid)) as blocker (pid)
left join lateral ops.session_of(blocker.pid) as holder on true
left join pg_catalog.pg_stat_activity as own on own.pid = blocker.pid
where waiting.datname = pg_catalog.current_database() and waiting.usename = session_user
    and waiting.wait_event_type = 'Lock'
    and waiting.query_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %s)
    and own.application_name is distinct from waiting.application_name
order by name, pid
"""
_KEPT = "readers see the figures of the last build that succeeded."


def build(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """The newest build for readers, if it failed, was left, or runs for too long."""
    with conn.cursor(row_factory=dict_row) as cursor:
        newest = cursor.execute(_NEWEST, [NIGHTLY_SCHEMA]).fetchone()
    if newest is None or newest["status"] == "exposed":
        return
    is_worked_on = is_held(conn, f"build {NIGHTLY_SCHEMA}")
    if newest["status"] == "running" and is_worked_on:
        yield from _hanging(moment, conn, newest)
    elif not is_worked_on:
        yield _failed(moment, newest)


def waits(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Sessions of ours that have waited long for a lock, and who holds it."""
    conn.execute("set local role none")  # until the end of this look
    rows = conn.execute(_WAITING, [moment.limits.lock_wait_seconds]).fetchall()
    by_waiting: dict[str, list[Holder]] = {}
    for name, *holder in rows:
        by_waiting.setdefault(name, []).append(Holder(*holder))
    for name, holders in by_waiting.items():
        schema = name.split()[-1] if name.startswith("chotso build ") else None
        dag_id, task_id = works_in(schema)
        yield moment.fault(
            kind="lock_waited_for",
            subject=f"build in {schema}" if schema else name,
            what=f"`{name}` has waited for a lock for more than {moment.limits.lock_wait_seconds} "
            f"seconds, held by {' and '.join(map(str, holders))}.",
            kept=f"{_KEPT} The wait ends after ten minutes with an error.",
            next_step="have the owner end it, or end it yourself in the warehouse, as its own "
            f"login or a superuser: {_end(holders)}; what waits then goes on by itself",
            dag_id=dag_id,
            task_id=task_id,
        )


def works_in(schema: str | None) -> tuple[str | None, str | None]:
    """DAG and task that build in a schema; rehearsals and builds by hand have none."""
    if schema == NIGHTLY_SCHEMA:
        return "build_warehouse", "build"
    if schema and schema.startswith("freeze_"):
        return "freeze_results", "freeze"
    return None, None


def _end(holders: list[Holder]) -> str:
    """The statement that ends the sessions; a prepared transaction has none."""
    calls = ", ".join(f"pg_terminate_backend({each.pid})" for each in holders if each.pid)
    if not calls:
        return "`select gid from pg_prepared_xacts`, then `rollback prepared 'GID'`"
    return f"`select {calls}`"


def _failed(moment: Moment, build: dict[str, Any]) -> Fault:
    reason = build["reason"] or "the process that built is gone"
    return moment.fault(
        kind="build_failed",
        subject="build",
        business_date=build["business_date"],
        what=f"Build {build['build_id']} of {build['business_date']} failed: {reason}",
        kept=_KEPT,
        next_step="read the log of `build` in `build_warehouse` (it names the model or test), mend "
        "the cause, then clear `build`, or run `chotso build`",
        dag_id="build_warehouse",
        task_id="build",
        may_heal=moment.may_heal(build["ended_ago"], "build_warehouse"),
        since=build["started_at"],
    )


def _hanging(moment: Moment, conn: psycopg.Connection, build: dict[str, Any]) -> Iterator[Fault]:
    limits = moment.limits
    row = conn.execute(_USUAL, [NIGHTLY_SCHEMA, limits.night.usual_nights]).fetchone()
    longest = moment.longest(row[0] if row else None, limits.build_longest_minutes)
    if build["age"] < longest:
        return
    minutes, allowed = (int(each.total_seconds() // 60) for each in (build["age"], longest))
    yield moment.fault(
        kind="build_hangs",
        subject="build",
        business_date=build["business_date"],
        what=f"Build {build['build_id']} of {build['business_date']} has run for {minutes} "
        f"minutes; {allowed} are allowed."
        f"{running_nodes(conn, build['build_id'])}",
        kept=_KEPT,
        next_step="read the log of `build` in `build_warehouse`: what it waits for is named "
        "there; to end it, mark the task failed, wait ten seconds, then clear it",
        dag_id="build_warehouse",
        task_id="build",
    )


def running_nodes(conn: psycopg.Connection, build_id: int) -> str:
    """The models and tests of a build that run now, the longest first, as a sentence."""
    rows = conn.execute(_RUNNING, [build_id]).fetchall()
    told = ", ".join(f"{node} for {int(lasts.total_seconds())} s" for node, lasts in rows)
    return f" Running: {told}." if told else ""
