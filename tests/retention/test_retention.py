"""`chotso retention`: what nothing needs goes when asked to; what proves figures stays."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from chotso.cli import app as command
from chotso.errors import ChotsoError
from chotso.local import airflow_home
from chotso.local.airflow_home import AirflowHome
from chotso.retention import airflow_rows
from chotso.retention.airflow_here import airflow_here
from chotso.retention.rules import retain
from chotso.sandbox import state
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from tests.worlds import freeze_world as world
from tests.worlds.own_server import own_server
from tests.worlds.product import product

pytestmark = [pytest.mark.warehouse]

GOES = {
    "home/airflow/logs/dag_id=x/attempt=1.log": "airflow_logs",
    "home/airflow/logs/scheduler.log.1": "airflow_logs",
    "home/dbt/freeze_sprint_2021_q4/logs/dbt.log": "dbt_folders",
    "tmp/chotso-landing-abc/draft.parquet": "drafts",
    "tmp/chotso-drop-abc/C12.xlsx": "drafts",
    "home/landing/payments/2021-12-30/.data.parquet.part": "drafts",
    "home/landing/payments/2021-12-30/left/data.parquet": "unlanded",
}
STAYS = [
    "home/dbt/parsed/partial_parse.msgpack",
    "tmp/somebody/else.txt",
    "home/landing/payments/2021-12-30/whole/data.parquet",
    "home/landing/payments/2021-12-30/whole/manifest.json",
    "home/landing/payments/2021-12-30/in-work/data.parquet",
    "home/landing/originals/abc/C12.xlsx",
    "home/landing/acts/2021-12-30/waive-1.json",
    "home/releases/sprint-2021-q4/manifest.json",
]
YOUNG = ["home/airflow/logs/dag_id=x/attempt=2.log", "tmp/chotso-landing-now/draft.parquet"]
LONG_AGO = time.time() - 400 * 86400


@pytest.fixture
def settings(
    running: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with product(running, "retention", tmp_path) as made:
        world.prepare(made.settings, made.source_admin_url)
        home = tmp_path / "home"
        settings = made.settings.model_copy(
            update={
                "home": home,
                "landing_url": str(home / "landing"),
                "releases_dir": home / "releases",
            }
        )
        monkeypatch.setattr(airflow_rows, "clean", lambda *_, **__: 0)
        with connect(settings) as conn:
            batch = world.insert_batch(conn, "payments", world.CUTOFF.date(), world.CUTOFF, None)
            conn.execute(
                "update ops.batch set landing_path = %s where batch_id = %s",
                ["payments/2021-12-30/in-work", batch],
            )
        for name in (*GOES, *STAYS, *YOUNG, "home/airflow/airflow.cfg"):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x" * 100)
        (tmp_path / "home/airflow/logs/link").symlink_to(tmp_path / "tmp/somebody")
        for path in sorted(tmp_path.rglob("*"), reverse=True):
            if not any(str(path).endswith(name) or name in str(path) for name in YOUNG):
                os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)
        yield settings


def files(folder: Path) -> set[str]:
    kept = (*GOES, *STAYS, *YOUNG)
    return {name for name in kept if (folder / name).exists()}


def test_a_dry_run_says_what_would_go_and_deletes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    found = retain(settings)
    assert not found.applied
    assert files(tmp_path) == {*GOES, *STAYS, *YOUNG}
    counted = {gone.rule: gone.count for gone in found.found}
    assert counted.pop("airflow_database") == 0
    assert counted == {"airflow_logs": 2, "dbt_folders": 1, "drafts": 3, "unlanded": 1}
    for gone in found.found[:-1]:
        assert gone.bytes is not None
        assert gone.bytes >= 100
        assert gone.oldest is not None
        assert abs(gone.oldest.timestamp() - LONG_AGO) < 2


def test_what_goes_is_what_was_said(settings: Settings, tmp_path: Path) -> None:
    before = retain(settings)
    done = retain(settings, apply=True)
    assert [(g.rule, g.count, g.bytes) for g in done.found] == [
        (g.rule, g.count, g.bytes) for g in before.found
    ]
    assert files(tmp_path) == {*STAYS, *YOUNG}
    assert (tmp_path / "tmp/somebody/else.txt").exists(), "a link is removed, never followed"
    assert [gone.count for gone in retain(settings, apply=True).found] == [0, 0, 0, 0, 0]


def test_last_week_is_never_cut(settings: Settings) -> None:
    with pytest.raises(ChotsoError, match="too few"):
        retain(settings, days=6, apply=True)


def test_the_command_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chotso.cli.retention.load_settings", lambda: settings)
    told = CliRunner().invoke(command.app, ["retention"])
    assert told.exit_code == 0, told.output
    assert "Nothing was deleted" in told.output
    assert "logs of Airflow" in told.output


def test_a_service_cleans_its_own_airflow(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container the environment says where Airflow logs, and which database is its own."""
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "secret airflow_db_url")
    found = airflow_here(settings)
    assert found is not None
    assert found.logs == tmp_path / "elsewhere"
    assert found.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"] == "secret airflow_db_url"
    assert airflow_here(settings.model_copy(update={"home": tmp_path})) == found


@pytest.mark.slow
def test_airflows_own_rows(tmp_path: Path) -> None:
    """By Airflow's own command, on its own database."""
    with own_server() as (server, _):
        state.write(tmp_path, server)
        home = AirflowHome(tmp_path)  # Airflow reads no home with a per cent sign
        airflow_home.prepare(home)
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=airflow_home.environment(home, schedules=False),
            check=True,
            capture_output=True,
        )
        with psycopg.connect(server.airflow_url) as airflow:
            airflow.execute(
                "insert into log (dttm, event) select now() - '400 days'::interval, 'old' "
                "from generate_series(1, 5) union all select now(), 'new'"
            )
        with product(server, "airflow_rows", tmp_path / "made") as made:
            settings = made.settings.model_copy(update={"home": tmp_path})
            assert retain(settings).found[-1].count == 5
            assert retain(settings, apply=True).found[-1].count == 5
            assert retain(settings).found[-1].count == 0
        with psycopg.connect(server.airflow_url) as airflow:
            left = airflow.execute("select event from log where event in ('old', 'new')")
            assert left.fetchall() == [("new",)]
