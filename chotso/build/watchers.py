"""The watchers of a build's models and tests."""

from chotso.build import lineage
from chotso.build.node_ledger import NodeLedger
from chotso.build.node_log import NodeLog
from chotso.build.node_spans import NodeSpans
from chotso.build.nodes import NodeWatcher
from chotso.settings import Settings
from chotso.telemetry import Step


def watchers(settings: Settings, build_id: int, schema: str, step: Step) -> list[NodeWatcher]:
    """The log, the ledger, telemetry, and a receiver of lineage if there is one."""
    return [
        NodeLog(),
        NodeLedger(settings, build_id),
        NodeSpans(step),
        *lineage.receivers(settings, schema),
    ]
