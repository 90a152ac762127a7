"""Looks at the night that is due: has it begun, did each feed land, and do readers see it?"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.calendar import local_minute, night_of
from chotso.contracts import contracts, groups
from chotso.warehouse.locks import is_held
from chotso.watch.dags import dag_of
from chotso.watch.fault import Fault
from chotso.watch.moment import Moment

# A freeze's own reads, refreshes within the day and rows judged again are not the night's.
_OF_NIGHTS = "final_of is null and not is_refresh and read_mode <> 'replay'"
_NEWEST_BATCH = f"""
select distinct on (feed)
    batch_id, feed, feed_group, status, reason, landed_at, started_at,
    clock_timestamp() - started_at as age,
    clock_timestamp() - coalesce(landed_at, started_at) as idle
from ops.batch
where business_date = %s and {_OF_NIGHTS}
order by feed, started_at desc, batch_id desc
"""
_NEWEST_DATE = f"select max(business_date) from ops.batch where {_OF_NIGHTS}"
_SPAN = f"""
select
    min(started_at) as begun,
    clock_timestamp() - min(started_at) as lasted,
    bool_and(
        coalesce(
            first_build_id <= (select max(build_id) from ops.build where status = 'exposed'), false
        )
    ) filter (where status = 'published') as is_seen
from ops.batch
where business_date = %s and {_OF_NIGHTS}
"""
_USUAL = f"""
with night as (
    select business_date, min(started_at) as begun
    from ops.batch
    where business_date < %s and {_OF_NIGHTS}
    group by business_date
),

seen as (
    select night.business_date, min(build.exposed_at) - night.begun as lasted
    from night
    inner join ops.build as build
        on build.business_date = night.business_date and build.exposed_at > night.begun
    group by night.business_date, night.begun
    order by night.business_date desc
    limit %s
)

select percentile_cont(0.5) within group (order by lasted) from seen having count(*) >= 3
"""
_USUAL_OF_FEED = """
select percentile_cont(0.5) within group (order by lasted)
from (
    select published_at - started_at as lasted
    from ops.batch
    where feed = %s and status = 'published' and not is_refresh
    order by published_at desc
    limit %s
) as recent
having count(*) >= 3
"""
_CAN_WAIT = "yesterday's figures stay in force; the other feeds go on."


def night_not_begun(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """A night that is due and of which no batch was ever begun."""
    newest = newest_date(conn)
    begins = night_of(moment.night)
    grace = timedelta(minutes=moment.limits.night.grace_minutes)
    if newest is None or newest >= moment.night or moment.now < begins + grace:
        return
    dag = dag_of(next(iter(groups())))  # the others wait for it
    yield moment.fault(
        kind="night_not_begun",
        subject="night",
        what=f"The night of {moment.night} was due at {local_minute(begins)} and has not begun; "
        f"the newest is {newest}.",
        kept="readers see the figures of the last night; nothing is lost, a night reads all that "
        "changed since.",
        next_step="see in Airflow that the extract DAGs are not paused and the scheduler runs, and "
        f"trigger each with the date (`{dag}` first); or run "
        f"`chotso nightly --date {moment.night}`",
        dag_id=dag,
    )


def night_not_ended(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """A night that takes far longer than usual, or of which a feed was never read."""
    day = newest_date(conn)
    if day is None:
        return
    row = conn.execute(_SPAN, [day]).fetchone()
    assert row is not None
    begun, lasted, is_seen = row
    if is_seen or lasted is None or lasted < (limit := _longest(moment, conn, day)):
        return
    through = {batch["feed"] for batch in _newest_batches(conn, day)}
    missing = [feed for feed in contracts() if feed not in through]
    unread = f" Not read at all: {', '.join(missing)}." if missing else ""
    yield moment.fault(
        kind="night_not_ended",
        subject="night",
        business_date=day,
        what=f"The night of {day} began {_minutes(lasted)} minutes ago and readers do not see it "
        f"yet; {_minutes(limit)} are allowed.{unread}",
        kept="readers see the figures of the night before.",
        next_step="see in Airflow which DAG of the date is not done (`extract_…`, then "
        f"`build_warehouse`) and clear its task; or run `chotso nightly --date {day}`",
        dag_id="build_warehouse",
        task_id="build",
        since=begun,
    )


def feeds(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Feeds of the newest night that did not land, were blocked, or run for too long."""
    day = newest_date(conn)
    if day is None:
        return
    batches = _newest_batches(conn, day)
    yield from _failed(moment, conn, day, batches)
    for batch in batches:
        if batch["status"] == "blocked":
            yield _blocked(moment, day, batch)
        elif batch["status"] == "running" and _is_worked_on(conn, batch):
            yield from _hanging(moment, conn, day, batch)


def newest_date(conn: psycopg.Connection) -> date | None:
    """The newest business date of which a night has begun."""
    row = conn.execute(_NEWEST_DATE).fetchone()
    return row[0] if row else None


def _newest_batches(conn: psycopg.Connection, day: date) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(_NEWEST_BATCH, [day]).fetchall()


