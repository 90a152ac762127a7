"""Copies of a product's databases and landing archive, for tests that break them."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from chotso.settings import Settings
from tests.worlds.product import Product


class cloned:
    """A copy of a product's warehouse and landing archive, dropped at the end.

    Args:
        base: What is copied.
        folder: Where the copy's archive is put.
        name: Of the copy.
        tablespace: The copy's tablespace, the server's default if None.
    """

    def __init__(
        self, base: Product, folder: Path, name: str, tablespace: str = "pg_default"
    ) -> None:
        self._base = base
        self._name = f"warehouse_killed_{name}"
        self._folder = folder / name
        self._tablespace = tablespace

    def __enter__(self) -> Settings:
        landing = self._folder / "landing"
        shutil.copytree(self._base.settings.landing_url, landing)
        copy_database(
            self._base.admin_url, database(self._base.admin_url), self._name, self._tablespace
        )
        execute(
            self._base.admin_url,
            sql.SQL(
                "grant connect, temporary on database {0} to chotso_loader; "
                "grant create on database {0} to chotso_keeper"
            ).format(sql.Identifier(self._name)),
        )
        # A copied sequence keeps values in hand that only the original's log knows: after a crash
        # of the copy they would be dealt out again.
        with psycopg.connect(on(self._base.admin_url, self._name)) as conn:
            conn.execute(
                "select setval(format('%I.%I', schemaname, sequencename)::regclass, last_value) "
                "from pg_sequences where last_value is not null"
            )
        return self._base.settings.model_copy(
            update={
                "home": self._folder,
                "landing_url": str(landing),
                "warehouse_url": on(self._base.settings.warehouse_url, self._name),
                "admin_url": on(self._base.admin_url, self._name),
            }
        )

    def __exit__(self, *_: object) -> None:
        drop_database(self._base.admin_url, self._name)
        shutil.rmtree(self._folder)


def copy_database(admin_url: str, template: str, name: str, tablespace: str = "pg_default") -> None:
    """Make a database as a copy of another one that nobody is connected to."""
    execute(
        admin_url,
        sql.SQL("create database {} template {} tablespace {}").format(
            sql.Identifier(name), sql.Identifier(template), sql.Identifier(tablespace)
        ),
    )


def drop_database(admin_url: str, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    execute(
        admin_url,
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)),
    )


def execute(admin_url: str, statement: sql.Composed) -> None:
    """Run one statement in the server's maintenance database, outside a transaction."""
    with psycopg.connect(on(admin_url, "postgres"), autocommit=True) as conn:
        conn.execute(statement)


def admin(base: Product, settings: Settings) -> str:
    """The superuser's URL of a cloned warehouse."""
    return on(base.admin_url, database(settings.warehouse_url))


def database(url: str) -> str:
    """The database that a URL names."""
    return urlsplit(url).path.lstrip("/")


def on(url: str, name: str) -> str:
    """The URL on another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def through(url: str, port: int) -> str:
    """The URL by way of another port of 127.0.0.1."""
    parts = urlsplit(url)
    account = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{account}@127.0.0.1:{port}"))
