"""The task's log of a build: each model and test as it happens."""

import logging
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from chotso.build.nodes import Node, NodeWatcher

_LOG = logging.getLogger(__name__)
_SAY_AGAIN_S = 30.0
_SLOW_TEST_S = 1.0


class NodeLog(NodeWatcher):
    """Logs each model's start and end, tests that fail or are slow, and what is still running."""

    def __init__(self) -> None:
        self._running: dict[str, Node] = {}
        self._said: dict[str, float] = {}

    def started(self, node: Node) -> None:
        """Log the start of a model."""
        self._running[node.name] = node
        if node.kind == "model":
            _LOG.info("%s: started", _named(node))

    def ended(self, node: Node) -> None:
        """Log the end of a model; of a test, if it failed or was slow."""
        self._running.pop(node.name, None)
        if node.is_bad:
            _LOG.error("%s", "; ".join(_failure(node)))
        elif node.kind == "model" or node.status == "warn" or node.seconds > _SLOW_TEST_S:
            _LOG.info("%s: %s, %s", _named(node), node.status, _measured(node))

    def tick(self) -> None:
        """Log what has been running for another half minute."""
        now = time.monotonic()
        for node in list(self._running.values()):
            if now - self._said.get(node.name, node.began) >= _SAY_AGAIN_S:
                self._said[node.name] = now
                _LOG.info("still running: %s for %.0f s", _named(node), node.seconds)


def _named(node: Node) -> str:
    return f"test {node.name} of {node.model}" if node.kind == "test" else f"model {node.name}"


def _measured(node: Node) -> str:
    rows = "" if node.rows is None or node.kind == "test" else f"{node.rows:,} rows, "
    return f"{rows}{node.seconds:.1f} s"


def _failure(node: Node) -> Iterator[str]:
    if node.status != "fail":
        yield f"{_named(node)}: {node.status} after {node.seconds:.1f} s: {node.message}"
        return
    yield f"{_named(node)}: {node.rows:,} failing rows, {node.seconds:.1f} s"
    compiled = getattr(node.parsed, "compiled_path", None)
    if compiled:
        yield (
            'to see them: psql "$CHOTSO_WAREHOUSE_URL" -c "set role chotso_loader" '
            f"-f {shlex.quote(str(Path(compiled)))}"
        )
