"""Suppresses dbt's debug events, except the two that `chotso.build.nodes` uses.

A build has thousands of debug events. dbt makes a message of each, with the whole node, before it
checks whether anybody listens. That took a sixth of a build's Python time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WATCHED = ("NodeStart", "NodeFinished")  # debug events that `chotso.build.nodes` uses


@contextmanager
def only_told() -> Iterator[None]:
    """Suppress dbt's debug events in the block, except those that are watched."""
    from dbt_common.events import event_manager_client as client
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.event_manager import EventManager

    class OnlyTold(EventManager):
        def fire_event(self, e: Any, level: Any = None, *args: Any, **named: Any) -> None:
            is_debug = (level or e.level_tag()) == EventLevel.DEBUG
            if not is_debug or type(e).__name__ in WATCHED:
                super().fire_event(e, level, *args, **named)

    before = client.get_event_manager()
    client.ctx_set_event_manager(OnlyTold())
    try:
        yield
    finally:
        client.ctx_set_event_manager(before)
