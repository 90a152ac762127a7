"""Sends a build's models, columns and tests as OpenLineage events, if a receiver is configured.

In an Airflow task, the receiver is that of Airflow's OpenLineage provider. Elsewhere the variables
`OPENLINEAGE_URL`, `OPENLINEAGE__TRANSPORT__…` or `OPENLINEAGE_CONFIG` name it. OpenLineage's own
wrapper for dbt reads dbt's files after it has ended; here an event is sent while each node runs.
Without a receiver, OpenLineage is not imported.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any

from chotso.build.nodes import Node, NodeWatcher
from chotso.settings import Settings
from chotso.urls import one_host

_LOG = logging.getLogger(__name__)
_PRODUCER = "urn:chotso"
_VARIABLES = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT")
_WELL = ("success", "pass", "warn")
_AT_LAST_S = 30.0
Emit = Callable[[Any], None]


class NodeLineage(NodeWatcher):
    """Sends an event when a node starts and one when it has ended, within a run of the build."""

    def __init__(self, settings: Settings, schema: str, emit: Emit, parent: str | None) -> None:
        self._facts = _Facts(settings, schema, parent)
        self._emit, self._new = emit, SimpleQueue[Any]()
        self._has_failed, self._until = False, float("inf")
        self._new.put(self._facts.of_build("START"))

    def started(self, node: Node) -> None:
        """Keep the event for the next tick."""
        self._new.put(self._facts.of_start(node))

    def ended(self, node: Node) -> None:
        """Keep the event for the next tick."""
        self._has_failed |= node.is_bad
        self._new.put(self._facts.of_end(node))

    def tick(self) -> None:
        """Send what is new.

        Raises:
            TimeoutError: The build has ended, and the receiver is too slow for the rest.
        """
        while time.monotonic() < self._until:
            try:
                self._emit(self._new.get_nowait())
            except Empty:
                return
        raise TimeoutError("the receiver of lineage is slow: some events were not sent")

    def close(self) -> None:
        """Send the rest, and how the build ended."""
        self._new.put(self._facts.of_build("FAIL" if self._has_failed else "COMPLETE"))
        self._until = time.monotonic() + _AT_LAST_S
        self.tick()


def receivers(settings: Settings, schema: str) -> list[NodeWatcher]:
    """A watcher that sends a build's events, if there is a receiver."""
    try:
        return list(_receivers(settings, schema))
    except Exception:
        _LOG.warning("OpenLineage is not used: it could not be set up", exc_info=True)
        return []


def _receivers(settings: Settings, schema: str) -> Iterator[NodeWatcher]:
    if "AIRFLOW_CTX_DAG_ID" in os.environ:  # set by Airflow while a task runs
        from airflow.providers.openlineage import conf

        if not conf.is_disabled():
            yield _within_the_task(settings, schema)
    elif any(value and name.startswith(_VARIABLES) for name, value in os.environ.items()):
        from openlineage.client import OpenLineageClient

        parent = os.environ.get("OPENLINEAGE_PARENT_ID")
        yield NodeLineage(settings, schema, OpenLineageClient().emit, parent)


def _within_the_task(settings: Settings, schema: str) -> NodeWatcher:
    from airflow.providers.openlineage.plugins import adapter, macros
    from airflow.sdk import get_current_context

    # its client, because the adapter itself logs each event and goes on when the receiver is away
    client = adapter.OpenLineageAdapter().get_or_create_openlineage_client()
    parent = macros.lineage_parent_id(get_current_context()["ti"])
    return NodeLineage(settings, schema, client.emit, parent)


