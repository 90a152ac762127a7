"""The diagnosis: everything that is wrong now, each cause once."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg

from chotso.contracts import groups
from chotso.errors import ChotsoError
from chotso.incident_kinds import EVERYTHING, KINDS, WORST_FIRST
from chotso.orchestration.due import newest_due
from chotso.registers import Period, load_registers
from chotso.settings import Settings
from chotso.source.database import open_snapshot
from chotso.source.queries import CLOCK_RELATION
from chotso.warehouse.connect import connect
from chotso.warehouse.refused import in_words, said
from chotso.watch import builds, freezes, nights, notices, places, proofs
from chotso.watch.dags import dag_of
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.limits import load_limits
from chotso.watch.moment import Moment, clock_by_ledger, open_periods, wall_clock

_LOG = logging.getLogger(__name__)
_PLACES = (places.disks, places.drop_folder, places.airflow)
_LEDGER: tuple[Callable[[Moment, psycopg.Connection], Iterator[Fault]], ...] = (
    places.clocks,
    proofs.restored,
    nights.night_not_begun,
    nights.night_not_ended,
    nights.feeds,
    builds.waits,
    builds.build,
    proofs.totals,
    proofs.registers,
    proofs.files,
    proofs.quarantine,
    freezes.due,
    freezes.would_fail,
    freezes.releases,
    notices.routes,
)
_BUILD = "build_warehouse"
_OF_FEEDS = frozenset({"landing_failed", "batch_blocked"})  # until the feed is published
_OF_SOME_FEEDS = _OF_FEEDS | {
    "build_failed",
    "build_hangs",
    "control_totals_differ",
    "register_rows_missing",
}
_NOT_THERE = "42"  # SQLSTATE: no such table, column or function, or no right
_MIGRATE = "run `chotso migrate` with CHOTSO_ADMIN_URL, which puts tables and rights back"
_AGAIN = (
    "read the warehouse server's log of this minute (a time limit, memory, a full disk); the watch "
    "looks again each minute: `chotso status`"
)
_NO_ROOM = ("No space left on device", "MB are left for")
# psycopg reads intervals in this style alone
_SETTINGS = "set local lock_timeout = '5s'; set local intervalstyle = 'postgres'"


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong.

    Attributes:
        moment: When, and of which night.
        causes: One fault per cause, the worst first.
        others: Faults that a cause explains, and faults that Airflow is about to try again.
        is_warehouse_there: Whether incidents can be written down.
    """

    moment: Moment
    causes: list[Fault]
    others: list[Fault]
    is_warehouse_there: bool


def judge(settings: Settings, given_up: TaskFailure | None = None) -> Diagnosis:
    """Look at the ledger, the clocks and the places.

    Args:
        settings: Where everything is.
        given_up: A task or run that Airflow does not try again.

    Raises:
        ChotsoError: The limits or the registers cannot be read.
    """
    limits = load_limits()
    periods = load_registers().periods  # what is wrong in them is not the warehouse's fault
    clock = _source_clock(settings)
    now = wall_clock() if isinstance(clock, ChotsoError) else clock.now
    ahead = None if isinstance(clock, ChotsoError) else clock.ahead
    moment = Moment(settings, limits, now, newest_due(now), given_up, source_ahead=ahead)
    try:
        with connect(settings) as conn:
            knows_time = not isinstance(clock, ChotsoError)
            moment = _with_the_ledger(moment, conn, periods, knows_time=knows_time)
            found = list(_found_in_ledger(moment, conn))
    except ChotsoError as error:
        causes = [places.warehouse_away(error, moment), *_found_in_places(moment)]
        return _folded(moment, causes, is_warehouse_there=False)
    if isinstance(clock, ChotsoError):
        found.append(places.source_away(clock, moment))
    return _folded(moment, [*found, *_found_in_places(moment)], is_warehouse_there=True)


