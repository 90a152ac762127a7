"""Reports each model and test of a build to watchers, when it starts and when it ends.

dbt calls a watcher from its own threads, so the watcher must be quick. Slow work belongs in `tick`,
which a separate thread calls every second. A watcher that fails is dropped; the build goes on.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from chotso.build.events import WATCHED
from chotso.masking import masked, without_values

_LOG = logging.getLogger(__name__)
_KINDS = ("model", "test")
_BETWEEN_TICKS_S = 1.0
_LONGEST_MESSAGE = 300
_TOLD_LINES = 2  # what dbt was doing, and what the server said; after these come values of rows
_WELL = ("success", "pass")


@dataclass(frozen=True)
class Node:
    """A model or test in one build, while it runs or when it has ended.

    Attributes:
        name: The model's name; the test's name, which is unique in the project too.
        kind: `model` or `test`.
        model: The model itself, or the one that a test is about.
        parsed: The node in dbt's manifest, with its relation, columns and compiled SQL.
        reads: The models and sources that it reads, as in the manifest.
        began_at: `time.time_ns()` at its start.
        began: `time.monotonic()` at its start.
        status: `running`, then dbt's word.
        ended: `time.monotonic()` at its end.
        rows: Rows of a model, or rows that fail a test.
        message: Why it failed, without values.
    """

    name: str
    kind: str
    model: str | None
    parsed: Any
    began_at: int
    began: float
    status: str = "running"
    ended: float | None = None
    rows: int | None = None
    message: str | None = None
    reads: tuple[Any, ...] = ()

    @property
    def seconds(self) -> float:
        """Seconds from its start to its end, or until now."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    @property
    def is_bad(self) -> bool:
        """Whether it failed or could not be run."""
        return self.status in ("fail", "error", "runtime error")


class NodeWatcher:
    """The interface of watchers; its methods do nothing unless a subclass overrides them."""

    def started(self, node: Node) -> None:
        """A node has started; called in one of dbt's threads."""

    def ended(self, node: Node) -> None:
        """A node has ended; called in one of dbt's threads."""

    def tick(self) -> None:
        """A second has passed; called in a thread of this watcher's own."""

    def close(self) -> None:
        """The run of dbt has ended, well or not."""


class Nodes:
    """A callback for dbt that passes its events on models and tests to watchers."""

    def __init__(self, manifest: Any, watchers: Sequence[NodeWatcher]) -> None:
        self._parsed = {} if manifest is None else {**manifest.sources, **manifest.nodes}
        self._running: dict[str, Node] = {}
        self._watchers = set(watchers)

    def __call__(self, event: Any) -> None:
        """Take one event of dbt."""
        started, finished = WATCHED
        if event.info.name == started:
            self._start(event.data.node_info)
        elif event.info.name == finished:
            self._end(event.data.node_info, event.data.run_result)

    def tell(self, watcher: NodeWatcher, what: str, *told: Node) -> None:
        """Call one method of a watcher; a watcher that failed once is not called again."""
        if watcher not in self._watchers:
            return
        try:
            getattr(watcher, what)(*told)
        except Exception:
            self._watchers.discard(watcher)
            _LOG.warning("%s stopped watching", type(watcher).__name__, exc_info=True)

    def tell_all(self, what: str, *told: Node) -> None:
        """Call one method of every watcher."""
        for watcher in tuple(self._watchers):
            self.tell(watcher, what, *told)

    def _start(self, info: Any) -> None:
        if info.resource_type not in _KINDS:
            return
        parsed = self._parsed.get(info.unique_id)
        reads = [self._parsed.get(name) for name in parsed.depends_on.nodes] if parsed else []
        node = Node(
            name=info.unique_id.split(".")[2],
            kind=info.resource_type,
            model=_model_of(info, parsed),
            parsed=parsed,
            began_at=time.time_ns(),
            began=time.monotonic(),
            reads=tuple(each for each in reads if each is not None),
        )
        self._running[info.unique_id] = node
        self.tell_all("started", node)

    def _end(self, info: Any, result: Any) -> None:
        node = self._running.pop(info.unique_id, None)
        if node is None:
            return
        status = str(result.status)
        done = replace(
            node,
            status=status,
            ended=time.monotonic(),
            rows=_rows(node.kind, result),
            message=None if status in _WELL else reason_of(result.message),
        )
        self.tell_all("ended", done)


@contextmanager
def reported(manifest: Any, watchers: Sequence[NodeWatcher]) -> Iterator[Nodes]:
    """A callback for dbt that reports nodes to the watchers during the block."""
    nodes, done = Nodes(manifest, watchers), threading.Event()

    def tick(watcher: NodeWatcher) -> None:
        while not done.wait(_BETWEEN_TICKS_S):
            nodes.tell(watcher, "tick")

    tickers = [threading.Thread(target=tick, args=(each,), daemon=True) for each in watchers]
    for ticker in tickers:
        ticker.start()
    try:
        yield nodes
    finally:
        done.set()
        for ticker in tickers:
            ticker.join()
        nodes.tell_all("close")


def _model_of(info: Any, parsed: Any) -> str | None:
    if info.resource_type == "model":
        return str(info.node_name)
    attached = getattr(parsed, "attached_node", None)
    read = [attached] if attached else list(parsed.depends_on.nodes) if parsed else []
    return read[0].split(".")[2] if read else None


def _rows(kind: str, result: Any) -> int | None:
    if kind == "test":
        return int(result.num_failures) if result.status in ("pass", "warn", "fail") else None
    affected = dict(result.adapter_response).get("rows_affected", -1)
    return int(affected) if affected >= 0 else None


def reason_of(message: str) -> str | None:
    """What dbt was doing and what the server said, without values of rows; None if nothing."""
    lines = [line.strip() for line in message.splitlines() if line.strip()][:_TOLD_LINES]
    told = " ".join(without_values(line) for line in lines)
    return masked(told)[:_LONGEST_MESSAGE] or None
