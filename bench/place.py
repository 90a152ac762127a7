"""Where `make bench` measures: an embedded PostgreSQL, with a database for all ways but ours."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.lines import SCHEMA
from chotso import PROJECT_ROOT
from chotso.migrate import migrate
from chotso.sandbox import server as sandbox
from chotso.settings import load_settings

HOME = PROJECT_ROOT / "build" / "bench"


@dataclass(frozen=True)
class Place:
    """The server, and the database that all ways but ours fill."""

    server: sandbox.SandboxServer
    target_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a measured process reads."""
        return {
            "BENCH_SOURCE_URL": self.server.source_url,
            "BENCH_TARGET_URL": self.target_url,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "GX_ANALYTICS_ENABLED": "false",
        }

    def settle(self) -> None:
        """Write pending data to disk, so that the next measurement does not have to."""
        with psycopg.connect(self.server.admin_url, autocommit=True) as connection:
            connection.execute("checkpoint")


@contextmanager
def place() -> Iterator[Place]:
    """A migrated warehouse for this run; its data are removed at the end."""
    HOME.mkdir(parents=True, exist_ok=True)
    os.environ["CHOTSO_HOME"] = str(HOME)
    server = sandbox.start(HOME)
    try:
        migrate(load_settings())
        yield Place(server, _target(server.admin_url))
    finally:
        sandbox.stop(HOME)
        _forget(server.data_dir, HOME / "landing")
        (HOME / "sandbox.json").unlink(missing_ok=True)


def say(text: str) -> None:
    """Tell how far the run is."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _forget(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _target(admin_url: str) -> str:
    """A database beside the warehouse, which lets nobody make schemas."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("drop database if exists bench with (force)")
        admin.execute("drop role if exists bench")
        admin.execute("create role bench login password 'bench'")
        admin.execute("create database bench owner bench")
        host, port = admin.info.host, admin.info.port
    url = f"postgresql://bench:bench@{host}:{port}/bench"
    with psycopg.connect(url) as target:
        target.execute(f"create schema {SCHEMA}".encode())
    return url
