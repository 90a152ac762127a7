"""A build as OpenLineage events, received by a real HTTP server."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from chotso.build import lineage, run_build, runner
from chotso.build.nodes import Node
from chotso.errors import ChotsoError
from chotso.settings import Settings
from tests.worlds.build_warehouse import Servers, Warehouse, warehouse_of_one_payment
from tests.worlds.collector import Collector, collector
from tests.worlds.collector import lineage as kept

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

TASK = ("airflow", "build_warehouse.build", "0193aaaa-0000-7000-8000-000000000001")
OFF = """
import sys
from pathlib import Path
from chotso.build.lineage import receivers
assert receivers(None, "marts_build") == []
assert not [name for name in sys.modules if name.startswith("openlineage")]
"""


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse_of_one_payment(servers, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture(autouse=True)
def no_receiver() -> Iterator[None]:
    """The client makes further variables of those that it is given."""
    yield
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE_")]:
        del os.environ[name]


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collector() as found, monkeypatch.context() as patch:
        patch.setenv("OPENLINEAGE_URL", found.url)
        patch.setenv("OPENLINEAGE_PARENT_ID", "/".join(TASK))
        yield found


def events(received: Collector) -> dict[str, list[dict[str, Any]]]:
    """The events of each job, as they came."""
    found: dict[str, list[dict[str, Any]]] = {}
    for event in kept(received):
        found.setdefault(event["job"]["name"], []).append(event)
    return found


def test_models_are_told_with_what_they_read_and_their_columns(
    warehouse: Warehouse, received: Collector
) -> None:
    report = run_build(warehouse.settings)
    jobs = events(received)
    assert len(jobs) == 1 + report.models + report.tests
    for name, told in jobs.items():
        assert [event["eventType"] for event in told] == ["START", "COMPLETE"], name
        assert len({event["run"]["runId"] for event in told}) == 1
        assert told[0]["eventTime"] <= told[1]["eventTime"]
    build, model = jobs["build marts_build"][1], jobs["marts_build.fct_contribution"][1]
    parent = build["run"]["facets"]["parent"]
    assert (parent["job"]["namespace"], parent["job"]["name"], parent["run"]["runId"]) == TASK
    assert model["run"]["facets"]["parent"]["run"]["runId"] == build["run"]["runId"]
    url = urlsplit(warehouse.settings.warehouse_url)
    database = url.path.strip("/")
    (output,) = model["outputs"]
    assert output["namespace"] == f"postgres://{url.hostname}:{url.port}"
    assert output["name"] == f"{database}.marts_build.fct_contribution"
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 1
    fields = {field["name"]: field for field in output["facets"]["schema"]["fields"]}
    assert fields["principal_vnd"]["type"] == "bigint"
    assert "—" in fields["principal_vnd"]["description"]
    assert "select" in model["job"]["facets"]["sql"]["query"]
    staging = jobs["marts_build.stg_payments"][1]
    assert [each["name"] for each in staging["inputs"]] == [f"{database}.raw.payments"]
    made = {each["name"] for told in jobs.values() for each in told[1].get("outputs", [])}
    read = {each["name"] for told in jobs.values() for each in told[1].get("inputs", [])}
    assert {name.split(".")[1] for name in read - made} <= {"raw", "quarantine", "ops", "frozen"}


def test_a_failed_test_is_told_of_its_model(
    warehouse: Warehouse, received: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = runner._manifest

    def planted(*args: Any) -> Any:
        manifest = parse(*args)
        manifest.nodes["test.chotso.universe_is_complete"].raw_code = "select 1 as found"
        return manifest

    monkeypatch.setattr(runner, "_manifest", planted)
    with pytest.raises(ChotsoError, match="universe_is_complete"):
        run_build(warehouse.settings)
    jobs = events(received)
    assert jobs["build marts_build"][1]["eventType"] == "FAIL"
    failed = jobs["marts_build.universe_is_complete"][1]
    assert failed["eventType"] == "FAIL"
    assert "Got 1 result" in failed["run"]["facets"]["errorMessage"]["message"]
    (verdict,) = [
        verdict
        for each in failed["inputs"]
        for verdict in each.get("inputFacets", {})
        .get("dataQualityAssertions", {})
        .get("assertions", [])
    ]
    assert (verdict["assertion"], verdict["success"]) == ("universe_is_complete", False)


def test_a_receiver_that_is_away_stops_no_build(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    assert run_build(warehouse.settings).exposed
    assert caplog.text.count("NodeLineage stopped watching") == 1


def test_without_a_receiver_nothing_is_imported() -> None:
    subprocess.run([sys.executable, "-c", OFF], check=True, env={})


def test_a_slow_receiver_is_waited_for_no_longer_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "_AT_LAST_S", 0.3)
    settings = SimpleNamespace(warehouse_url="postgresql://me@127.0.0.1/there")
    sent: list[Any] = []

    def slowly(event: Any) -> None:
        time.sleep(0.1)
        sent.append(event)

    watcher = lineage.NodeLineage(cast(Settings, settings), "marts_build", slowly, None)
    for number in range(20):
        watcher.started(Node(f"n{number}", "model", None, None, 0, 0.0))
    with pytest.raises(TimeoutError):
        watcher.close()
    assert 1 < len(sent) < 6
