"""Looks at the night that is due: has it begun, did each feed land, and do readers see it?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chotso.calendar import local_minute, night_of
from chotso.contracts import Contract, contracts, groups
from chotso.warehouse.locks import is_held
from chotso.watch.dags import dag_of, extract_dags
from chotso.watch.fault import Fault
from chotso.watch.moment import Moment

_Batch = dict[str, Any]
_Stopped = tuple[_Batch, bool]  # a batch that did not get through, and whether it is tried again

# A freeze's own reads, refreshes within the day and rows judged again are not the night's.
OF_NIGHTS = "final_of is null and not is_refresh and read_mode <> 'replay'"
# Of each feed what came after the last batch that was published, the newest first: what stopped a
# night lasts until a later one is through, and does not end when another night begins.
_NOT_THROUGH = f"""
with through as (
    select expected.feed, published.business_date, published.started_at, published.batch_id
    from unnest(%s::text[]) as expected (feed)
    left join lateral (
        select business_date, started_at, batch_id
        from ops.batch
        where batch.feed = expected.feed and status = 'published' and {OF_NIGHTS}
        order by known_at desc, started_at desc, batch_id desc
        limit 1
    ) as published on true
)

select
    batch.batch_id, batch.feed, batch.feed_group, batch.business_date, batch.status, batch.reason,
    batch.landed_at, batch.started_at,
    clock_timestamp() - batch.started_at as age,
    clock_timestamp() - coalesce(batch.landed_at, batch.started_at) as idle
from through
inner join ops.batch as batch
    on batch.feed = through.feed
    and batch.business_date >= coalesce(through.business_date, '-infinity')
where batch.status <> 'published' and {OF_NIGHTS}
    and (
        through.batch_id is null
        or (batch.started_at, batch.batch_id) > (through.started_at, through.batch_id)
    )
order by batch.feed, batch.started_at desc, batch.batch_id desc
"""
_NEWEST_DATE = f"select max(business_date) from ops.batch where {OF_NIGHTS}"
_NEWEST_TWO = f"""
select
    business_date,
    min(started_at) as begun,
    clock_timestamp() - min(started_at) as lasted,
    bool_and(
        coalesce(
            first_build_id <= (select max(build_id) from ops.build where status = 'exposed'), false
        )
    ) filter (where status = 'published') as is_seen
from ops.batch
where {OF_NIGHTS}
group by business_date
order by business_date desc
limit 2
"""
_BEGUN_SINCE = f"select distinct feed from ops.batch where business_date >= %s and {OF_NIGHTS}"
_USUAL = f"""
with night as (
    select business_date, min(started_at) as begun
    from ops.batch
    where business_date < %s and {OF_NIGHTS}
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
        next_step=f"see in Airflow that {extract_dags()} are not paused, that the scheduler runs "
        "and, with Celery, its workers do (`docker compose ps airflow-worker`), and trigger each "
        f"with the date (`{dag}` first); or run `chotso nightly --date {moment.night}`",
        dag_id=dag,
    )


