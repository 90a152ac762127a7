"""What the drill needs: programs of PostgreSQL that go on running, and the content of databases."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from chotso.sandbox.server import SandboxServer
from chotso.settings import Places, Settings
from tests.worlds.sandbox_homes import PROJECT

TABLES = """
select nspname, relname from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
where relkind = 'r' and nspname not in ('pg_catalog', 'information_schema') order by 1, 2
"""


def on(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def content(url: str) -> dict[tuple[str, str], str]:
    """A hash of each table's rows, in no order; readers' views hang on these alone."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(TABLES).fetchall()
        return {table: _hash(connection, *table) for table in tables}


def _hash(connection: psycopg.Connection, schema: str, name: str) -> str:
    query = sql.SQL("select md5(row::text) from {} as row").format(sql.Identifier(schema, name))
    rows = sorted(row[0] for row in connection.execute(query).fetchall())
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def places(home: Path) -> Places:
    """An empty machine: nothing of the home is there."""
    return Places(
        home=home,
        drop_url=str(home / "drop"),
        landing_url=str(home / "landing"),
        releases_dir=home / "releases",
        pseudonym_key_file=home / "pseudonym.key",
        embedded=True,
    )


def moved(settings: Settings, running: SandboxServer, to: Places) -> Settings:
    """The same databases on another server, with that server's logins."""
    warehouse, source = (
        urlsplit(u).path[1:] for u in (settings.warehouse_url, settings.source_url)
    )
    return settings.model_copy(
        update={
            "home": to.home,
            "warehouse_url": on(running.warehouse_url, warehouse),
            "admin_url": on(running.admin_url, warehouse),
            "source_url": on(running.source_url, source),
            "landing_url": to.landing_url,
            "releases_dir": to.releases_dir,
        }
    )


@contextmanager
def receiving(url: str, folder: Path) -> Iterator[None]:
    """`chotso wal` as a process, until it has all that is committed by the end of the block."""
    running = subprocess.Popen(
        [sys.executable, "-m", "chotso", "wal", "--to", str(folder)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "CHOTSO_BACKUP_URL": url},
        cwd="/",
    )
    try:
        _wait_for_all(url)
        yield
        _wait_for_all(url)
    finally:
        running.terminate()
        assert running.wait(30) is not None


def _wait_for_all(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        wanted = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
        assert wanted is not None
        query = "select coalesce(max(flush_lsn), '0/0') >= %s::pg_lsn from pg_stat_replication"
        deadline = time.monotonic() + 60
        while connection.execute(query, wanted).fetchone() != (True,):
            assert time.monotonic() < deadline, "pg_receivewal does not keep up"
            time.sleep(0.1)
