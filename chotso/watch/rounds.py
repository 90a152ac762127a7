"""A round of the watch: judge, write down, tell. It may run anywhere, at any time, side by side."""

import logging
import time
from dataclasses import dataclass
from datetime import date

import psycopg

from chotso.errors import BusyError, ChotsoError, frames_of
from chotso.masking import masked
from chotso.orchestration.due import newest_due
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from chotso.warehouse.refused import in_words
from chotso.watch import incidents, notices
from chotso.watch.away import Told, remembered, write_down
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.handed import handed_over
from chotso.watch.incident import Event, Incident
from chotso.watch.incidents import LOCK
from chotso.watch.judge import Diagnosis, explained, judge
from chotso.watch.moment import wall_clock
from chotso.watch.places import warehouse_away
from chotso.watch.routes import Route, routes_of

_LOG = logging.getLogger(__name__)
_TURN_S = 30.0  # how long another watch is waited for
_TOLD_AFTER_ROUNDS = 2
# An end that could not be sent waits while the incident is open again.
_DUE = """
select notice.incident_id, notice.event, notice.route
from ops.incident_notice as notice
inner join ops.incident as incident on notice.incident_id = incident.incident_id
where notice.sent_at is null and notice.route = any(%s)
    and (notice.event <> 'ended' or incident.ended_at is not null)
order by notice.due_at, notice.incident_id, notice.event
"""


@dataclass(frozen=True)
class Round:
    """What a round found, and the incidents that are open after it."""

    diagnosis: Diagnosis
    open_incidents: list[Incident]


def look_once(settings: Settings, failure: TaskFailure | None = None) -> Round:
    """Judge everything, keep incidents, and send what is due.

    Args:
        settings: Where everything is.
        failure: A task that failed for good; it is counted into the incident that explains it.

    Raises:
        ChotsoError: The limits cannot be read.
        BusyError: Another watch took too long.
    """
    for earlier in handed_over(settings.home):
        _look(settings, earlier)
    return _look(settings, failure)


def _look(settings: Settings, failure: TaskFailure | None) -> Round:
    routes = _routes(settings)
    diagnosis = judge(settings, failure)
    failed = diagnosis.moment.of_task(failure) if failure else None
    found: list[Incident] = []
    if not diagnosis.is_warehouse_there:
        _without_warehouse(settings, diagnosis.moment.night, diagnosis.causes, failed, routes)
    else:
        try:
            found = _with_warehouse(settings, diagnosis, failed, routes)
        except BusyError:
            raise
        except ChotsoError as error:  # it went away since; the ledger knows what else was told
            causes = [warehouse_away(error, diagnosis.moment)]
            _without_warehouse(settings, diagnosis.moment.night, causes, failed, routes)
    _touch(settings, "looked")
    return Round(diagnosis, found)


def look_quietly(settings: Settings) -> None:
    """Look once at the end of a step that went well; whatever goes wrong here is only logged."""
    try:
        look_once(settings)
    except Exception as error:
        _LOG.warning("the watch did not look: %s", in_words(error, "A round of the watch").what)


def closed(settings: Settings, incident_id: int, by: str, reason: str) -> Incident:
    """Close an incident by a person's word, and say so."""
    routes = _routes(settings)
    with connect(settings) as conn, hold(conn, LOCK, _TURN_S):
        found = incidents.close(conn, incident_id, by, reason, [route.name for route in routes])
        _send_due(conn, routes)
    return found


def watch_on(settings: Settings, every_s: float) -> None:
    """Look again and again, until the process is ended; an error of one round ends no other.

    An error that comes in two rounds one after the other is told on the routes, once.
    """
    failed_rounds = 0
    while True:
        started = time.monotonic()
        try:
            told = look_once(settings)
        except Exception as error:  # a watch that ends is noticed by nobody
            failed_rounds += 1
            _LOG.error("a round failed:\n%s", frames_of(error))
            _fail(settings, in_words(error, "A round of the watch"), failed_rounds)
        else:
            failed_rounds = 0
            _touch(settings, "loop")  # docker/bin/healthy.py reads it
            causes = [f"{each.kind} ({each.subject})" for each in told.diagnosis.causes]
            _LOG.info("looked: %s", ", ".join(causes) or "all is well")
        time.sleep(max(1.0, every_s - (time.monotonic() - started)))


