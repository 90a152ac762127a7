"""A look at the routes themselves: one that fails is told of on the others."""

from collections.abc import Iterator

import psycopg

from chotso.errors import ChotsoError
from chotso.watch.fault import Fault
from chotso.watch.moment import Moment
from chotso.watch.routes import routes_of

_UNSENT = """
select route, count(*), min(due_at), (array_agg(error order by due_at desc))[1]
from ops.incident_notice
where sent_at is null and try_count > 0 and route = any(%s)
group by route
order by route
"""


def routes(moment: Moment, conn: psycopg.Connection) -> Iterator[Fault]:
    """Routes whose last notices could not be sent, and a file of routes that cannot be read."""
    try:
        names = [route.name for route in routes_of(moment.settings)]
    except ChotsoError as error:
        yield _fault(moment, "CHOTSO_ALERT_ROUTES_FILE", error.what, error.next_step)
        return
    for name, count, since, why in conn.execute(_UNSENT, [names]).fetchall():
        yield _fault(
            moment,
            name,
            f"{count} notices could not be sent on the route {name} since "
            f"{since.isoformat(timespec='minutes')}: {why}",
            "mend the route (its line in the file of CHOTSO_ALERT_ROUTES_FILE, or "
            "CHOTSO_ALERT_WEBHOOK) or the service behind it; what is due is sent again each minute",
        )


def _fault(moment: Moment, name: str, what: str, next_step: str) -> Fault:
    return Fault(
        kind="route_failed",
        subject=name,
        business_date=moment.night,
        what=what,
        kept="incidents are written down and told on the other routes.",
        next_step=next_step,
    )
