"""Shows what runs at the moment: which feed or model, and for how long."""

import re
import time
from collections.abc import Callable

from chotso.errors import ChotsoError
from chotso.settings import Settings
from chotso.warehouse.connect import connect

# The queries of our sessions in this database. dbt writes the node's name into a comment of its
# query. Most queries are short, so one that has just ended counts, too.
_RUNNING_SQL = """
select 'batch' as kind, feed as what, null::text as query, started_at as since
from ops.batch
where status = 'running'
union all
select 'build', 'the build into ' || target_schema, null, started_at
from ops.build
where status = 'running'
union all
select 'session', application_name, query, query_start
from pg_catalog.pg_stat_activity
where
    (state = 'active' or state_change > clock_timestamp() - interval '1 second')
    and datname = pg_catalog.current_database()
    and pid <> pg_catalog.pg_backend_pid()
    and query ~ '"node_id": "'
order by kind, since
"""
_NODE = re.compile(r'"node_id": "(?P<kind>\w+)\.\w+\.(?P<name>\w+)')
_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_LOOKS = 1.0


def running(settings: Settings) -> list[tuple[str, float]]:
    """What runs in the warehouse now and for how many seconds, e.g. `("feed c12", 3.2)`.

    A build, its models and its tests are preferred: when one runs, the feeds are published.
    """
    with connect(settings) as conn:
        rows = conn.execute(
            f"select kind, what, query, extract(epoch from clock_timestamp() - since) "
            f"from ({_RUNNING_SQL}) as found"
        ).fetchall()
    built: list[tuple[str, float]] = []
    waiting: dict[str, list[float]] = {}
    for kind, what, query, age in rows:
        seconds = float(age)
        if kind == "batch":
            waiting.setdefault(what, []).append(seconds)
        elif kind == "build":
            built.append((what, seconds))
        elif node := _NODE.search(query):
            built.append((f"{node['kind']} {node['name']}", seconds))
    return built or [(_feed(feed, len(ages)), max(ages)) for feed, ages in waiting.items()]


def _feed(feed: str, batches: int) -> str:
    return f"feed {feed}" if batches == 1 else f"feed {feed}, {batches:,} batches to publish"


class Watcher:
    """Reports what runs while somebody waits, but not too often.

    Args:
        settings: Where the warehouse is.
        tell: Is called with a sentence, and whether it deserves a line of its own.
    """

    def __init__(self, settings: Settings, tell: Callable[[str, bool], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._looked_at = 0.0
        self._told_at = time.monotonic()

    def look(self) -> None:
        """Look once, unless the last look was just before; an unreachable warehouse is ignored."""
        now = time.monotonic()
        if now - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return
        self._looked_at = now
        try:
            found = running(self._settings)
        except ChotsoError:
            return
        if not found:
            return
        is_line = now - self._told_at >= _SECONDS_BETWEEN_LINES
        if is_line:
            self._told_at = now
        self._tell(", ".join(f"{what} ({seconds:.0f} s)" for what, seconds in found[:3]), is_line)
