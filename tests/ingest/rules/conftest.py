"""A real PostgreSQL with the migrated warehouse for the rules' cases.

The embedded one, unless CHOTSO_TEST_ADMIN_URL names a superuser of an empty database elsewhere.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from chotso.migrate import migrate
from chotso.sandbox import place, server
from chotso.settings import Settings


@pytest.fixture(scope="package")
def settings() -> Iterator[Settings]:
    """A migrated warehouse."""
    home = Path(tempfile.mkdtemp(prefix="chotso-rules-", dir="/var/tmp"))
    home.chmod(0o755)
    elsewhere = os.environ.get("CHOTSO_TEST_ADMIN_URL")
    try:
        admin = elsewhere or server.start(home).admin_url
        login = _login(admin) if elsewhere else server.start(home).warehouse_url
        made = Settings(
            home=home,
            warehouse_url=login,
            admin_url=admin,
            source_url=admin,
            drop_url=str(home / "drop"),
            landing_url=str(home / "landing"),
            releases_dir=home / "releases",
            pseudonym_key_file=home / "pseudonym.key",
            embedded=not elsewhere,
        )
        migrate(made)
        yield made
    finally:
        server.stop(home)
        shutil.rmtree(place.relocation_of(home), ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _login(admin_url: str) -> str:
    """The URL of a warehouse login beside a given superuser; migrate makes the login."""
    parts = urlsplit(admin_url)
    place_of = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"rules_test:rules_test@{place_of}"))


@pytest.fixture(scope="package")
def loader(settings: Settings) -> Iterator[psycopg.Connection]:
    """A session as the loader; each test rolls back what it made."""
    options = "-c timezone=UTC -c role=chotso_loader"
    with psycopg.connect(settings.warehouse_url, options=options) as connection:
        yield connection
        connection.rollback()
