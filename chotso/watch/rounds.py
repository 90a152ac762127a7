"""A round of the watch: judge, write down, tell. It may run anywhere, at any time, side by side."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from chotso.errors import BusyError, ChotsoError, frames_of
from chotso.orchestration.due import newest_due
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from chotso.warehouse.refused import in_words
from chotso.watch import incidents, notices
from chotso.watch.away import (
    Told,
    is_told_here,
    note_told_here,
    reached,
    remembered,
    write_down,
)
from chotso.watch.fault import Fault, TaskFailure
from chotso.watch.handed import Handed, handed_over
from chotso.watch.incident import Incident
from chotso.watch.incidents import LOCK
from chotso.watch.judge import Diagnosis, explained, judge
from chotso.watch.moment import wall_clock
from chotso.watch.places import warehouse_away
from chotso.watch.routes import Route, routes_of
from chotso.watch.sending import Sending, send_due

_LOG = logging.getLogger(__name__)
_TURN_S = 30.0  # how long another watch is waited for
_TOLD_AFTER_ROUNDS = 2
_AHEAD_S = 60.0  # what clocks may differ by


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
    sending = Sending(_routes(settings))
    suspects: list[Handed] = []
    for earlier in handed_over(settings.home):
        try:
            _look(settings, earlier.failure, sending)
        except BusyError:
            raise
        except Exception as error:  # one bad file stops no telling
            _LOG.error("%s: a look with it failed:\n%s", earlier.path, frames_of(error))
            suspects.append(earlier)
        else:
            earlier.forget()
    try:
        found = _look(settings, failure, sending)
    except BusyError:
        raise
    except Exception:
        _send_what_is_due(settings, sending)
        raise
    for each in suspects:  # a look goes well without it
        each.set_aside()
    return found


def _look(settings: Settings, failure: TaskFailure | None, sending: Sending) -> Round:
    diagnosis = judge(settings, failure)
    failed = diagnosis.moment.of_task(failure) if failure else None
    found: list[Incident] = []
    if not diagnosis.is_warehouse_there:
        _without_warehouse(settings, diagnosis.moment.night, diagnosis.causes, failed, sending)
    else:
        try:
            found = _with_warehouse(settings, diagnosis, failed, sending)
        except BusyError:
            raise
        except ChotsoError as error:  # it went away since; the ledger knows what else was told
            causes = [warehouse_away(error, diagnosis.moment)]
            _without_warehouse(settings, diagnosis.moment.night, causes, failed, sending)
    _touch(settings, "looked")
    return Round(diagnosis, found)


def _send_what_is_due(settings: Settings, sending: Sending) -> None:
    """After a look that failed: what earlier looks found is told all the same."""
    try:
        with connect(settings) as conn, hold(conn, LOCK, _TURN_S):
            send_due(conn, sending)
    except Exception as error:
        _LOG.error("what is due is not sent: %s", in_words(error, "The telling").what)


def look_quietly(settings: Settings) -> None:
    """Look once at the end of a step that went well; whatever goes wrong here is only logged."""
    try:
        look_once(settings)
    except Exception as error:
        _LOG.warning("the watch did not look: %s", in_words(error, "A round of the watch").what)


def closed(settings: Settings, incident_id: int, by: str, reason: str) -> Incident:
    """Close an incident by a person's word, and say so."""
    sending = Sending(_routes(settings))
    with connect(settings) as conn, hold(conn, LOCK, _TURN_S):
        found = incidents.close(conn, incident_id, by, reason, sending.names)
        send_due(conn, sending)
    return found


def watch_on(load: Callable[[], Settings], every_s: float) -> None:
    """Look again and again, until the process is ended; an error of one round ends no other.

    An error that comes in two rounds one after the other is told on the routes, once.

    Args:
        load: Reads the settings; it is asked before each round, so that a password that was changed
            needs no other process.
        every_s: Seconds from one round's beginning to the next one's.

    Raises:
        ChotsoError: The settings cannot be read at the beginning.
    """
    settings = load()
    failed_rounds = 0
    while True:
        started = time.monotonic()
        try:
            settings = load()
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
        _without_warehouse(settings, night, [fault], None, Sending(_routes(settings)))
    except Exception as another:
        _LOG.error("it could not be told: %s", in_words(another, "The telling").what)


def last_look(settings: Settings) -> float | None:
    """Seconds since any watch of this home looked; None if none ever did.

    They are negative if the time lies more than a minute ahead: then it says nothing.
    """
    try:
        ago = time.time() - (settings.home / "watch" / "looked").stat().st_mtime
    except OSError:
        return None
    return ago if ago < -_AHEAD_S else max(0.0, ago)


def _with_warehouse(
    settings: Settings, diagnosis: Diagnosis, failure: Fault | None, sending: Sending
) -> list[Incident]:
    with connect(settings) as conn, hold(conn, LOCK, _TURN_S):
        with remembered(settings.home) as told:
            if told:
                write_down(conn, told, sending.names)
        incidents.record(conn, diagnosis, sending.names)
        if failure is not None:
            incidents.note_failure(conn, failure, diagnosis, sending.names)
        send_due(conn, sending)
        reached(settings.home)
        return incidents.listed(conn)


def _without_warehouse(
    settings: Settings,
    night: date,
    causes: list[Fault],
    failure: Fault | None,
    sending: Sending,
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
        _tell_each(settings.home, told, causes, sending)
        broken = [
            notices.failed(night, name, f"The route {name} does not work: {why}")
            for name, why in sending.failing.items()
        ]
        _tell_each(settings.home, told, broken, sending)


def _key(fault: Fault) -> str:
    return "/".join(fault.key)


def _known(told: dict[str, Told], fault: Fault) -> Told:
    return told.setdefault(_key(fault), Told(fault, fault.failed_at or wall_clock()))


def _tell_each(home: Path, told: dict[str, Told], causes: list[Fault], sending: Sending) -> None:
    """Tell the routes that were not told yet and that work."""
    for cause in causes:
        here = {name for name in sending.names if is_told_here(home, cause, name)}
        if _key(cause) not in told and here == set(sending.names):
            continue  # another process has written it down
        each = _known(told, cause)
        each.routes += sorted(here - set(each.routes))
        for name in sending.names:
            if name in each.routes or name in sending.failing:
                continue
            if sending.send(name, each.as_incident(), "opened") is None:
                each.routes.append(name)
                note_told_here(home, cause, name)


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
