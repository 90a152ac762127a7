"""docs/rotation.md, carried out: no night stops while a secret changes."""

import configparser
import secrets
import shutil
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chotso.local import airflow_home
from chotso.local.airflow_home import AirflowHome
from chotso.migrate import migrate
from chotso.sandbox import state
from chotso.sandbox.server import SandboxServer
from chotso.warehouse.connect import connect
from tests.local.rotation import (
    Authority,
    blocks,
    programs_with_tls,
    run_sql,
    server_with_tls,
    with_login,
)
from tests.worlds import freeze_world
from tests.worlds.own_server import own_server
from tests.worlds.product import product

pytestmark = [pytest.mark.warehouse, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[SandboxServer, Path]]:
    with own_server() as made:
        yield made


def test_a_second_login_of_the_warehouse_takes_over(
    server: tuple[SandboxServer, Path], tmp_path: Path
) -> None:
    with product(server[0], "rotated", tmp_path) as made:
        freeze_world.prepare(made.settings, made.source_admin_url)
        new = with_login(made.settings.warehouse_url, "chotso_etl_b", "b")
        moved = made.settings.model_copy(update={"warehouse_url": new})
        still_connected, take_away = (
            f"{part};" for part in blocks("The warehouse's login", "sql")[0].split(";", 1)
        )
        with connect(made.settings) as at_work:  # a night that began before
            assert migrate(moved).warnings == []
            with connect(moved) as after:
                freeze_world.insert_batch(
                    after, "payments", freeze_world.CUTOFF.date(), freeze_world.CUTOFF, None
                )
            freeze_world.insert_batch(
                at_work, "payments", freeze_world.CUTOFF.date(), freeze_world.CUTOFF, None
            )
            assert run_sql(made.admin_url, still_connected) == [(1,)]
        assert run_sql(made.admin_url, still_connected) == [(0,)]
        run_sql(made.admin_url, take_away)
        with connect(moved) as after:
            found = after.execute("select count(*) from ops.batch where feed = 'payments'")
            assert found.fetchone() == (3,)
        with pytest.raises(psycopg.OperationalError), psycopg.connect(made.settings.warehouse_url):
            pass


@pytest.mark.slow
def test_airflows_database_and_the_fernet_key(
    server: tuple[SandboxServer, Path], tmp_path: Path
) -> None:
    running, _ = server
    state.write(tmp_path, running)
    home = AirflowHome(tmp_path)  # Airflow reads no home with a per cent sign
    airflow_home.prepare(home)
    airflow(home, "db", "migrate")
    airflow(home, "connections", "add", "kept", "--conn-uri", "http://u:hidden@host/")
    key = option(home, "core", "fernet_key")

    # another login, with the objects of the first
    (take_over, shut_out) = blocks("Airflow's database", "sql")
    run_sql(running.admin_url, take_over)
    url = with_login(running.airflow_url, "airflow_b", "new")
    set_option(home, "database", "sql_alchemy_conn", url.replace("://", "+psycopg2://", 1))
    run_sql(running.admin_url, shut_out)
    assert "hidden" in airflow(home, "connections", "export", "-", "--file-format", "env")

    # another key
    new = urlsafe_b64encode(secrets.token_bytes(32)).decode()
    set_option(home, "core", "fernet_key", f"{new},{key}")
    assert "hidden" in airflow(home, "connections", "export", "-", "--file-format", "env")
    ((rotate,),) = [block.strip().splitlines() for block in blocks("The Fernet key", "sh")]
    airflow(home, *rotate.split()[1:])
    set_option(home, "core", "fernet_key", new)
    assert "hidden" in airflow(home, "connections", "export", "-", "--file-format", "env")
    set_option(home, "core", "fernet_key", key)  # the old one opens nothing any more
    assert "hidden" not in airflow(
        home, "connections", "export", "-", "--file-format", "env", ok=False
    )


@pytest.mark.parametrize(("section", "name"), [("api_auth", "jwt_secret"), ("api", "secret_key")])
def test_a_deleted_secret_of_airflow_is_drawn_anew_and_no_other(
    server: tuple[SandboxServer, Path], tmp_path: Path, section: str, name: str
) -> None:
    """On one machine; with Compose, tests/pipeline/test_roles.py gives the services another one."""
    state.write(tmp_path, server[0])
    home = AirflowHome(tmp_path)
    airflow_home.prepare(home)
    before = configured(home)
    del before[section][name]
    with home.config_file.open("w") as stream:
        before.write(stream)
    airflow_home.prepare(home)
    after = configured(home)
    assert len(after[section].pop(name)) >= 32
    assert after == before


def configured(home: AirflowHome) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    config.read(home.config_file)
    return config


def airflow(home: AirflowHome, *arguments: str, ok: bool = True) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env=airflow_home.environment(home, schedules=False),
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ok or done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def option(home: AirflowHome, section: str, name: str) -> str:
    return configured(home)[section][name]


def set_option(home: AirflowHome, section: str, name: str, value: str) -> None:
    config = configured(home)
    config[section][name] = value
    with home.config_file.open("w") as stream:
        config.write(stream)


@pytest.mark.skipif(
    shutil.which("openssl") is None or programs_with_tls() is None,
    reason="openssl makes the certificates, and the embedded PostgreSQL is built without TLS",
)
def test_another_certificate_ends_no_session(tmp_path: Path) -> None:
    programs = programs_with_tls()
    assert programs is not None
    old, new = (Authority(tmp_path, name) for name in ("old", "new"))
    (reload,) = blocks("PostgreSQL's certificate", "sql")
    trusted = tmp_path / "root.crt"
    trusted.write_bytes(old.certificate.read_bytes())
    with server_with_tls(programs, old) as (plain, data, account):
        url = f"{plain}?sslmode=verify-full&sslrootcert={trusted}"
        with psycopg.connect(url) as at_work:
            trusted.write_bytes(old.certificate.read_bytes() + new.certificate.read_bytes())
            new.install(data, account)
            run_sql(url, reload)
            time.sleep(1)  # the server reads it at leisure
            with psycopg.connect(url) as after:
                found = after.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
                assert found.fetchone() == (True,)
            assert at_work.execute("select 1").fetchone() == (1,)
        trusted.write_bytes(new.certificate.read_bytes())
        assert run_sql(url, reload.split(";", 1)[1]) == [("on",)]
        trusted.write_bytes(old.certificate.read_bytes())
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
            psycopg.connect(url)


def test_people_change_their_own(server: tuple[SandboxServer, Path]) -> None:
    running, _ = server
    with psycopg.connect(running.admin_url, autocommit=True) as admin:
        admin.execute("create role bi login password 'old'")
        admin.execute("create role chotso_backup login replication password 'old'")
    try:
        run_sql(running.admin_url, blocks("Logins of people, BI and backups", "sql")[0])
        with psycopg.connect(with_login(running.warehouse_url, "bi", "new")):
            pass
    finally:
        with psycopg.connect(running.admin_url, autocommit=True) as admin:
            admin.execute("drop role bi, chotso_backup")
