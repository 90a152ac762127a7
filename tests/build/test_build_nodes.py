"""Each model and test of a build is told while it runs: in the ledger and in the task's log."""

import json
import logging
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from chotso.build import node_ledger, node_log, run_build, runner
from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.build.node_log import NodeLog
from chotso.build.nodes import Node, Nodes, NodeWatcher
from chotso.errors import ChotsoError
from tests.worlds.build_warehouse import Servers, Warehouse, warehouse_of_one_payment

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

TEST = "universe_is_complete"
NAME = "Nguyễn Thị Thử"
NEWEST = "build_id = (select max(build_id) from ops.build)"


@pytest.fixture(scope="module")
def warehouse(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with warehouse_of_one_payment(servers, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the SQL of a model or test in the parsed project."""
    parse = runner._manifest

    def plant(unique_id: str, code: str) -> None:
        def changed(*args: Any) -> Any:
            manifest = parse(*args)
            node = manifest.nodes[unique_id]
            node.raw_code = code.format(node.raw_code)
            return manifest

        monkeypatch.setattr(runner, "_manifest", changed)

    return plant


def seen(warehouse: Warehouse, columns: str, condition: str = "true") -> list[tuple[Any, ...]]:
    """What an operator sees of the newest build."""
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute("set role chotso_operator")
        query = f"select {columns} from ops.build_nodes where {NEWEST} and {condition} order by 1"
        return conn.execute(query.replace("ops.build)", "ops.builds)").encode()).fetchall()


def test_every_model_and_test_has_its_row(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "chotso.build"):
        report = run_build(warehouse.settings)
    counts = seen(warehouse, "kind, count(*)", "seconds >= 0 and ended_at >= started_at group by 1")
    assert counts == [("model", report.models), ("test", report.tests)]
    assert seen(warehouse, "kind, status, status_vi, build_kind", "true group by 1, 2, 3, 4") == [
        ("model", "success", "Đã dựng", "night"),
        ("test", "pass", "Đạt", "night"),
    ]
    tables = seen(warehouse, "node, rows", "kind = 'model' and rows is not null")
    assert len(tables) > 40
    for name, rows in tables:
        assert warehouse.rows(f"select count(*) from {NIGHTLY_SCHEMA}.{name}") == [(rows,)], name
    assert seen(warehouse, "node", f"node = '{TEST}' and model is not null and rows = 0")
    target = warehouse.settings.home / "dbt" / NIGHTLY_SCHEMA / "target"
    results = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    assert len(results) == report.models + report.tests
    affected = {r["unique_id"]: r["adapter_response"].get("rows_affected") for r in results}
    assert affected["model.chotso.fct_contribution"] == 1
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if line.endswith(": started")]) == report.models
    assert [line for line in lines if line.startswith("model fct_contribution: success, 1 rows, ")]


def test_no_node_ends_before_it_began_however_late_its_start_is_written(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_build(warehouse.settings)
    ((newest,),) = warehouse.rows("select max(build_id) from ops.build")
    ledger = node_ledger.NodeLedger(warehouse.settings, int(str(newest)))
    began = time.monotonic()
    node = Node("late", "model", "late", None, time.time_ns(), began)
    ledger.started(node)
    with monkeypatch.context() as slow:
        slow.setattr(time, "monotonic", lambda: began)
        time.sleep(0.3)  # the server reads its clock so much later than we read ours
        ledger.tick()
    ledger.ended(replace(node, status="success", ended=began + 0.01))
    ledger.close()
    lasted = "seconds, ended_at - started_at = interval '0.01 s'"
    assert seen(warehouse, lasted, "node = 'late'") == [(Decimal("0.010"), True)]
    warehouse.rows("delete from ops.build_node where node = 'late' returning node")


def test_a_build_that_hangs_shows_what_is_running(
    warehouse: Warehouse, planted: Any, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(node_log, "_SAY_AGAIN_S", 1.5)
    planted(
        "model.chotso.int_funds", "select kept.* from ({}) as kept, (select pg_sleep(6)) as waited"
    )
    running: list[Any] = []

    def look() -> None:
        end = time.monotonic() + 60
        while not running and time.monotonic() < end:
            time.sleep(0.2)
            running.extend(
                seen(warehouse, "node, status, seconds", "node = 'int_funds' and seconds > 1")
            )

    with caplog.at_level(logging.INFO, "chotso.build"):
        watcher = threading.Thread(target=look)
        watcher.start()
        run_build(warehouse.settings)
        watcher.join()
    ((name, status, seconds),) = running
    assert (name, status) == ("int_funds", "running")
    assert 1 < seconds < 6
    assert "still running: model int_funds for " in caplog.text
    ((status, seconds),) = seen(warehouse, "status, seconds", "node = 'int_funds'")
    assert status == "success"
    assert seconds >= 6


def test_a_failed_test_says_which_rows_and_how_to_see_them(
    warehouse: Warehouse, planted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    planted(
        f"test.chotso.{TEST}",
        "select metric_code from {{{{ ref('dim_metric') }}}} where kind_code = 'ratio'",
    )
    with pytest.raises(ChotsoError, match=TEST):
        run_build(warehouse.settings)
    ((status, rows, model),) = seen(warehouse, "status, rows, model", f"node = '{TEST}'")
    assert (status, model) == ("fail", "int_agency_months")
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert line.startswith(f"test {TEST} of {model}: {rows} failing rows, ")
    command = shlex.split(line.split("to see them: ")[1])
    url = warehouse.settings.warehouse_url
    shown = subprocess.run(
        [url if word == "$CHOTSO_WAREHOUSE_URL" else word for word in [*command, "--csv"]],
        check=True, capture_output=True, text=True, env=os.environ,
    ).stdout.split()  # fmt: skip
    assert shown[:2] == ["SET", "metric_code"]
    assert len(shown) == 2 + rows
    models = seen(warehouse, "distinct status", "kind = 'model'")
    assert models == [("skipped",), ("success",)]  # what would read the tested model is skipped


def test_a_failed_model_keeps_what_was_done_and_tells_no_value(
    warehouse: Warehouse, planted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    planted("model.chotso.dim_fund", f"select '{NAME}'::integer as fund_code")
    with pytest.raises(ChotsoError, match="dim_fund"):
        run_build(warehouse.settings)
    statuses = dict(seen(warehouse, "status, count(*)", "true group by status"))
    assert statuses["error"] == 1
    assert statuses["skipped"] > 0
    assert statuses["success"] > 40
    ((message,),) = warehouse.rows(
        f"select message from ops.build_node where {NEWEST} and status = 'error'"
    )
    assert "Database Error in model dim_fund" in str(message)
    assert NAME not in str(warehouse.rows("select * from ops.build_node"))
    assert NAME not in caplog.text


def test_what_a_killed_build_left_is_told_as_killed(warehouse: Warehouse) -> None:
    ((left,),) = warehouse.rows(
        "with build as (insert into ops.build (business_date, as_known_at, target_schema, config, "
        "config_sha256, code_version, status) select business_date, as_known_at, target_schema, "
        "config, config_sha256, code_version, 'running' from ops.build where build_id = 1 "
        "returning build_id) insert into ops.build_node (build_id, node, kind, status, started_at) "
        "select build_id, 'dim_fund', 'model', 'running', now() from build returning build_id"
    )
    run_build(warehouse.settings)
    assert warehouse.rows(f"select status from ops.build_node where build_id = {left}") == [
        ("killed",)
    ]


def test_rows_of_old_builds_are_dropped_by_the_build(warehouse: Warehouse) -> None:
    old = f"started_at = now() - interval '{node_ledger.KEPT_DAYS} days 1 minute'"
    warehouse.rows(f"update ops.build set {old} where build_id = 1 returning 1")
    run_build(warehouse.settings)
    kept = warehouse.rows("select distinct build_id from ops.build_node")
    assert len(kept) >= 2
    assert (1,) not in kept


def test_a_ledger_that_cannot_be_written_stops_no_build(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise psycopg.OperationalError("too many connections")

    monkeypatch.setattr(node_ledger, "login_session", away)
    assert run_build(warehouse.settings).exposed
    assert seen(warehouse, "node") == []
    assert caplog.text.count("NodeLedger stopped watching") == 1


class Broken(NodeWatcher):
    def started(self, node: Node) -> None:
        raise ValueError(node.name)


class Told(NodeWatcher):
    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def ended(self, node: Node) -> None:
        self.nodes.append(node)


def _event(name: str, unique_id: str, **result: Any) -> Any:
    info = SimpleNamespace(
        unique_id=unique_id, resource_type=unique_id.split(".")[0], node_name=unique_id
    )
    data = SimpleNamespace(node_info=info, run_result=SimpleNamespace(**result))
    return SimpleNamespace(info=SimpleNamespace(name=name), data=data)


def test_a_watcher_that_fails_is_told_no_more_and_the_others_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = Told()
    nodes = Nodes(None, [Broken(), told])
    for name in ("model.chotso.one", "test.chotso.two.1a2b", "operation.chotso.hook"):
        nodes(_event("NodeStart", name))
        nodes(
            _event(
                "NodeFinished", name, status="error", num_failures=0, adapter_response={},
                message=f'Database Error in model one (x.sql)\n  bad value "{NAME}"\n  DETAIL: x',
            )
        )  # fmt: skip
    assert [(n.name, n.kind, n.rows) for n in told.nodes] == [
        ("one", "model", None), ("two", "test", None),
    ]  # fmt: skip
    assert told.nodes[0].message == 'Database Error in model one (x.sql) bad value "…"'
    assert caplog.text.count("Broken stopped watching") == 1


def test_a_failed_build_s_reason_quotes_no_row() -> None:
    """It goes to the ledger, to mail and to the task's log."""
    node = SimpleNamespace(resource_type="model", name="one")
    message = (
        "Database Error in model one (x.sql)\n  duplicate key value violates unique constraint "
        f'"one_key"\n  DETAIL:  Key (ma_so_bhxh, ten)=(0123456789, {NAME}) already exists.'
    )
    said = runner._said(SimpleNamespace(node=node, message=message))
    assert said.startswith("model one: Database Error in model one (x.sql) duplicate key value")
    for text in (said, runner._told(message), runner._told(f"Runtime Error\n{message}")):
        assert "0123456789" not in text
        assert NAME not in text
    project = "Compilation Error\n  Model 'one' depends on a node named 'two' which was not found"
    assert runner._told(project) == project, "a text of the project stays whole"


def test_only_slow_tests_are_logged_while_they_pass(caplog: pytest.LogCaptureFixture) -> None:
    log = NodeLog()
    with caplog.at_level(logging.INFO, "chotso.build"):
        for name, seconds in (("quick", 0.5), ("slow", 1.5)):
            log.ended(Node(name, "test", "dim_fund", None, 0, 0.0, "pass", seconds, 0))
    assert [r.getMessage() for r in caplog.records] == ["test slow of dim_fund: pass, 1.5 s"]
