"""Incidents: one row of `ops.incident` per cause and night, and a notice per event and route.

A cause that goes on is the same incident; one that comes back in the same night, too. What several
watches or failed tasks see at once is written down once, because they take turns.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import class_row

from chotso.contracts import groups
from chotso.errors import ChotsoError
from chotso.incident_kinds import EVERYTHING, KINDS, WORST_FIRST
from chotso.watch.dags import dag_of
from chotso.watch.fault import Fault
from chotso.watch.incident import Event, Incident
from chotso.watch.judge import Diagnosis, explained

WATCH = "watch"  # who ended an incident whose cause is gone
LOCK = "watch"
# What came back ends after so many times the quiet time: who was told that it is over, and was
# wrong, is told again when it has settled. Something that flaps stays open meanwhile.
SETTLED_FACTOR = 10
_TASK = "task_failed"  # ends when the ledger shows that the DAG's work was done since
_FORGOTTEN = timedelta(days=1)  # what leaves nothing in the ledger ends when it is not seen again

_END_TASKS = """
update ops.incident as incident
set
    ended_at = clock_timestamp(),
    ended_by = %(watch)s,
    end_reason = case
        when last_seen_at > clock_timestamp() - %(days)s then 'its work was done since'
        else 'it did not fail again for a day'
    end
where ended_at is null and kind = %(task)s and (
    last_seen_at <= clock_timestamp() - %(days)s
    or dag_id in ('build_warehouse', 'refresh_figures') and exists (
        select from ops.build
        where status = 'exposed' and build.started_at > incident.last_seen_at
    )
    or dag_id = 'freeze_results' and exists (
        select from frozen.release where release.sealed_at > incident.last_seen_at
    )
    or dag_id = 'verify_releases' and exists (
        select from ops.release_check where release_check.checked_at > incident.last_seen_at
    )
    or exists (
        select from ops.batch
        inner join unnest(%(dags)s::text[], %(groups)s::text[]) as work (dag_id, feed_group)
            on batch.feed_group = work.feed_group
        where work.dag_id = incident.dag_id and batch.status = 'published'
            and batch.published_at > incident.last_seen_at
    )
)
returning incident_id
"""


def record(conn: psycopg.Connection, diagnosis: Diagnosis, routes: Iterable[str]) -> None:
    """Write down what is wrong now, end what is over, and note what is to be told; commits.

    Args:
        conn: The warehouse; the caller holds the lock `LOCK`.
        diagnosis: What is wrong.
        routes: Names of the routes that are told.
    """
    names = list(routes)
    with conn.transaction():
        seen = []
        for fault in diagnosis.causes:
            if (left_by := _left_by(conn, fault)) is None:
                seen.append(_see(conn, fault, names))
            elif fault.since is not None:
                seen.append(left_by)
        for fault in diagnosis.others:
            if (known := _known(conn, fault)) and known.ended_at is None:
                seen.append(_see(conn, fault, names))
        _end_unseen(conn, seen, diagnosis.moment.limits.quiet_minutes, names)
    conn.commit()


def note_failure(
    conn: psycopg.Connection, failure: Fault, diagnosis: Diagnosis, routes: Iterable[str]
) -> None:
    """Count a task's failure into the incident that explains it, or open one; commits."""
    with conn.transaction():
        cause = _cause_of(failure, diagnosis)
        known, left_by = _known(conn, cause), _left_by(conn, cause)
        if left_by is None and (known is None or known.ended_at is not None):
            _see(conn, failure, list(routes))
        else:
            conn.execute(
                "update ops.incident set fault_count = fault_count + 1, "
                "last_seen_at = case when %s then last_seen_at else "
                "greatest(last_seen_at, least(%s::timestamptz, clock_timestamp())) end, "
                "log_url = coalesce(log_url, %s) where incident_id = %s",
                [
                    left_by is not None,
                    failure.failed_at,
                    failure.log_url,
                    left_by or (known and known.incident_id),
                ],
            )
    conn.commit()


