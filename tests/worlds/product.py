"""The warehouse for tests of figures: its own databases on one embedded server."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chotso.build.dbt import run_build
from chotso.ingest.night import extract_all, final_extract
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from tests.oracle.compare import ARREARS_KEY, ATTAINMENT_KEY, differences
from tests.oracle.hostile.turn import CUTOFF
from tests.oracle.model import Observation
from tests.oracle.recompute import arrears_ratio, attainment
from tests.worlds.migrated import make_migrated

SOURCE_LOGIN = "chotso_source"


@dataclass(frozen=True)
class Product:
    """One warehouse over one source; `source_admin_url` may write the source."""

    settings: Settings
    source_admin_url: str
    admin_url: str
    drop: Path

    def night(self, business_date: date) -> None:
        """Extract every group and build for readers; fails if anything was stopped."""
        stopped = [s for r in extract_all(self.settings, business_date) for s in r.stopped]
        assert not stopped, "\n".join(stopped)
        run_build(self.settings)

    def final(self, business_date: date, period: str = "sprint-2021-q4") -> None:
        """Run the final extract of a freeze, then the build."""
        done = final_extract(self.settings, business_date, final_of=period, not_before=CUTOFF)
        assert not done.stopped, "\n".join(done.stopped)
        run_build(self.settings)

    def rebuild(
        self, schema: str, as_known_at: datetime | None = None, cutoff: datetime | None = None
    ) -> None:
        """Build as known at another instant, into a scratch schema."""
        run_build(self.settings, schema=schema, as_known_at=as_known_at, event_cutoff=cutoff)

    def wrong_figures(
        self,
        observations: list[Observation],
        as_known_at: datetime,
        cutoff: datetime | None = None,
        schema: str = "marts",
    ) -> list[str]:
        """The differences from the oracle in the two fact tables of a schema."""
        return [
            *differences(
                self.rows(schema, "fct_monthly_attainment"),
                attainment(observations, as_known_at, cutoff),
                ATTAINMENT_KEY,
            ),
            *differences(
                self.rows(schema, "fct_arrears_ratio"),
                arrears_ratio(observations, as_known_at, cutoff),
                ARREARS_KEY,
            ),
        ]

    def rows(self, schema: str, table: str) -> list[dict[str, Any]]:
        """All rows of a table as dicts."""
        with psycopg.connect(self.admin_url, row_factory=dict_row) as connection:
            query = sql.SQL("select * from {}").format(sql.Identifier(schema, table))
            return connection.execute(query).fetchall()


@contextmanager
def product(server: SandboxServer, name: str, folder: Path) -> Iterator[Product]:
    """A migrated, empty warehouse with its own databases, which are dropped at the end.

    Their names are not used again, because Great Expectations caches connections by URL.
    """
    name = f"{name}_{secrets.token_hex(4)}"
    source, warehouse = f"tst_{name}", f"warehouse_{name}"
    folder = folder / "home [1] #2 %41"  # characters with a meaning in patterns, URLs and markup
    drop = folder / "drop"
    drop.mkdir(parents=True)
    key_file = folder / "pseudonym.key"
    key_file.write_bytes(b"a key for tests, of enough bytes in all")
    key_file.chmod(0o600)
    settings = Settings(
        home=folder,
        warehouse_url=_on(server.warehouse_url, warehouse),
        admin_url=_on(server.admin_url, warehouse),
        source_url=_on(server.source_url, source),
        drop_url=str(drop),
        landing_url=str(folder / "landing"),
        releases_dir=folder / "releases",
        pseudonym_key_file=key_file,
        embedded=False,
    )
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute(_database("create database {}", source))
    try:
        make_migrated(settings)
        yield Product(
            settings,
            _on(server.source_admin_url, source),
            _on(server.admin_url, warehouse),
            drop,
        )
    finally:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            for database in (source, warehouse):
                connection.execute(_database("drop database if exists {} with (force)", database))


def _database(statement: LiteralString, name: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(name))


def _on(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
