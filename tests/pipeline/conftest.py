"""One real Airflow on one real PostgreSQL, with a tiny province, for the nights of this folder."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chotso.orchestration import local
from chotso.orchestration.client import AirflowClient
from chotso.orchestration.drive import get_ready
from chotso.sandbox import province
from chotso.sandbox import server as sandbox
from chotso.settings import Settings, load_settings
from chotso.warehouse.migrate import migrate

PERSONS, EMPLOYERS = 1_500, 60


@dataclass(frozen=True)
class Pipeline:
    """A running warehouse, its source, and the Airflow that moves data from one to the other."""

    home: Path
    server: sandbox.SandboxServer
    settings: Settings
    api: AirflowClient

    def advance(self, to: datetime) -> None:
        """Let the source live until an instant."""
        province.advance(
            self.server.source_admin_url,
            self.home / "drop",
            to=to,
            state_dir=self.home / "sandbox",
            progress=lambda text: None,
        )

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, read as its superuser."""
        with psycopg.connect(self.server.admin_url) as connection:
            return connection.execute(query, values).fetchall()

    def source_rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the source."""
        with psycopg.connect(self.server.source_url) as connection:
            return connection.execute(query).fetchall()

    @contextmanager
    def airflow_database(self) -> Iterator[psycopg.Connection]:
        """Airflow's own database, committed at the end."""
        with psycopg.connect(self.server.airflow_url) as connection:
            yield connection


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pytest.MonkeyPatch.context() as patch, _home() as home:
        for name in [name for name in os.environ if name.startswith("CHOTSO_")]:
            patch.delenv(name)
        patch.setenv("CHOTSO_HOME", str(home))
        server = sandbox.start(home)
        try:
            yield _made(home, server)
        finally:
            local.stop(home)
            sandbox.stop(home)


@contextmanager
def _home() -> Iterator[Path]:
    # Vietnamese letters and a blank in the path, as people have them.
    with tempfile.TemporaryDirectory(prefix="chotso-nhà ", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def _made(home: Path, server: sandbox.SandboxServer) -> Pipeline:
    province.seed(
        server.source_admin_url,
        home / "drop",
        persons=PERSONS,
        employers=EMPLOYERS,
        year=2021,
        seed=2021,
        defects="none",
        state_dir=home / "sandbox",
        progress=lambda text: None,
    )
    settings = load_settings()
    migrate(settings)
    local.start(home)
    api = local.client(home)
    get_ready(api)
    return Pipeline(home, server, settings, api)