def _cause_of(failure: Fault, diagnosis: Diagnosis) -> Fault:
    """The cause behind a failure: what explains it, or what explains that; else the failure."""
    explains = [*diagnosis.causes, *(each for each in diagnosis.others if not each.may_heal)]
    fault = next((each for each in explains if explained(failure, each)), failure)
    if fault in diagnosis.others:
        return next((each for each in diagnosis.causes if explained(fault, each)), failure)
    return fault


def listed(conn: psycopg.Connection, *, is_open: bool = True, limit: int = 200) -> list[Incident]:
    """Incidents, the worst and newest first; only those that are open, unless told otherwise."""
    with conn.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(
            "select * from ops.incident where ended_at is null or not %s "
            "order by ended_at is not null, array_position(%s::text[], severity), opened_at desc "
            "limit %s",
            [is_open, list(WORST_FIRST), limit],
        ).fetchall()


def one(conn: psycopg.Connection, incident_id: int) -> Incident:
    """One incident.

    Raises:
        ChotsoError: There is none of that number.
    """
    with conn.cursor(row_factory=class_row(Incident)) as cursor:
        found = cursor.execute(
            "select * from ops.incident where incident_id = %s", [incident_id]
        ).fetchone()
    if found is None:
        raise ChotsoError(
            f"There is no incident {incident_id}.",
            kept="nothing was changed.",
            next_step="see `chotso incidents list --all`.",
        )
    return found


def acknowledge(conn: psycopg.Connection, incident_id: int, by: str) -> Incident:
    """Write down who sees to an incident; commits. The first one stays."""
    one(conn, incident_id)
    with conn.transaction():
        conn.execute(
            "update ops.incident set acknowledged_at = clock_timestamp(), acknowledged_by = %s "
            "where incident_id = %s and acknowledged_at is null",
            [by, incident_id],
        )
    conn.commit()
    return one(conn, incident_id)


def close(
    conn: psycopg.Connection, incident_id: int, by: str, reason: str, routes: Iterable[str]
) -> Incident:
    """Close an incident by a person's word; it is not opened again in that night; commits."""
    if one(conn, incident_id).ended_at is not None:
        return one(conn, incident_id)
    with conn.transaction():
        conn.execute(
            "update ops.incident set ended_at = clock_timestamp(), ended_by = %s, end_reason = %s "
            "where incident_id = %s",
            [by, reason, incident_id],
        )
        tell(conn, incident_id, "ended", list(routes))
    conn.commit()
    return one(conn, incident_id)


def _known(conn: psycopg.Connection, fault: Fault) -> Incident | None:
    """The incident that a fault belongs to, whether it is open or has ended."""
    is_of_a_night = KINDS[fault.kind].is_of_a_night
    with conn.cursor(row_factory=class_row(Incident)) as cursor:
        return cursor.execute(
            "select * from ops.incident where kind = %s and subject = %s "
            "and (business_date = %s or (not %s and ended_at is null)) "
            "order by ended_at is not null, incident_id desc limit 1",
            [*fault.key, fault.business_date, is_of_a_night],
        ).fetchone()


def _left_by(conn: psycopg.Connection, fault: Fault) -> int | None:
    """The open incident whose cause is gone and which left this fault behind.

    It is told to nobody as another incident. If it began while the cause was there, it keeps that
    incident open; if nothing is known of its beginning, it waits until that one has ended.
    """
    own = _known(conn, fault)
    if own is not None and own.ended_at is None:
        return None
    for each in listed(conn):
        if each.kind not in KINDS or KINDS[each.kind].explains == EVERYTHING:
            continue
        began_later = fault.since is not None and fault.since > each.last_seen_at
        if not began_later and explained(fault, each.as_fault()):
            return each.incident_id
    return None