class _Facts:
    """Makes the content of one build's events."""

    def __init__(self, settings: Settings, schema: str, parent: str | None) -> None:
        from openlineage.client import event_v2, facet_v2
        from openlineage.client.uuid import generate_new_uuid

        self._events, self._facets, self._new_id = event_v2, facet_v2, generate_new_uuid
        found = one_host(settings.warehouse_url)
        host, port = found.get("host", "localhost"), found.get("port", "5432")
        self._server = f"postgres://{host if not host.startswith('/') else 'localhost'}:{port}"
        self._namespace = os.environ.get("OPENLINEAGE_NAMESPACE", "chotso")
        self._schema = schema
        self._build = (self._namespace, f"build {schema}", str(generate_new_uuid()))
        self._parent = parent.split("/") if parent else None
        self._runs: dict[str, str] = {}

    def of_build(self, state: str) -> Any:
        """The run of the build, within the task that `parent` names."""
        _, name, run_id = self._build
        return self._event(state, name, run_id, self._parent, "BUILD", datetime.now(UTC))

    def of_start(self, node: Node) -> Any:
        """A node has started."""
        run_id = self._runs[node.name] = str(self._new_id())
        return self._of_node(node, "START", run_id, 0.0)

    def of_end(self, node: Node) -> Any:
        """A node has ended: what it read and made, or what a test found."""
        state = "COMPLETE" if node.status in _WELL else "ABORT"
        state = "FAIL" if node.is_bad else state
        event = self._of_node(node, state, self._runs.pop(node.name), node.seconds)
        made = node.parsed
        if made is None:
            return event
        event.inputs = [self._input(each, node) for each in node.reads]
        if node.kind == "model":
            event.outputs = [self._output(made, node)]
            event.job.facets["sql"] = self._facets.sql_job.SQLJobFacet(
                query=made.compiled_code or made.raw_code
            )
        if node.message:
            event.run.facets["errorMessage"] = self._facets.error_message_run.ErrorMessageRunFacet(
                message=node.message, programmingLanguage="SQL"
            )
        return event

    def _of_node(self, node: Node, state: str, run_id: str, seconds: float) -> Any:
        at = datetime.fromtimestamp(node.began_at / 1e9 + seconds, UTC)
        name = f"{self._schema}.{node.name}"
        return self._event(state, name, run_id, list(self._build), node.kind.upper(), at)

    def _event(
        self, state: str, name: str, run_id: str, parent: list[str] | None, kind: str, at: datetime
    ) -> Any:
        job_type = self._facets.job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="DBT", jobType=kind
        )
        within = self._facets.parent_run
        facets = {}
        if parent:
            facets["parent"] = within.ParentRunFacet(
                run=within.Run(runId=parent[-1]),
                job=within.Job(namespace=parent[0], name="/".join(parent[1:-1])),
            )
        return self._events.RunEvent(
            eventTime=at.isoformat(),
            eventType=self._events.RunState[state],
            run=self._events.Run(runId=run_id, facets=facets),
            job=self._events.Job(
                namespace=self._namespace, name=name, facets={"jobType": job_type}
            ),
            producer=_PRODUCER,
        )

    def _input(self, read: Any, node: Node) -> Any:
        found = {}
        if node.kind == "test" and read.name == node.model:
            quality = self._facets.data_quality_assertions_dataset
            verdict = quality.Assertion(assertion=node.name, success=node.status in _WELL)
            found["dataQualityAssertions"] = quality.DataQualityAssertionsDatasetFacet([verdict])
        return self._events.InputDataset(
            namespace=self._server,
            name=_name(read),
            facets=self._columns(read),
            inputFacets=found,
        )

    def _output(self, made: Any, node: Node) -> Any:
        found = {}
        if node.rows is not None:
            statistics = self._facets.output_statistics_output_dataset
            found["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(
                rowCount=node.rows
            )
        return self._events.OutputDataset(
            namespace=self._server,
            name=_name(made),
            facets=self._columns(made),
            outputFacets=found,
        )

    def _columns(self, parsed: Any) -> dict[str, Any]:
        schema = self._facets.schema_dataset
        fields = [
            schema.SchemaDatasetFacetFields(
                name=column.name, type=column.data_type, description=column.description or None
            )
            for column in parsed.columns.values()
        ]
        return {"schema": schema.SchemaDatasetFacet(fields=fields)} if fields else {}


def _name(parsed: Any) -> str:
    """A relation as `database.schema.table`."""
    table = getattr(parsed, "identifier", None) or parsed.alias
    return f"{parsed.database}.{parsed.schema}.{table}"
