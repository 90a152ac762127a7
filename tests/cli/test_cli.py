"""The command line as an operator meets it: results, exit statuses, and the next step."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from chotso.calendar import LOCAL_ZONE
from chotso.errors import BusyError, ChotsoError
from chotso.sandbox.province import advance, seed
from chotso.warehouse.connect import connect
from chotso.warehouse.locks import hold
from tests.worlds.own_server import own_server
from tests.worlds.product import Product, product
from tests.worlds.typed import typed

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]

CLOCK = datetime(2021, 10, 2, 1, tzinfo=LOCAL_ZONE)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("cli")
    with own_server() as (running, _), product(running, "cli", folder) as made:
        place = (made.source_admin_url, made.drop)
        state = folder / "state"
        seed(
            *place,
            persons=500,
            employers=30,
            year=2021,
            seed=4,
            defects="none",
            state_dir=state,
            progress=lambda _: None,
        )
        advance(*place, to=CLOCK, state_dir=state, progress=lambda _: None)
        first = chotso(made, "nightly", "--date", "2021-10-01", "--json")
        assert first.returncode == 0, first.stderr
        (made.settings.home / "first.json").write_text(first.stdout, encoding="utf-8")
        yield made


def chotso(
    warehouse: Product, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    settings = warehouse.settings
    environment = {n: v for n, v in os.environ.items() if not n.startswith("CHOTSO_")} | {
        "CHOTSO_HOME": str(settings.home),
        "CHOTSO_WAREHOUSE_URL": settings.warehouse_url,
        "CHOTSO_SOURCE_URL": settings.source_url,
        "CHOTSO_DROP_URL": f"file://{warehouse.drop}",
        "CHOTSO_PSEUDONYM_KEY_FILE": str(settings.pseudonym_key_file),
        **variables,
    }
    if "PYTHONIOENCODING" not in variables:
        return typed(*arguments, environment=environment)
    return subprocess.run(
        [sys.executable, "-m", "chotso", *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env=environment,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["extract", "wages", "--date", "2021-10-01"],
        ["extract", "payments", "--date", "01/10/2021"],
        ["nightly"],
        ["build", "--cutoff", "2021-10-01T17:00"],
        ["build", "--as-known-at", "2021-10-01T17:00"],
        ["build", "--schema", "s", "--as-known-at", "yesterday"],
        ["verify", ".", "--anchor", "12"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_exits_with_2(warehouse: Product, arguments: list[str]) -> None:
    assert chotso(warehouse, *arguments).returncode == 2


def test_a_night_answers_in_json_and_runs_again(warehouse: Product) -> None:
    told = json.loads((warehouse.settings.home / "first.json").read_text(encoding="utf-8"))
    assert told["stopped"] == []
    assert {b["feed"] for b in told["batches"]} >= {"payments", "allocations", "c12", "plans"}
    for batch in told["batches"]:
        assert batch["rows_delivered"] == batch["rows_accepted"] + batch["rows_quarantined"]
    again = chotso(warehouse, "nightly", "--date", "2021-10-01", "--json")
    assert again.returncode == 0
    assert sum(b["rows_changed"] for b in json.loads(again.stdout)["batches"]) == 0
    status = json.loads(chotso(warehouse, "status", "--json").stdout)
    assert status["exposed"]["business_date"] == "2021-10-01"
    assert {c["state"] for c in status["cutoffs"]} == {"not due by what is known"}
    assert status["control_totals"].keys() == {"equal"}
    assert json.loads(chotso(warehouse, "quarantine", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nightly", "--date", "2021-10-03"], "lies after the source's clock"),
        (["freeze", "sprint-2021-q4"], "has not come"),
        (["freeze", "no-such-period"], "There is no period"),
        (["migrate"], "CHOTSO_ADMIN_URL is not set"),
        (["build", "--schema", "s", "--as-known-at", "2030-01-01T00:00"], "2030-01-01T00:00"),
        (["build", "--schema", "s", "--as-known-at", "2020-01-01T00:00"], "2020-01-01T00:00"),
        (["build", "--schema", "marts"], "marts"),
        (["quarantine", "show", "999999"], "No row 999999"),
    ],
)
def test_a_refusal_exits_with_1_and_tells_the_next_step(
    warehouse: Product, arguments: list[str], reason: str
) -> None:
    done = chotso(warehouse, *arguments)
    assert done.returncode == 1, done.stdout
    assert reason in done.stderr
    assert "Next: " in done.stderr


@pytest.mark.parametrize("right", ["superuser", "createrole", "replication", "bypassrls"])
def test_a_login_with_too_many_rights_is_refused(warehouse: Product, right: str) -> None:
    login = f"too_strong_{right}"
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute(
            sql.SQL("create role {} login password 'x' {}").format(
                sql.Identifier(login), sql.SQL(right)
            )
        )
        conn.execute(sql.SQL("grant chotso_loader to {}").format(sql.Identifier(login)))
    url = urlsplit(warehouse.settings.warehouse_url)
    strong = urlunsplit(url._replace(netloc=f"{login}:x@{url.hostname}:{url.port}"))
    done = chotso(warehouse, "status", CHOTSO_WAREHOUSE_URL=strong)
    assert done.returncode == 1
    assert right.upper() in done.stdout


def test_the_product_cannot_change_what_it_published(warehouse: Product) -> None:
    with connect(warehouse.settings) as conn:
        for statement in (
            "update raw.payments set so_tien = 0",
            "delete from raw.payments",
            "truncate raw.payments",
            "drop table raw.payments",
            "alter table raw.payments disable trigger all",
            "update frozen.release set root_sha256 = ''",
            "delete from ops.batch",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                conn.execute(statement.encode())


def test_a_held_lock_is_waited_for_and_its_holder_named(warehouse: Product) -> None:
    with (
        connect(warehouse.settings) as first,
        hold(first, "extract of plans"),
        connect(warehouse.settings) as second,
        pytest.raises(BusyError, match=r"still held by chotso: extract of plans \(pid \d+"),
        hold(second, "extract of plans", wait_seconds=0.3),
    ):
        raise AssertionError("two sessions hold one lock")
    with connect(warehouse.settings) as third, hold(third, "extract of plans", wait_seconds=0.3):
        pass


def test_a_source_that_is_away_is_told(warehouse: Product, tmp_path: Path) -> None:
    away = "postgresql://a:b@127.0.0.1:1/tst"
    done = chotso(warehouse, "extract", "payments", "--date", "2021-10-01", CHOTSO_SOURCE_URL=away)
    assert done.returncode == 1
    assert "a:***@127.0.0.1" in done.stderr
    assert "everything published before stands" in done.stderr


def test_errors_survive_being_carried_between_processes() -> None:
    import pickle

    error = ChotsoError("what", kept="that", next_step="this")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_console_that_knows_no_vietnamese_ends_no_command(warehouse: Product) -> None:
    for encoding in ("ascii", "cp1258"):
        done = chotso(warehouse, "status", PYTHONIOENCODING=encoding, PGDATESTYLE="German")
        assert done.returncode == 0, done.stderr
        assert "cutoff" in done.stdout
