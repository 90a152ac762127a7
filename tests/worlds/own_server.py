"""An embedded PostgreSQL for tests: it is empty at first, and does not wait for the disk.

A module that kills, stops or configures its server, or counts its roles, has its own. All others
share one per process, the fixture `running`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from chotso.sandbox import server
from chotso.sandbox.server import SandboxServer
from tests.worlds.migrated import copies_on
from tests.worlds.sandbox_homes import new_home

# A crash of the machine would lose data; but these servers do not outlive their tests.
_HASTY = ("fsync", "full_page_writes", "synchronous_commit")


@contextmanager
def own_server(*, durable: bool = False) -> Iterator[tuple[SandboxServer, Path]]:
    """A server and its home, deleted at the end; `durable` if the test is about durability."""
    with new_home(in_memory=not durable) as home:
        running = server.start(home)
        with psycopg.connect(running.admin_url, autocommit=True) as admin:
            _cheap_logins(admin, running)
            if not durable:
                for name in _HASTY:
                    admin.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(name)))
                admin.execute("select pg_reload_conf()")
                copies_on(running.admin_url)
        yield running, home


def _cheap_logins(admin: psycopg.Connection, running: SandboxServer) -> None:
    """Store passwords with one hash iteration, not 4,096, because a build logs in 200 times."""
    admin.execute("set scram_iterations = 1")
    for url in (running.admin_url, running.source_url, running.warehouse_url, running.airflow_url):
        login = urlsplit(url)
        admin.execute(
            sql.SQL("alter role {} password {}").format(
                sql.Identifier(login.username or ""), sql.Literal(login.password)
            )
        )
