"""A night as spans and metrics, received by a real collector over OTLP/HTTP."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from chotso import PROJECT_ROOT, telemetry
from chotso.build import run_build
from chotso.errors import ChotsoError
from chotso.ingest.night import extract_group
from chotso.release.seal.freeze import freeze
from chotso.sandbox.server import SandboxServer
from tests.worlds.collector import Collector, collector, traces
from tests.worlds.quarantine_world import (
    DAY,
    NAME,
    NUMBER,
    SHORT_NUMBER,
    QuarantineWorld,
    account,
    quarantine_world,
)

pytestmark = pytest.mark.warehouse

OFF = """
import sys
from chotso import telemetry
with telemetry.step("build", "marts_build") as step:
    step.count("accepted", rows=1)
    step.node("model", "dim_fund", 0, 1.0, "ok", 1)
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""


@pytest.fixture(scope="module")
def night(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[QuarantineWorld, Collector]]:
    """A night with a row set aside and a file refused, a build, and a freeze before its time."""
    with (
        quarantine_world(running, "telemetry", tmp_path_factory.mktemp("telemetry") / "w") as world,
        collector() as received,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.url)
        telemetry._exported.cache_clear()
        world.payment("A1", 5_000_000)
        world.line("A1", 1, 5_000_000)
        world.spell(1, NUMBER)
        world.spell(2, SHORT_NUMBER)
        world.accounts({"07201": [account("TA0001A", 7_000_000)]})
        (world.warehouse.drop / "C12_202110_20211101T210000.xlsx").write_bytes(b"no workbook")
        with telemetry.step("night", "night", business_date=DAY):
            for group in ("registers", "contributions", "participations", "c12"):
                extract_group(world.settings, group, DAY)
            run_build(world.settings)
        with pytest.raises(ChotsoError):
            freeze(world.settings, "sprint-2021-q4")
        telemetry._exported.cache_clear()
        yield world, received


def values(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}


def points(received: Collector, metric: str) -> dict[tuple[str, ...], float]:
    """The last value by step, name and what else tells points apart."""
    found: dict[tuple[str, ...], float] = {}
    for body in map(ExportMetricsServiceRequest.FromString, received.bodies("/v1/metrics")):
        for resource in body.resource_metrics:
            for each in (m for scope in resource.scope_metrics for m in scope.metrics):
                for point in each.gauge.data_points if each.name == metric else ():
                    labels = values(point.attributes)
                    key = (labels.pop("step"), labels.pop("name"), *labels.values())
                    found[key] = point.as_double or point.as_int
    return found


def test_steps_and_models_are_one_trace(night: tuple[QuarantineWorld, Collector]) -> None:
    found = traces(night[1])
    by_id = {span.span_id: span for span in found}
    parents = {s.name: getattr(by_id.get(s.parent_span_id), "name", None) for s in found}
    assert parents["night night"] is None
    assert parents["extract contributions"] == parents["build marts_build"] == "night night"
    assert parents["land contributions"] == parents["batch payments"] == "extract contributions"
    assert parents["model fct_contribution"] == "build marts_build"
    assert parents["test universe_is_complete"] == "build marts_build"
    assert parents["freeze sprint-2021-q4"] is None
    assert len({span.trace_id for span in found}) == 2
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in found)
    model = next(span for span in found if span.name == "model fct_contribution")
    build = by_id[model.parent_span_id]
    assert build.start_time_unix_nano <= model.start_time_unix_nano
    assert model.end_time_unix_nano <= build.end_time_unix_nano


def test_what_went_wrong_says_so_without_a_reason(
    night: tuple[QuarantineWorld, Collector],
) -> None:
    failed = {s.name: s.status.message for s in traces(night[1]) if s.status.code == 2}
    assert failed == {
        "land c12": "stopped",
        "extract c12": "stopped",
        "freeze sprint-2021-q4": "ChotsoError",
    }


def test_rows_and_money_are_metrics(night: tuple[QuarantineWorld, Collector]) -> None:
    world, received = night
    assert points(received, "chotso.money")["batch", "payments", "delivered"] == 5_000_000
    rows = points(received, "chotso.rows")
    assert [rows["batch", "participations", o] for o in ("delivered", "accepted", "set aside")] == [
        2, 1, 1,
    ]  # fmt: skip
    (accounts,) = world.rows("select count(*) as rows from marts_build.fct_employer_account")
    assert rows["model", "fct_employer_account", "built"] == accounts["rows"]
    durations = points(received, "chotso.duration")
    assert durations["model", "fct_contribution", "ok"] > 0
    assert durations["build", "marts_build", "ok"] > durations["model", "fct_contribution", "ok"]
    assert durations["freeze", "sprint-2021-q4", "ChotsoError"] > 0
    assert not [key for key in durations if key[0] == "test"]
    assert ("build", "marts_build") in points(received, "chotso.last_success")
    assert ("extract", "c12") not in points(received, "chotso.last_success")


def test_the_dashboard_asks_for_what_is_sent(night: tuple[QuarantineWorld, Collector]) -> None:
    board = json.loads((PROJECT_ROOT / "monitoring/grafana/chotso.json").read_text("utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in re.findall(r"chotso_\w+", query)}
    seconds = {"chotso.duration", "chotso.last_success"}
    sent = {m: points(night[1], m) for m in (*seconds, "chotso.rows", "chotso.money")}
    assert asked == {m.replace(".", "_") + ("_seconds" if m in seconds else "") for m in sent}
    steps = {key[0] for found in sent.values() for key in found}
    assert {step for query in queries for step in re.findall(r'step="(\w+)"', query)} <= steps
    outcomes = {key[2] for key in sent["chotso.rows"]}
    assert {o for query in queries for o in re.findall(r'outcome="([^"]+)"', query)} <= outcomes


def test_nothing_that_is_sent_names_a_person(night: tuple[QuarantineWorld, Collector]) -> None:
    sent = b"".join(body for bodies in night[1].received.values() for body in bodies)
    assert b"payments" in sent
    for secret in (NAME, NUMBER, SHORT_NUMBER, "TA0001A", ".xlsx"):
        assert secret.encode() not in sent


def test_without_a_collector_nothing_is_imported() -> None:
    subprocess.run([sys.executable, "-c", OFF], check=True, env={})


def test_a_collector_that_is_away_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    telemetry._exported.cache_clear()
    with telemetry.step("build", "marts_build") as step:
        step.count("accepted", rows=1)
    assert "export" in caplog.text
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "no address")
    telemetry._exported.cache_clear()
    with telemetry.step("build", "marts_build"):
        pass
    telemetry._exported.cache_clear()
