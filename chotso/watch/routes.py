"""How people are told: a file of this machine, a webhook, and whatever apprise can reach.

`CHOTSO_ALERT_ROUTES_FILE` names a file that nobody else may read, with a route per line: an URL of
apprise (`mailto://…`, `slack://…`, `tgram://…`, `msteams://…`, `pagerduty://…`, `json://…`), with a
name before it if it has one. `CHOTSO_ALERT_WEBHOOK` gets the incident as a JSON object by POST.
Names of routes are stored and shown, URLs never.
"""

import errno
import json
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from chotso.calendar import LOCAL_ZONE, local_minute
from chotso.errors import ChotsoError
from chotso.masking import masked, remember
from chotso.settings import Settings
from chotso.watch.callbacks import FILE_NAME
from chotso.watch.incident import Event, Incident

TIMEOUT_S = 10.0
_OUR_NAMES = ("file", "webhook")  # a notice is known by its route's name: each is one route's
_LARGEST_BYTES = 10_000_000  # of the file of this machine; one earlier file is kept
_EVENTS = {"opened": "new", "worse": "worse", "again": "came back", "ended": "over"}
_EVENTS_VI = {"opened": "mới", "worse": "nặng hơn", "again": "tái diễn", "ended": "đã hết"}


@dataclass(frozen=True)
class Route:
    """A way to tell people; `send` raises an error that says why it failed."""

    name: str
    send: Callable[[Incident, Event], None]


def routes_of(settings: Settings) -> list[Route]:
    """The configured routes; the file of this machine is always the first.

    Raises:
        ChotsoError: The file of routes cannot be read, can be read by others, or has a wrong line.
    """
    alerts = settings.home / FILE_NAME
    found = [Route("file", lambda incident, event: _append(alerts, incident, event))]
    if settings.alert_webhook:
        url = settings.alert_webhook
        remember(url)
        found.append(Route("webhook", lambda incident, event: _post(url, incident, event)))
    if settings.alert_routes_file:
        found += _of_file(settings.alert_routes_file)
    return found


def as_json(incident: Incident, event: Event) -> dict[str, Any]:
    """The incident as the webhook and the file get it; instants are local, in ISO 8601."""
    at = incident.ended_at if event == "ended" and incident.ended_at else incident.last_seen_at
    return {
        "at": at.astimezone(LOCAL_ZONE).isoformat(timespec="seconds"),
        "event": event,
        "incident_id": incident.incident_id,
        "kind": incident.kind,
        "subject": incident.subject,
        "severity": incident.severity,
        "title": incident.title,
        "title_vi": incident.title_vi,
        "business_date": incident.business_date.isoformat(),
        "period_id": incident.period_id,
        "opened_at": incident.opened_at.astimezone(LOCAL_ZONE).isoformat(timespec="seconds"),
        "what": incident.what,
        "kept": incident.kept,
        "next_step": incident.next_step,
        "dag_id": incident.dag_id,
        "task_id": incident.task_id,
        "log_url": incident.log_url,
        "fault_count": incident.fault_count,
        "runbook": runbook(incident.kind),
        "end_reason": incident.end_reason if event == "ended" else None,
    }


def runbook(kind: str) -> str:
    """Path of the page that says what to do, in the project."""
    return f"docs/runbooks/{kind.replace('_', '-')}.md"


def title_of(incident: Incident, event: Event) -> str:
    """One line: severity, what, which night."""
    return (
        f"[{incident.severity}] {incident.title_vi} — {incident.title} "
        f"({_EVENTS_VI[event]} — {_EVENTS[event]}), {incident.business_date}"
    )


def text_of(incident: Incident, event: Event) -> str:
    """What people read in a message."""
    lines = [incident.what]
    if event == "ended":
        lines += [f"Over: {incident.end_reason} ({incident.ended_by})."]
    else:
        lines += [f"Kept: {incident.kept}"] if incident.kept else []
        lines += [f"Next: {incident.next_step}"]
    place = [name for name in (incident.dag_id, incident.task_id) if name]
    lines += [f"Airflow: {' / '.join(place)}"] if place else []
    lines += [f"Log: {incident.log_url}"] if incident.log_url else []
    lines += [
        f"Since {local_minute(incident.opened_at)}, faults: {incident.fault_count}",
        f"Runbook: {runbook(incident.kind)}",
        f"chotso incidents acknowledge {incident.incident_id} --by NAME",
    ]
    return "\n".join(lines)


def _append(path: Path, incident: Incident, event: Event) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGEST_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    line = json.dumps(as_json(incident, event), ensure_ascii=False) + "\n"
    # One write in append mode, so that lines of several processes do not mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        if os.write(descriptor, line.encode()) < len(line.encode()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def _post(url: str, incident: Incident, event: Event) -> None:
    # httpx's own texts quote the URL in another form, which the mask of secrets does not know
    try:
        answer = httpx.post(url, json=as_json(incident, event), timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"the webhook did not answer ({type(error).__name__})") from None
    if not answer.is_success:
        raise OSError(f"the webhook answered {answer.status_code} {answer.reason_phrase}")


def _of_file(path: Path) -> list[Route]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(getattr(error, "strerror", None) or error)) from error
    if mode & 0o077:
        raise _unreadable(path, f"can be read by others (mode {mode:o}): it holds secrets")
    found: dict[str, Route] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        route = _apprise(path, number, line.split())
        if route.name in found or route.name in _OUR_NAMES or "://" in route.name:
            why = "the name of another route, of one of ours (file, webhook), or a second URL"
            raise _unreadable(path, f"has a line {number} whose name is {why}")
        found[route.name] = route
    return list(found.values())


def _apprise(path: Path, number: int, parts: list[str]) -> Route:
    import apprise  # takes half a second, and only whoever sends needs it

    url = parts[-1]
    remember(url)
    logging.getLogger("apprise").propagate = False  # it logs an URL that it does not know
    name = parts[0] if len(parts) == 2 else f"{url.split(':')[0]}-{_short(url)}"
    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if len(parts) > 2 or service is None:
        raise _unreadable(path, f"has a line {number} that is no `NAME URL` that apprise knows")

    def send(incident: Incident, event: Event) -> None:
        with apprise.LogCapture(level=30) as said:  # type: ignore[no-untyped-call]
            sent = service.notify(
                title=title_of(incident, event),
                body=text_of(incident, event),
                notify_type=_type(incident, event),
                body_format=apprise.NotifyFormat.TEXT,
            )
            if not sent:
                why = " ".join(said.getvalue().split())[-300:]
                raise OSError(masked(why) or f"{name} did not take the message")

    return Route(name, send)


def _type(incident: Incident, event: Event) -> str:
    if event == "ended":
        return "success"
    return "warning" if incident.severity == "warning" else "failure"


def _short(url: str) -> str:
    return sha256(url.encode()).hexdigest()[:6]


def _unreadable(path: Path, why: str) -> ChotsoError:
    return ChotsoError(
        f"CHOTSO_ALERT_ROUTES_FILE names {path}, which {why}.",
        kept="incidents are written down; nobody is told of them.",
        next_step="mend the file: mode 600, a line `NAME URL` per route (docs/watch.md).",
    )
