"""A separate warehouse for tests of a build, on the embedded or on a given server.

With `CHOTSO_TEST_POSTGRES_URL` (of a superuser), the tests run against that server, e.g. of version
15.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.build.runner import DbtSummary, run_dbt
from chotso.build.scratch import claim_scratch_schema
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from tests.worlds.build_world import World
from tests.worlds.migrated import make_migrated
from tests.worlds.own_server import own_server


@dataclass(frozen=True)
class Servers:
    """A superuser's URL and the URL of the warehouse's login, on any database."""

    admin_url: str
    login_url: str


@cache
def named_server() -> Servers | None:
    """The server of CHOTSO_TEST_POSTGRES_URL, with a new login."""
    named = os.environ.get("CHOTSO_TEST_POSTGRES_URL")
    if named is None:
        return None
    parts = urlsplit(named)
    login = f"chotso_etl_test:{secrets.token_hex(8)}@{parts.hostname}:{parts.port}"
    with psycopg.connect(named, autocommit=True) as admin:
        admin.execute("drop role if exists chotso_etl_test")
    return Servers(named, f"postgresql://{login}/postgres")


@contextmanager
def any_server() -> Iterator[Servers]:
    """The given server, or an embedded one only for this module."""
    named = named_server()
    if named is not None:
        yield named
        return
    with own_server() as (running, _):
        yield Servers(running.admin_url, running.warehouse_url)


@dataclass(frozen=True)
class Warehouse:
    """Settings of a migrated, empty warehouse, and its superuser's URL."""

    settings: Settings
    admin_url: str

    @contextmanager
    def world(self) -> Iterator[World]:
        with psycopg.connect(self.admin_url) as admin:
            yield World(admin)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.admin_url) as admin:
            return admin.execute(query).fetchall()  # type: ignore[arg-type, unused-ignore]


def dbt_into(
    settings: Settings, schema: str, variables: dict[str, Any], command: tuple[str, ...]
) -> DbtSummary:
    """One dbt command in a new scratch schema, without the other steps of a build."""
    if schema != NIGHTLY_SCHEMA:
        with connect(settings) as conn:
            claim_scratch_schema(conn, schema)
    return run_dbt(settings, schema, variables, command)


@contextmanager
def warehouse_of_one_payment(servers: Servers, home: Path) -> Iterator[Warehouse]:
    """One night is known, with one payment; nothing is built."""
    with new_warehouse(servers, home) as made:
        with made.world() as world:
            world.batch("2021-12-31", "2022-01-01T01:00")
            world.agency("072", parent=None, level=1)
            world.agency("07201")
            world.employer("TA0001A")
            world.payment("one", "2021-12-31T10:00", ("BHYT", 10, 0))
        yield made


@contextmanager
def new_warehouse(servers: Servers, home: Path) -> Iterator[Warehouse]:
    name = f"build_{secrets.token_hex(4)}"
    admin_url = urlunsplit(urlsplit(servers.admin_url)._replace(path=f"/{name}"))
    settings = Settings(
        home=home,
        warehouse_url=urlunsplit(urlsplit(servers.login_url)._replace(path=f"/{name}")),
        admin_url=admin_url,
        source_url="postgresql://nobody@127.0.0.1/none",
        drop_url=str(home),
        landing_url=str(home),
        releases_dir=home,
        pseudonym_key_file=home / "none",
        embedded=False,
    )
    try:
        make_migrated(settings)
        yield Warehouse(settings, admin_url)
    finally:
        with psycopg.connect(servers.admin_url, autocommit=True) as admin:
            statement = sql.SQL("drop database if exists {} with (force)")
            admin.execute(statement.format(sql.Identifier(name)))
