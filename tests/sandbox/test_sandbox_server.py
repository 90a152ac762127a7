"""The embedded PostgreSQL as it runs: settings, logins, databases, ports."""

import json
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.errors import ChotsoError
from chotso.sandbox import server
from chotso.sandbox.server import SandboxServer
from tests.worlds.sandbox_homes import keep_row, kept_row, new_home, postmaster, query

pytestmark = [pytest.mark.warehouse]


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Path, SandboxServer]]:
    """One running server for the tests that only look."""
    with new_home() as path:
        yield path, server.start(path)


def test_a_second_start_changes_nothing_and_is_quick(shared: tuple[Path, SandboxServer]) -> None:
    home, first = shared
    pid, content = postmaster(first), (home / "sandbox.json").read_bytes()
    began = time.monotonic()
    assert server.start(home) == first == server.load(home)
    assert time.monotonic() - began < 1.0
    assert (postmaster(first), (home / "sandbox.json").read_bytes()) == (pid, content)
    assert stat.S_IMODE((home / "sandbox.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(first.log_file.stat().st_mode) == 0o600
    assert json.loads(content)["warehouse_url"].endswith(f"@127.0.0.1:{first.port}/warehouse")
    assert json.loads(content)["warehouse_url"].split(":")[2].split("@")[0] not in repr(first)


def test_status_tells_what_runs(shared: tuple[Path, SandboxServer]) -> None:
    home, running = shared
    found = server.status(home)
    assert found["state"] == "running"
    assert found["pid"] == postmaster(running)
    assert found["port"] == running.port
    assert str(found["version"]).startswith("18.")
    assert {"tst", "warehouse", "airflow"} <= set(found["databases"])
    assert found["data_dir"] == str(running.data_dir)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
        ("shared_buffers", "512MB"),
        ("max_wal_size", "4GB"),
        ("work_mem", "64MB"),
        ("maintenance_work_mem", "256MB"),
        ("max_connections", "100"),
        ("jit", "off"),
        ("wal_compression", "pglz"),
    ],
)
def test_settings(shared: tuple[Path, SandboxServer], setting: str, value: str) -> None:
    assert query(shared[1].admin_url, f'show "{setting}"') == [(value,)]


def test_text_sorts_by_code_point_and_changes_case_by_unicode(
    shared: tuple[Path, SandboxServer],
) -> None:
    rows = query(shared[1].admin_url, "select upper('đường ninh'), 'Z' < 'a', 'Đ' = 'D'")
    assert rows == [("ĐƯỜNG NINH", True, False)]


def test_every_login_needs_its_password(shared: tuple[Path, SandboxServer]) -> None:
    port = shared[1].port
    for login in ("postgres", "chotso_source", "chotso_etl", "airflow"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{login}:wrong@127.0.0.1:{port}/postgres")


def test_the_source_login_reads_later_tables_and_cannot_write(
    shared: tuple[Path, SandboxServer],
) -> None:
    running = shared[1]
    query(running.source_admin_url, "create table if not exists tst.dong_ho as select 1 as id")
    assert query(running.source_url, "select id from tst.dong_ho") == [(1,)]
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        query(running.source_url, "insert into tst.dong_ho values (2)")
    for statement in (
        "insert into tst.dong_ho values (2)",
        "drop table tst.dong_ho",
        "create table tst.x ()",
        "create table public.x ()",
        "create temporary table x ()",
    ):
        with psycopg.connect(running.source_url, autocommit=True) as connection:
            connection.execute("set default_transaction_read_only = off")  # a login may do that
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(running.source_url.removesuffix("tst") + "airflow")


def test_logins_have_no_more_rights_than_they_need(shared: tuple[Path, SandboxServer]) -> None:
    rows = query(
        shared[1].admin_url,
        "select rolname from pg_roles where rolcanlogin and (rolsuper or rolcreaterole"
        " or rolcreatedb or rolreplication or rolbypassrls)",
    )
    assert rows == [("postgres",)]
    owners = query(
        shared[1].admin_url,
        "select datname, pg_get_userbyid(datdba) from pg_database"
        " where datname in ('tst', 'warehouse', 'airflow') order by 1",
    )
    assert owners == [("airflow", "airflow"), ("tst", "postgres"), ("warehouse", "postgres")]
    query(shared[1].airflow_url, "create table if not exists dag (id int)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(shared[1].warehouse_url, "create schema mine")


def test_stop_and_start_keep_rows_port_and_passwords(home: Path) -> None:
    assert server.status(home)["state"] == "stopped"
    assert server.stop(home) is False
    first = server.start(home)
    keep_row(first)
    assert server.stop(home) is True
    assert server.stop(home) is False
    found = server.status(home)
    assert (found["state"], found["pid"], found["port"]) == ("stopped", None, first.port)
    assert server.start(home) == first
    assert kept_row(first) == 42


def test_a_taken_port_is_replaced_and_written_down(home: Path) -> None:
    first = server.start(home)
    keep_row(first)
    server.stop(home)
    with socket.create_server(("127.0.0.1", first.port)):
        second = server.start(home)
    assert second.port != first.port
    assert server.load(home) == second
    assert kept_row(second) == 42


def test_a_demanded_port_is_used_or_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("CHOTSO_PG_PORT", str(port))
        with pytest.raises(ChotsoError, match=f"Port {port}"):
            server.start(home)
    assert server.start(home).port == port
    monkeypatch.setenv("CHOTSO_PG_PORT", "5432x")
    with pytest.raises(ChotsoError, match="not a port number"):
        server.start(home)
