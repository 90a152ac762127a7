"""A round of the watch: judge, write down, tell. It may run anywhere, at any time, side by side."""

import logging
import os
import time
from dataclasses import dataclass

import psycopg

from chotso.errors import BusyError, ChotsoError
from chotso.masking import masked
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from chotso.watch import incidents
from chotso.watch.away import Told, remembered, write_down
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.incident import Event, Incident
from chotso.watch.incidents import LOCK
from chotso.watch.judge import Diagnosis, judge
from chotso.watch.moment import wall_clock
from chotso.watch.routes import Route, routes_of

_LOG = logging.getLogger(__name__)
_TURN_S = 30.0  # how long another watch is waited for
_DUE = """
select notice.incident_id, notice.event, notice.route
from ops.incident_notice as notice
where notice.sent_at is null and notice.route = any(%s)
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
    routes = _routes(settings)
    diagnosis = judge(settings, failure)
    failed = diagnosis.moment.of_task(failure) if failure else None
    if diagnosis.is_warehouse_there:
        try:
            found = _with_warehouse(settings, diagnosis, failed, routes)
        except BusyError:
            raise
        except ChotsoError as error:
            _LOG.warning("%s", error)
            _without_warehouse(settings, diagnosis, failed, routes)
            found = []
    else:
        _without_warehouse(settings, diagnosis, failed, routes)
        found = []
    _beat(settings)
    return Round(diagnosis, found)


def look_quietly(settings: Settings) -> None:
    """Look once at the end of a step that went well; whatever goes wrong here is only logged."""
    try:
        look_once(settings)
    except (ChotsoError, psycopg.Error) as error:
        _LOG.warning("the watch did not look: %s", error)


def closed(settings: Settings, incident_id: int, by: str, reason: str) -> Incident:
    """Close an incident by a person's word, and say so."""
    routes = _routes(settings)
    with connect(settings) as conn, hold(conn, LOCK, _TURN_S):
        found = incidents.close(conn, incident_id, by, reason, [route.name for route in routes])
        _send_due(conn, routes)
    return found


def watch_on(settings: Settings, every_s: float) -> None:
    """Look again and again, until the process is ended; an error of one round ends no other."""
    while True:
        started = time.monotonic()
        try:
            told = look_once(settings)
            causes = [f"{each.kind} ({each.subject})" for each in told.diagnosis.causes]
            _LOG.info("looked: %s", ", ".join(causes) or "all is well")
        except ChotsoError as error:
            _LOG.error("%s", error)
        except psycopg.Error:
            _LOG.exception("this round failed")
        time.sleep(max(1.0, every_s - (time.monotonic() - started)))


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
                write_down(conn, told)
        incidents.record(conn, diagnosis, names)
        if failure is not None:
            incidents.note_failure(conn, failure, diagnosis, names)
        _send_due(conn, routes)
        return incidents.listed(conn)


def _without_warehouse(
    settings: Settings, diagnosis: Diagnosis, failure: Fault | None, routes: list[Route]
) -> None:
    """Tell what is wrong without the ledger; each route is told of each cause once."""
    with remembered(settings.home) as told:
        for cause in diagnosis.causes:
            key = "/".join(cause.key)
            each = told.setdefault(key, Told(cause, wall_clock()))
            for route in routes:
                if route.name not in each.routes and _sent(route, each.as_incident(), "opened"):
                    each.routes.append(route.name)
    if failure is not None:
        _LOG.error("%s\nNext: %s", failure.what, failure.next_step)


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


def _sent(route: Route, incident: Incident, event: Event) -> bool:
    return _error_of(route, incident, event) is None


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


def _beat(settings: Settings) -> None:
    path = settings.home / "watch" / "looked"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch()
    os.utime(path)