def _failed(
    moment: Moment, conn: psycopg.Connection, day: date, batches: list[dict[str, Any]]
) -> Iterator[Fault]:
    """One fault for the collection system's feeds, and one for the drop folder's."""
    of_place: dict[str, list[dict[str, Any]]] = {}
    for batch in batches:
        if batch["status"] == "failed" or _is_left(moment, conn, batch):
            contract = contracts().get(batch["feed"])
            place = "drop folder" if contract and contract.source.kind == "file" else "source"
            of_place.setdefault(place, []).append(batch)
    source, drop = (of_place.get(place, []) for place in ("source", "drop folder"))
    if source and {each["reason"] for each in drop} <= {each["reason"] for each in source}:
        source += of_place.pop("drop folder", [])  # its clock is read for files, too
    for place, found in of_place.items():
        reasons: dict[str, list[str]] = {}
        for batch in found:
            reason = batch["reason"] or "the process that read it is gone"
            reasons.setdefault(reason.rstrip("."), []).append(batch["feed"])
        told = "; ".join(f"{', '.join(names)}: {why}" for why, names in reasons.items())
        first = found[0]
        yield moment.fault(
            kind="landing_failed",
            subject=place,
            business_date=day,
            what=f"Not read in the night of {day}: {told}.",
            kept=_CAN_WAIT,
            next_step="mend what is named, then clear `land` and all after it in "
            f"`{dag_of(first['feed_group'])}`{_and_others(found)}, or run "
            f"`chotso extract {first['feed']} --date {day}`",
            dag_id=dag_of(first["feed_group"]),
            task_id="land",
            about=frozenset(
                name for batch in found for name in (batch["feed"], dag_of(batch["feed_group"]))
            ),
            may_heal=all(_may_heal(moment, batch) for batch in found),
            since=max(batch["started_at"] for batch in found),
        )


def _is_left(moment: Moment, conn: psycopg.Connection, batch: dict[str, Any]) -> bool:
    """Whether a batch is in work and nobody works on it, nor is about to publish it."""
    if batch["status"] != "running" or _is_worked_on(conn, batch):
        return False
    return not batch["landed_at"] or not _may_heal(moment, batch)


def _may_heal(moment: Moment, batch: dict[str, Any]) -> bool:
    tasks = ("publish",) if batch["landed_at"] else ()
    return moment.may_heal(batch["idle"], dag_of(batch["feed_group"]), *tasks)


def _and_others(found: list[dict[str, Any]]) -> str:
    others = sorted(
        {dag_of(batch["feed_group"]) for batch in found[1:]} - {dag_of(found[0]["feed_group"])}
    )
    return f" (then in {', '.join(f'`{each}`' for each in others)})" if others else ""


def _blocked(moment: Moment, day: date, batch: dict[str, Any]) -> Fault:
    return moment.fault(
        kind="batch_blocked",
        subject=batch["feed"],
        business_date=day,
        what=f"{batch['batch_id']}: {batch['reason']}",
        kept=_CAN_WAIT,
        next_step="see `ops.rule_result` for the rule and its count, have it mended at the source, "
        f"then clear `land` and all after it in `{dag_of(batch['feed_group'])}`, or run "
        f"`chotso extract {batch['feed']} --date {day}`",
        dag_id=dag_of(batch["feed_group"]),
        task_id="publish",
        about=frozenset({batch["feed"]}),
    )


def _hanging(
    moment: Moment, conn: psycopg.Connection, day: date, batch: dict[str, Any]
) -> Iterator[Fault]:
    row = conn.execute(_USUAL_OF_FEED, [batch["feed"], moment.limits.night.usual_nights]).fetchone()
    longest = moment.longest(row[0] if row else None, moment.limits.extract_longest_minutes)
    if batch["age"] < longest:
        return
    task = "publish" if batch["landed_at"] else "land"
    yield moment.fault(
        kind="extract_hangs",
        subject=batch["feed_group"],
        business_date=day,
        what=f"{batch['batch_id']} has been in work for {_minutes(batch['age'])} minutes "
        f"(`{task}`); {_minutes(longest)} are allowed.",
        kept=_CAN_WAIT,
        next_step=f"read the log of `{task}` in `{dag_of(batch['feed_group'])}`: a lock that it "
        "waits for is named there; to end it, mark it failed, then clear it",
        dag_id=dag_of(batch["feed_group"]),
        task_id=task,
        about=frozenset({batch["feed"]}),
    )


def _is_worked_on(conn: psycopg.Connection, batch: dict[str, Any]) -> bool:
    """Whether some run works on the batch's group now."""
    return is_held(conn, f"extract of {batch['feed_group']}")


def _longest(moment: Moment, conn: psycopg.Connection, day: date) -> timedelta:
    row = conn.execute(_USUAL, [day, moment.limits.night.usual_nights]).fetchone()
    night = moment.limits.night
    longest = moment.longest(row[0] if row else None, night.longest_minutes)
    return max(longest, timedelta(minutes=night.floor_minutes))


def _minutes(lasted: timedelta) -> int:
    return int(lasted.total_seconds() // 60)
