"""Spans and metrics of a night by OpenTelemetry, if `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

Without that variable nothing of OpenTelemetry is imported. Names are codes: groups, feeds, models.
No row, key or reason is told, because these may name persons. A collector that is away is logged
and delays each command or task by seconds, no more.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

_LOG = logging.getLogger(__name__)
_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PATIENCE_S = 5  # unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise
OK = "ok"


class Step:
    """One step of a night; if telemetry is off, it forgets what it is told."""

    def count(self, outcome: str, *, rows: int, money: int | None = None) -> None:
        """Tell rows and đồng: of those `delivered`, `accepted` or `set_aside`."""

    def fail(self, status: str) -> None:
        """Tell that the step ended badly without an exception."""

    def node(
        self, kind: str, name: str, began_at: int, seconds: float, status: str, rows: int | None
    ) -> None:
        """Tell a model or test of a build, from its start (`time.time_ns()`) to its end."""


def is_on() -> bool:
    """Whether this process tells a collector."""
    is_disabled = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return bool(os.environ.get(_ENDPOINT)) and not is_disabled


@contextmanager
def step(kind: str, name: str, **facts: object) -> Iterator[Step]:
    """A span around a step of a night, and its duration as a metric.

    Args:
        kind: `night`, `extract`, `land`, `publish`, `batch`, `build` or `freeze`.
        name: The group, feed, schema or period. There are few of each kind.
        facts: Attributes of the span alone, e.g. the business date.
    """
    exported = _exported() if is_on() else None
    if exported is None:
        yield Step()
        return
    with exported.step(kind, name, facts) as told:
        yield told


@cache
def _exported() -> "_Exported | None":
    try:
        return _Exported()
    except Exception:
        _LOG.warning("OpenTelemetry is not used: it could not be set up", exc_info=True)
        return None


class _Exported:
    """The process's tracer and meter; what they hold is sent when the outermost step ends."""

    def __init__(self) -> None:
        from opentelemetry import context, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create(
            {"service.name": os.environ.get("OTEL_SERVICE_NAME") or "chotso"}
        )
        spans, metrics = _exporters()
        provider = trace.get_tracer_provider()
        if not isinstance(provider, TracerProvider):  # else Airflow's: we are spans of its tasks
            provider = TracerProvider(resource=resource)
            provider.add_span_processor(BatchSpanProcessor(spans))
        reader = PeriodicExportingMetricReader(metrics, export_interval_millis=float("inf"))
        meters = MeterProvider(metric_readers=[reader], resource=resource)
        meter = meters.get_meter("chotso")
        self._providers = (provider, meters)
        self._tracer, self._trace = provider.get_tracer("chotso"), trace
        self._no_parent = context.Context()
        self.duration = meter.create_gauge("chotso.duration", "s", "Seconds that a step took")
        self.success = meter.create_gauge("chotso.last_success", "s", "Unix time of a step's end")
        self.rows = meter.create_gauge("chotso.rows", "{row}", "Rows of a step")
        self.money = meter.create_gauge("chotso.money", "{VND}", "Đồng of a batch")
        self._depth = 0

    @contextmanager
    def step(self, kind: str, name: str, facts: dict[str, object]) -> Iterator[Step]:
        attributes = {"step": kind, "name": name, **{k: str(v) for k, v in facts.items()}}
        is_within = self._trace.get_current_span().is_recording()
        # A parent that is not recorded would silence its children.
        span = self._tracer.start_span(
            f"{kind} {name}",
            context=None if is_within else self._no_parent,
            attributes=attributes,
        )
        told = _Told(self, kind, name, self._trace.set_span_in_context(span))
        began = time.monotonic()
        self._depth += 1
        try:
            with self._trace.use_span(
                span, end_on_exit=False, record_exception=False, set_status_on_exception=False
            ):
                yield told
        except BaseException as error:
            told.fail(type(error).__name__)
            raise
        finally:
            self._depth -= 1
            self.ended(span, kind, name, told.status, time.monotonic() - began)
            span.end()
            if not self._depth:
                self._send()

    def child(
        self, at: Any, kind: str, name: str, began_at: int, seconds: float, status: str
    ) -> None:
        span = self._tracer.start_span(
            f"{kind} {name}",
            context=at,
            start_time=began_at,
            attributes={"step": kind, "name": name},
        )
        self.ended(span, kind, name, status, seconds)
        span.end(end_time=began_at + int(seconds * 1e9))

    def ended(self, span: Any, kind: str, name: str, status: str, seconds: float) -> None:
        span.set_attribute("status", status)
        if status != OK:
            span.set_status(self._trace.StatusCode.ERROR, status)
        if kind != "test":
            labels = {"step": kind, "name": name}
            self.duration.set(seconds, {**labels, "status": status})
            if status == OK:
                self.success.set(time.time(), labels)

    def _send(self) -> None:
        for provider in self._providers:
            try:
                provider.force_flush()
            except Exception as error:
                _LOG.warning("OpenTelemetry: not sent (%s)", type(error).__name__)


class _Told(Step):
    """A step that is being told."""

    def __init__(self, exported: _Exported, kind: str, name: str, at: Any) -> None:
        self._exported, self._labels, self._at = exported, {"step": kind, "name": name}, at
        self.status = OK

    def count(self, outcome: str, *, rows: int, money: int | None = None) -> None:
        labels = {**self._labels, "outcome": outcome}
        self._exported.rows.set(rows, labels)
        if money is not None:
            self._exported.money.set(int(money), labels)

    def fail(self, status: str) -> None:
        self.status = status

    def node(
        self, kind: str, name: str, began_at: int, seconds: float, status: str, rows: int | None
    ) -> None:
        self._exported.child(self._at, kind, name, began_at, seconds, status)
        if rows is not None and kind == "model":
            self._exported.rows.set(rows, {"step": kind, "name": name, "outcome": "built"})


def _exporters() -> tuple[Any, Any]:
    """Exporters of spans and of metrics, by HTTP unless the environment asks for gRPC."""
    timeout = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else _PATIENCE_S
    protocol = "grpc" if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc" else "http"
    at = f"opentelemetry.exporter.otlp.proto.{protocol}"
    return (
        import_module(f"{at}.trace_exporter").OTLPSpanExporter(timeout=timeout),
        import_module(f"{at}.metric_exporter").OTLPMetricExporter(timeout=timeout),
    )
