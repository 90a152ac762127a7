"""Who is told of the models and tests of a build."""

from chotso.build.node_ledger import NodeLedger
from chotso.build.node_log import NodeLog
from chotso.build.node_spans import NodeSpans
from chotso.build.nodes import Watcher
from chotso.settings import Settings
from chotso.telemetry import Step


def watchers(settings: Settings, build_id: int, step: Step) -> list[Watcher]:
    """The log, the ledger and telemetry."""
    return [NodeLog(), NodeLedger(settings, build_id), NodeSpans(step)]
