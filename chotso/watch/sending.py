"""How a round sends: on every route, until the route fails for the first time."""

import logging
from dataclasses import dataclass, field

import psycopg

from chotso.masking import masked
from chotso.watch import incidents
from chotso.watch.incident import Event, Incident
from chotso.watch.routes import Route

_LOG = logging.getLogger(__name__)
# An end that could not be sent waits while the incident is open again. A route that refuses one
# incident alone gets the others: what was tried often comes last.
_DUE = """
select notice.incident_id, notice.event, notice.route
from ops.incident_notice as notice
inner join ops.incident as incident on notice.incident_id = incident.incident_id
where notice.sent_at is null and notice.route = any(%s)
    and (notice.event <> 'ended' or incident.ended_at is not null)
order by
    max(notice.try_count) over (partition by notice.incident_id, notice.route) >= 10,
    notice.due_at, notice.incident_id, notice.event
"""


@dataclass
class Sending:
    """The routes of one round.

    A route that failed is not tried again in that round: each try may take ten seconds, in which
    the other routes wait.

    Attributes:
        routes: All of them.
        failing: Those that failed in this round, by their names, each with why.
    """

    routes: list[Route]
    failing: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of all routes."""
        return [each.name for each in self.routes]

    def send(self, name: str, incident: Incident, event: Event) -> str | None:
        """Send; the error as text, None if it was sent. Routes are others' programs: any error."""
        route = next(each for each in self.routes if each.name == name)
        try:
            route.send(incident, event)
        except Exception as error:
            told = masked(f"{type(error).__name__}: {error}")[:500]
            _LOG.warning("route %s: %s", name, told)
            self.failing[name] = told
            return told
        return None


def send_due(conn: psycopg.Connection, sending: Sending) -> None:
    """Send every notice that is not sent yet; what fails is tried again in the next round."""
    due = conn.execute(_DUE, [sending.names]).fetchall()
    conn.commit()
    for incident_id, event, name in due:
        if name in sending.failing:
            continue
        error = sending.send(name, incidents.one(conn, incident_id), event)
        conn.execute(
            "update ops.incident_notice "
            "set sent_at = case when %(error)s::text is null then clock_timestamp() end, "
            "error = %(error)s, try_count = try_count + 1 "
            "where incident_id = %(id)s and event = %(event)s and route = %(route)s",
            {"error": error, "id": incident_id, "event": event, "route": name},
        )
        conn.commit()