def explained(fault: Fault, by: Fault) -> bool:
    """Whether a fault is only a consequence of another one."""
    explains = KINDS[by.kind].explains
    if fault.key == by.key:
        return False
    if explains == EVERYTHING:
        return fault.kind not in ("airflow_away", "disk_nearly_full")
    if by.kind == "disk_nearly_full":
        return any(said in fault.what for said in _NO_ROOM)
    if by.kind == "freeze_due" and fault.about:
        # whatever stopped the freeze is named in its reason
        return any(name in by.what for name in fault.about)
    if fault.kind not in explains:
        return False
    if fault.kind == "night_not_ended" and fault.about and by.kind in _OF_SOME_FEEDS:
        # a feed that was never read waits for the registers alone
        return by.kind == "landing_failed" and by.dag_id == dag_of(next(iter(groups())))
    if fault.kind == "task_failed" and by.dag_id is not None:
        return _explains_task(fault, by)
    if fault.kind == "landing_failed" and by.kind == "drop_folder_away":
        return fault.subject == by.subject
    if fault.kind == "landing_failed" and by.kind == "extract_hangs":
        return {name for name in fault.about if name.startswith("extract_")} == {by.dag_id}
    return True


def _explains_task(failed: Fault, by: Fault) -> bool:
    """Whether a failed task is of the DAG and night that a cause is about."""
    if by.kind in _OF_FEEDS and failed.business_date < by.business_date:
        return False
    is_of_its_night = KINDS[by.kind].is_of_a_night and by.dag_id != _BUILD  # builds take in all
    if is_of_its_night and failed.business_date != by.business_date:
        return False
    return failed.dag_id == by.dag_id or failed.dag_id in by.about


@dataclass(frozen=True)
class _Clock:
    """The source's clock, and how far it is ahead of ours if it is a server's own."""

    now: datetime
    ahead: timedelta | None


def _source_clock(settings: Settings) -> _Clock | ChotsoError:
    try:
        with open_snapshot(settings.source_url) as snapshot:
            is_set = snapshot.has_relation(CLOCK_RELATION)
            ahead = None if is_set else snapshot.server_clock - wall_clock()
            return _Clock(snapshot.known_at, ahead)
    except ChotsoError as error:
        return error


def _with_the_ledger(
    moment: Moment, conn: psycopg.Connection, periods: Iterable[Period], *, knows_time: bool
) -> Moment:
    """The moment with the open periods and, where the source tells no time, the ledger's.

    While another session locks what is read here, the moment stays as it was: the warehouse is
    there, and what lasts is judged again at the next look.
    """
    try:
        with conn.transaction():
            conn.execute(_SETTINGS)
            now = moment.now if knows_time else clock_by_ledger(conn) or moment.now
            still_open = open_periods(conn, periods)
    except psycopg.errors.LockNotAvailable:
        _LOG.warning("The open periods are locked by another session; looked at again next time")
        return moment
    return replace(moment, now=now, night=newest_due(now), open_periods=still_open)


def _found_in_places(moment: Moment) -> Iterator[Fault]:
    for look in _PLACES:
        try:
            yield from list(look(moment))
        except Exception as error:  # whatever it is, the other looks go on
            yield _blind(moment, look.__name__, error)


def _found_in_ledger(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Each look in a transaction of its own: one that fails leaves the others their sight."""
    for look in _LEDGER:
        try:
            with conn.transaction():
                conn.execute(_SETTINGS)
                found = list(look(moment, conn))
        except psycopg.errors.LockNotAvailable:
            _LOG.warning("%s waited for a lock and is looked at again next time", look.__name__)
        except Exception as error:  # whatever it is, the other looks go on
            if conn.broken:
                raise
            yield _blind(moment, look.__name__, error)
        else:
            yield from found


def _blind(moment: Moment, name: str, error: Exception) -> Fault:
    """A look that failed, told as a fault of its own."""
    if isinstance(error, psycopg.Error):
        what = said(error)
        step = _MIGRATE if (error.sqlstate or "").startswith(_NOT_THERE) else _AGAIN
    else:
        told = in_words(error, f"the look at {name}")
        what, step = told.what, told.next_step
    return Fault(
        kind="task_failed",
        subject=f"watch.{name}",
        business_date=moment.night,
        what=f"The watch could not look at {name}: {what}",
        kept="everything.",
        next_step=step,
    )


def _folded(moment: Moment, found: list[Fault], *, is_warehouse_there: bool) -> Diagnosis:
    causes = [
        fault
        for fault in found
        if not fault.may_heal
        and not any(explained(fault, each) for each in found if not each.may_heal)
    ]
    others = [fault for fault in found if fault not in causes]
    causes.sort(key=lambda each: (WORST_FIRST.index(each.severity), *each.key))
    return Diagnosis(moment, causes, others, is_warehouse_there)