def _fail(settings: Settings, error: ChotsoError, rounds: int) -> None:
    _LOG.error("%s", error)
    if rounds < _TOLD_AFTER_ROUNDS or isinstance(error, BusyError):
        return
    night = newest_due(wall_clock())
    fault = Fault(
        kind="task_failed",
        subject="watch",
        business_date=night,
        what=f"The watch sees nothing: {error.what}",
        kept=error.kept,
        next_step=error.next_step,
    )
    try:
        _without_warehouse(settings, night, [fault], None, _routes(settings))
    except Exception as another:
        _LOG.error("it could not be told: %s", in_words(another, "The telling").what)


def last_look(settings: Settings) -> float | None:
    """Seconds since any watch of this home looked; None if none ever did."""
    try:
        return max(0.0, time.time() - (settings.home / "watch" / "looked").stat().st_mtime)
    except OSError:
        return None


def _with_warehouse(
    settings: Settings, diagnosis: Diagnosis, failure: Fault | None, routes: list[Route]
) -> list[Incident]:
    names = [route.name for route in routes]
    with connect(settings) as conn, hold(conn, LOCK, _TURN_S):
        with remembered(settings.home) as told:
            if told:
                write_down(conn, told, names)
        incidents.record(conn, diagnosis, names)
        if failure is not None:
            incidents.note_failure(conn, failure, diagnosis, names)
        _send_due(conn, routes)
        return incidents.listed(conn)


def _without_warehouse(
    settings: Settings,
    night: date,
    causes: list[Fault],
    failure: Fault | None,
    routes: list[Route],
) -> None:
    """Tell what is wrong without the ledger; each route is told of each cause once.

    A failure is counted into the cause that explains it, and is told if there is none. A route that
    fails is told of on the others.
    """
    with remembered(settings.home) as told:
        if failure is not None:
            cause = next((each for each in causes if explained(failure, each)), failure)
            is_new = _key(cause) not in told and cause is failure
            _known(told, cause).fault_count += 0 if is_new else 1
            causes = causes if cause in causes else [*causes, cause]
        failing = _tell_each(told, causes, routes)
        broken = [notices.failed(night, *each) for each in failing.items()]
        _tell_each(told, broken, [each for each in routes if each.name not in failing])


def _key(fault: Fault) -> str:
    return "/".join(fault.key)


def _known(told: dict[str, Told], fault: Fault) -> Told:
    return told.setdefault(_key(fault), Told(fault, wall_clock()))


def _tell_each(told: dict[str, Told], causes: list[Fault], routes: list[Route]) -> dict[str, str]:
    """Tell the routes that were not told yet; returns those that failed, each with why."""
    failing: dict[str, str] = {}
    for cause in causes:
        each = _known(told, cause)
        for route in routes:
            if route.name in each.routes:
                continue
            if error := _error_of(route, each.as_incident(), "opened"):
                failing[route.name] = f"The route {route.name} does not work: {error}"
            else:
                each.routes.append(route.name)
    return failing


def _send_due(conn: psycopg.Connection, routes: list[Route]) -> None:
    """Send every notice that is not sent yet; what fails is tried again in the next round."""
    by_name = {route.name: route for route in routes}
    due = conn.execute(_DUE, [list(by_name)]).fetchall()
    conn.commit()
    for incident_id, event, name in due:
        error = _error_of(by_name[name], incidents.one(conn, incident_id), event)
        conn.execute(
            "update ops.incident_notice "
            "set sent_at = case when %(error)s::text is null then clock_timestamp() end, "
            "error = %(error)s, try_count = try_count + 1 "
            "where incident_id = %(id)s and event = %(event)s and route = %(route)s",
            {"error": error, "id": incident_id, "event": event, "route": name},
        )
        conn.commit()


def _error_of(route: Route, incident: Incident, event: Event) -> str | None:
    """Send; the error as text, None if it was sent. Routes are others' programs: any error."""
    try:
        route.send(incident, event)
    except Exception as error:
        told = masked(f"{type(error).__name__}: {error}")
        _LOG.warning("route %s: %s", route.name, told)
        return told[:500]
    return None


def _routes(settings: Settings) -> list[Route]:
    """The routes; if their file is wrong, those that need no file (the watch sees that, too)."""
    try:
        return routes_of(settings)
    except ChotsoError as error:
        _LOG.error("%s", error)
        return routes_of(settings.model_copy(update={"alert_routes_file": None}))


def _touch(settings: Settings, name: str) -> None:
    """Leave a time for others to see: `looked` of any round, `loop` of those of `watch_on`."""
    path = settings.home / "watch" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch()
    except OSError as error:
        _LOG.warning("%s cannot be touched: %s", path, error.strerror)
