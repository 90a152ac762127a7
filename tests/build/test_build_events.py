"""dbt makes a message only of an event that somebody is told of."""

from typing import Any

from dbt.events.types import NodeStart
from dbt_common.events import event_manager_client as client
from dbt_common.events.base_types import EventLevel
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note

from chotso.build.events import only_told


def test_nobody_is_told_of_debug_events_but_of_nodes() -> None:
    before, told = client.get_event_manager(), list[Any]()
    with only_told():
        client.add_callback_to_manager(told.append)
        fire_event(Note(msg="for nobody"), level=EventLevel.DEBUG)
        fire_event(Note(msg="for people"))
        fire_event(NodeStart(node_info={"unique_id": "model.chotso.one"}))
    assert [(event.info.name, event.info.level) for event in told] == [
        ("Note", "info"),
        ("NodeStart", "debug"),
    ]
    assert client.get_event_manager() is before
