"""`chotso dbt …` as it is typed in `dbt_project/`: what it builds, shows and leaves behind."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from chotso.build.developer import SCHEMA
from chotso.build.runner import PROJECT_DIR
from tests.worlds.build_warehouse import Warehouse, any_server, new_warehouse
from tests.worlds.build_world import instant

pytestmark = [pytest.mark.long, pytest.mark.warehouse, pytest.mark.timeout(900)]

KNOWN = "2022-01-02T01:00"
MONTHS = f"select min(month)::text, max(month)::text, count(*) from {SCHEMA}.int_months"
TARGET = PROJECT_DIR / "target"
CAUTIOUS = ("--indirect-selection", "cautious")  # no test of what is not built


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Nothing but a published batch of payments; nothing was ever built."""
    with (
        any_server() as servers,
        new_warehouse(servers, tmp_path_factory.mktemp("home")) as made,
    ):
        with made.world() as world:
            world.batch("2022-01-01", KNOWN)
        yield made


def typed(warehouse: Warehouse, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`chotso dbt …` in `dbt_project/`."""
    settings = warehouse.settings
    others = {n: v for n, v in os.environ.items() if not n.startswith("CHOTSO_")}
    return subprocess.run(
        [sys.executable, "-m", "chotso", "dbt", "--no-use-colors", *arguments],
        cwd=PROJECT_DIR, capture_output=True, text=True, check=False, timeout=300,
        env=others | {
            "CHOTSO_HOME": str(settings.home),
            "CHOTSO_WAREHOUSE_URL": settings.warehouse_url,
            "CHOTSO_SOURCE_URL": settings.source_url,
        },
    )  # fmt: skip


def left(name: str, since: datetime) -> dict[str, Any]:
    """An artifact in `dbt_project/target`, written since then."""
    artifact: dict[str, Any] = json.loads((TARGET / name).read_text("utf-8"))
    written = datetime.fromisoformat(artifact["metadata"]["generated_at"])
    assert written >= since, name
    return artifact


def test_ls_names_every_model_and_leaves_the_manifest(warehouse: Warehouse) -> None:
    since = datetime.now().astimezone()
    done = typed(warehouse, "ls", "--resource-type", "model", "--output", "name", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    files = {path.stem for path in (PROJECT_DIR / "models").rglob("*.sql")}
    assert set(done.stdout.split()) == files
    assert left("manifest.json", since)["nodes"]


def test_build_fills_the_scratch_schema_from_the_registers_and_all_that_is_known(
    warehouse: Warehouse,
) -> None:
    for variables, first, count in (
        ((), "2021-01-01", 13),
        (("--vars", "{first_year: 2020}"), "2020-01-01", 25),
    ):
        since = datetime.now().astimezone()
        done = typed(warehouse, "build", *CAUTIOUS, "--select", "+int_months", *variables)
        assert done.returncode == 0, done.stdout + done.stderr
        results = left("run_results.json", since)["results"]
        assert {result["status"] for result in results} == {"success", "pass"}
        assert warehouse.rows(MONTHS) == [(first, "2022-01-01", count)]
    assert warehouse.rows("select count(*) from ops.build") == [(0,)]
    elsewhere = "select relname from pg_class where relnamespace = 'marts_build'::regnamespace"
    assert warehouse.rows(elsewhere) == []


def test_docs_describe_what_stands_in_the_scratch_schema(warehouse: Warehouse) -> None:
    assert typed(warehouse, "run", "--select", "+dim_month").returncode == 0
    since = datetime.now().astimezone()
    done = typed(warehouse, "docs", "generate")
    assert done.returncode == 0, done.stdout + done.stderr
    catalog = left("catalog.json", since)
    shown = catalog["nodes"]["model.chotso.dim_month"]
    assert shown["metadata"]["schema"] == SCHEMA
    assert "— " in shown["columns"]["month"]["comment"]
    assert "source.chotso.raw.payments" in catalog["sources"]
    assert (TARGET / "index.html").exists()


def test_a_source_is_as_fresh_as_its_newest_published_batch(warehouse: Warehouse) -> None:
    since = datetime.now().astimezone()
    done = typed(warehouse, "source", "freshness", "--select", "source:raw.payments")
    assert done.returncode == 1, "of 2022, so it is stale"
    (result,) = left("sources.json", since)["results"]
    assert datetime.fromisoformat(result["max_loaded_at"]) == instant(KNOWN)
    assert result["status"] == "error"


@pytest.mark.parametrize("wrong", [("nonsense",), ("ls", "--vars", "no dictionary")])
def test_what_dbt_does_not_take_is_refused_with_a_next_step(
    warehouse: Warehouse, wrong: tuple[str, ...]
) -> None:
    done = typed(warehouse, *wrong)
    assert done.returncode == 1
    assert "Next:" in done.stderr