def _see(conn: psycopg.Connection, fault: Fault, routes: list[str]) -> int:
    """Open the fault's incident, or refresh it; returns its number."""
    known = _known(conn, fault)
    if known is None:
        incident_id = write(conn, fault, fault.failed_at)
        tell(conn, incident_id, "opened", routes)
        return incident_id
    if known.ended_at is not None and known.ended_by != WATCH:
        return known.incident_id  # a person closed it
    if fault.failed_at and known.ended_at is not None and fault.failed_at <= known.ended_at:
        return known.incident_id  # its work was done since
    conn.execute(
        """
        update ops.incident
        set
            severity = %s, what = %s, kept = %s, next_step = %s, log_url = coalesce(%s, log_url),
            last_seen_at = greatest(last_seen_at, least(%s::timestamptz, clock_timestamp())),
            ended_at = null, ended_by = null, end_reason = null, fault_count = fault_count + %s
        where incident_id = %s
        """,
        [
            fault.severity,
            fault.what,
            fault.kept,
            fault.next_step,
            fault.log_url,
            fault.failed_at,
            int(known.ended_at is not None),
            known.incident_id,
        ],
    )
    if known.ended_at is not None:
        tell(conn, known.incident_id, "again", routes)
    elif fault.severity == "critical" != known.severity:
        tell(conn, known.incident_id, "worse", routes)
    return known.incident_id


def write(
    conn: psycopg.Connection,
    fault: Fault,
    opened_at: datetime | None = None,
    fault_count: int = 1,
) -> int:
    """Insert a fault's incident, or open the one of its night again; returns its number.

    Args:
        conn: The warehouse.
        fault: What is wrong.
        opened_at: Since when, if that was before now.
        fault_count: How many faults there were until now.
    """
    row = conn.execute(
        """
        insert into ops.incident (
            kind, subject, business_date, period_id, severity, what, kept, next_step, dag_id,
            task_id, log_url, fault_count, opened_at, last_seen_at
        )
        values (
            %(kind)s, %(subject)s, %(business_date)s, %(period_id)s, %(severity)s, %(what)s,
            %(kept)s, %(next_step)s, %(dag_id)s, %(task_id)s, %(log_url)s, %(count)s,
            least(%(at)s::timestamptz, clock_timestamp()),
            least(%(at)s::timestamptz, clock_timestamp())
        )
        on conflict (kind, subject, business_date) do update
        set
            ended_at = null, ended_by = null, end_reason = null,
            fault_count = incident.fault_count + excluded.fault_count
        returning incident_id
        """,
        {**asdict(fault), "severity": fault.severity, "at": opened_at, "count": fault_count},
    ).fetchone()
    assert row is not None
    return int(row[0])


def _end_unseen(
    conn: psycopg.Connection, seen: list[int], quiet_minutes: int, routes: list[str]
) -> None:
    ended = conn.execute(
        """
        update ops.incident
        set ended_at = clock_timestamp(), ended_by = %s, end_reason = 'its cause is gone'
        where ended_at is null and kind <> %s and incident_id <> all(%s)
            and last_seen_at <= clock_timestamp() - make_interval(
                mins => %s * case
                    when exists (
                        select from ops.incident_notice as notice
                        where notice.incident_id = incident.incident_id and notice.event = 'again'
                    ) then %s
                    else 1
                end
            )
        returning incident_id
        """,
        [WATCH, _TASK, seen, quiet_minutes, SETTLED_FACTOR],
    ).fetchall()
    ended += conn.execute(
        _END_TASKS,
        {
            "task": _TASK,
            "watch": WATCH,
            "days": _FORGOTTEN,
            "groups": list(groups()),
            "dags": [dag_of(group) for group in groups()],
        },
    ).fetchall()
    for (incident_id,) in ended:
        tell(conn, incident_id, "ended", routes)


def tell(conn: psycopg.Connection, incident_id: int, event: Event, routes: list[str]) -> None:
    """Note that an event is to be sent on every route; a failing route is not told of it.

    An incident begins and becomes worse once. It may come back and end several times
    (`SETTLED_FACTOR` says how often).
    """
    conn.cursor().executemany(
        "insert into ops.incident_notice as notice (incident_id, event, route) "
        "select incident_id, %s, %s from ops.incident "
        "where incident_id = %s and not (kind = 'route_failed' and subject = %s) "
        "on conflict (incident_id, event, route) do update "
        "set due_at = excluded.due_at, sent_at = null, error = null, try_count = 0 "
        "where notice.event in ('again', 'ended')",
        [(event, route, incident_id, route) for route in routes],
    )
