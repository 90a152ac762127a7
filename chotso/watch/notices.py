"""A look at the routes themselves: one that fails is told of on the others."""

from collections.abc import Iterator
from datetime import date

import psycopg

from chotso.calendar import local_minute
from chotso.errors import ChotsoError
from chotso.watch.fault import Fault
from chotso.watch.moment import Moment
from chotso.watch.routes import routes_of

_UNSENT = """
select
    route, count(*), min(due_at),
    (array_agg(error order by due_at desc) filter (where error is not null))[1]
from ops.incident_notice
inner join ops.incident using (incident_id)
where sent_at is null and route = any(%s)
    and (event <> 'ended' or ended_at is not null)
group by route
having max(try_count) > 0 -- the rest waits for the route
order by route
"""


def routes(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Routes whose last notices could not be sent, and a file of routes that cannot be read."""
    try:
        names = [route.name for route in routes_of(moment.settings)]
    except ChotsoError as error:
        yield _fault(moment.night, "CHOTSO_ALERT_ROUTES_FILE", error.what, error.next_step)
        return
    for name, count, since, why in conn.execute(_UNSENT, [names]).fetchall():
        told = f"{count} notices could not be sent on the route {name}"
        yield failed(moment.night, name, f"{told} since {local_minute(since)}: {why}")


def failed(night: date, name: str, what: str) -> Fault:
    """A route that does not take what it is sent.

    Args:
        night: The business date whose night was the last to be due.
        name: The route's name.
        what: What could not be sent, and why.
    """
    return _fault(
        night,
        name,
        what,
        "mend the route (its line in the file of CHOTSO_ALERT_ROUTES_FILE, or "
        "CHOTSO_ALERT_WEBHOOK) or the service behind it; what is due is sent again each minute",
    )


def _fault(night: date, name: str, what: str, next_step: str) -> Fault:
    return Fault(
        kind="route_failed",
        subject=name,
        business_date=night,
        what=what,
        kept="incidents are written down and told on the other routes.",
        next_step=next_step,
    )
