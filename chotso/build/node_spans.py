"""The models and tests of a build as spans and metrics (chotso.telemetry)."""

from chotso.build.nodes import Node, NodeWatcher
from chotso.telemetry import OK, Step

_WELL = ("success", "pass", "warn")


class NodeSpans(NodeWatcher):
    """Reports each node that has ended as a child span of the build."""

    def __init__(self, build: Step) -> None:
        self._build = build

    def ended(self, node: Node) -> None:
        """Report one node."""
        status = OK if node.status in _WELL else node.status
        self._build.node(node.kind, node.name, node.began_at, node.seconds, status, node.rows)