def night_not_ended(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """A night that takes far longer than usual, or of which a feed was never read."""
    night = _newest_past_its_limit(moment, conn)
    if night is None:
        return
    unread = _never_read(conn, night.day)
    if night.is_seen and not unread:
        return
    begun = f"The night of {night.day} began {_minutes(night.lasted)} minutes ago"
    allowed = f"{_minutes(night.limit)} are allowed."
    told = [] if night.is_seen else [f"{begun} and readers do not see it yet; {allowed}"]
    if unread:
        told += [] if told else [f"{begun}; {allowed}"]
        told.append(f"Not read at all: {', '.join(each.feed for each in unread)}.")
    dags = list(dict.fromkeys(dag_of(each.group) for each in unread))
    yield moment.fault(
        kind="night_not_ended",
        subject="night",
        business_date=night.day,
        what=" ".join(told),
        kept="readers see the figures of the night before"
        + (", and of the feeds that were read those of this one." if night.is_seen else "."),
        next_step=_start(dags, night.day) if dags else _build(night.day),
        dag_id=dags[0] if dags else "build_warehouse",
        task_id="land" if dags else "build",
        about=frozenset([*dags, *(each.feed for each in unread)]),
        since=night.begun,
    )


def feeds(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Feeds that did not land or were blocked and were not published since, or run for too long."""
    newest = newest_date(conn)
    of_feed: dict[str, list[_Batch]] = {}
    with conn.cursor(row_factory=dict_row) as cursor:
        for batch in cursor.execute(_NOT_THROUGH, [list(contracts())]):
            of_feed.setdefault(batch["feed"], []).append(batch)
    stopped: list[_Stopped] = []
    for tries in of_feed.values():
        is_tried_again = tries[0]["status"] == "running" and not _is_left(moment, conn, tries[0])
        if is_tried_again and tries[0]["business_date"] == newest:
            yield from _hanging(moment, conn, tries[0])
        if last := tries[is_tried_again : is_tried_again + 1]:
            stopped.append((last[0], is_tried_again))
    yield from _failed(moment, [each for each in stopped if each[0]["status"] != "blocked"])
    for batch, is_tried_again in stopped:
        if batch["status"] == "blocked":
            yield _blocked(moment, batch, may_heal=is_tried_again)


def newest_date(conn: psycopg.Connection) -> date | None:
    """The newest business date of which a night has begun."""
    row = conn.execute(_NEWEST_DATE).fetchone()
    return row[0] if row else None


@dataclass(frozen=True)
class _Night:
    """A night that has lasted for longer than it may; `is_seen`: readers see what it published."""

    day: date
    begun: datetime
    lasted: timedelta
    is_seen: bool
    limit: timedelta


def _newest_past_its_limit(moment: Moment, conn: psycopg.Connection) -> _Night | None:
    """The newest night past its limit; while the next one is within its own, the one before."""
    for day, begun, lasted, is_seen in conn.execute(_NEWEST_TWO).fetchall():
        if lasted >= (limit := _longest(moment, conn, day)):
            return _Night(day, begun, lasted, bool(is_seen), limit)
    return None


def _never_read(conn: psycopg.Connection, day: date) -> list[Contract]:
    """Contracts of which nothing was begun for the night, nor for a later one."""
    begun = {feed for (feed,) in conn.execute(_BEGUN_SINCE, [day]).fetchall()}
    return [each for feed, each in contracts().items() if feed not in begun]


def _start(dags: list[str], day: date) -> str:
    named = ", ".join(f"`{each}`" for each in dags)
    return (
        f"see in Airflow that {named} {'are' if len(dags) > 1 else 'is'} not paused and trigger "
        f"each with the date {day}, or clear `land` and all after it where a run of the date "
        f"failed; or run `chotso nightly --date {day}`"
    )


def _build(day: date) -> str:
    return (
        f"clear `build` in `build_warehouse` of {day}, or trigger it with that date if it has no "
        f"such run; or run `chotso nightly --date {day}`"
    )


def _failed(moment: Moment, stopped: list[_Stopped]) -> Iterator[Fault]:
    """One fault for the collection system's feeds, and one for the drop folder's."""
    of_place: dict[str, list[_Stopped]] = {}
    for each in stopped:
        if each[0]["status"] != "refused":  # a file that is refused was read
            is_file = contracts()[each[0]["feed"]].source.kind == "file"
            of_place.setdefault("drop folder" if is_file else "source", []).append(each)
    source, drop = (of_place.get(place, []) for place in ("source", "drop folder"))
    if source and {each["reason"] for each, _ in drop} <= {each["reason"] for each, _ in source}:
        source += of_place.pop("drop folder", [])  # its clock is read for files, too
    for place, found in of_place.items():
        batches = [batch for batch, _ in found]
        day = max(batch["business_date"] for batch in batches)
        yield moment.fault(
            kind="landing_failed",
            subject=place,
            business_date=day,
            what=f"Not read in the night of {day}: {_reasons(batches, day)}.",
            kept=_CAN_WAIT,
            next_step="mend what is named, then clear `land` and all after it in "
            f"`{dag_of(batches[0]['feed_group'])}`{_and_others(batches)}, or run "
            f"{_commands(batches)}",
            dag_id=dag_of(batches[0]["feed_group"]),
            task_id="land",
            about=frozenset(
                name for batch in batches for name in (batch["feed"], dag_of(batch["feed_group"]))
            ),
            may_heal=all(
                is_tried_again or _may_heal(moment, batch) for batch, is_tried_again in found
            ),
            since=max(batch["started_at"] for batch in batches),
        )


def _reasons(batches: list[_Batch], day: date) -> str:
    """Why feeds were not read, and since when if that was not in the night of `day`."""
    names: dict[str, list[str]] = {}
    for batch in batches:
        reason = batch["reason"] or "the process that read it is gone"
        of_another = "" if batch["business_date"] == day else f" ({batch['business_date']})"
        names.setdefault(reason.rstrip("."), []).append(f"{batch['feed']}{of_another}")
    return "; ".join(f"{', '.join(feeds)}: {reason}" for reason, feeds in names.items())


def _commands(batches: list[_Batch]) -> str:
    """The command that reads each group again, for the night that it was not read in."""
    of_group = {batch["feed_group"]: batch for batch in reversed(batches)}
    return ", ".join(
        f"`chotso extract {batch['feed']} --date {batch['business_date']}`"
        for batch in reversed(of_group.values())
    )


def _is_left(moment: Moment, conn: psycopg.Connection, batch: _Batch) -> bool:
    """Whether a batch is in work and nobody works on it, nor is about to publish it."""
    if batch["status"] != "running" or _is_worked_on(conn, batch):
        return False
    return not batch["landed_at"] or not _may_heal(moment, batch)


def _may_heal(moment: Moment, batch: _Batch) -> bool:
    tasks = ("publish",) if batch["landed_at"] else ()
    return moment.may_heal(batch["idle"], dag_of(batch["feed_group"]), *tasks)


def _and_others(found: list[_Batch]) -> str:
    others = sorted(
        {dag_of(batch["feed_group"]) for batch in found[1:]} - {dag_of(found[0]["feed_group"])}
    )
    return f" (then in {', '.join(f'`{each}`' for each in others)})" if others else ""


def _blocked(moment: Moment, batch: _Batch, *, may_heal: bool) -> Fault:
    day = batch["business_date"]
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
        may_heal=may_heal,
    )


def _hanging(moment: Moment, conn: psycopg.Connection, batch: _Batch) -> Iterator[Fault]:
    if not _is_worked_on(conn, batch):
        return
    row = conn.execute(_USUAL_OF_FEED, [batch["feed"], moment.limits.night.usual_nights]).fetchone()
    longest = moment.longest(row[0] if row else None, moment.limits.extract_longest_minutes)
    if batch["age"] < longest:
        return
    task = "publish" if batch["landed_at"] else "land"
    yield moment.fault(
        kind="extract_hangs",
        subject=batch["feed_group"],
        business_date=batch["business_date"],
        what=f"{batch['batch_id']} has been in work for {_minutes(batch['age'])} minutes "
        f"(`{task}`); {_minutes(longest)} are allowed.",
        kept=_CAN_WAIT,
        next_step=f"read the log of `{task}` in `{dag_of(batch['feed_group'])}`: a lock that it "
        "waits for is named there; to end it, mark it failed, then clear it",
        dag_id=dag_of(batch["feed_group"]),
        task_id=task,
        about=frozenset({batch["feed"]}),
    )


def _is_worked_on(conn: psycopg.Connection, batch: _Batch) -> bool:
    """Whether some run works on the batch's group now."""
    return is_held(conn, f"extract of {batch['feed_group']}")


def _longest(moment: Moment, conn: psycopg.Connection, day: date) -> timedelta:
    row = conn.execute(_USUAL, [day, moment.limits.night.usual_nights]).fetchone()
    night = moment.limits.night
    longest = moment.longest(row[0] if row else None, night.longest_minutes)
    return max(longest, timedelta(minutes=night.floor_minutes))


def _minutes(lasted: timedelta) -> int:
    return int(lasted.total_seconds() // 60)
