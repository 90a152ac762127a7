"""One embedded PostgreSQL with a migrated, empty warehouse for all traps."""

from collections.abc import Iterator

import psycopg
import pytest

from chotso.sandbox.server import SandboxServer
from tests.oracle.hostile.tst import create_schema
from tests.worlds.product import SOURCE_LOGIN, Product, product


@pytest.fixture(scope="package")
def warehouse(
    running: SandboxServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """A warehouse over an empty source."""
    folder = tmp_path_factory.mktemp("traps")
    with product(running, "traps", folder) as made:
        with psycopg.connect(made.source_admin_url) as conn:
            create_schema(conn, SOURCE_LOGIN)
        yield made


@pytest.fixture
def conn(warehouse: Product) -> Iterator[psycopg.Connection]:
    """A superuser's session in the warehouse; what a test made is rolled back."""
    with psycopg.connect(warehouse.admin_url) as connection:
        yield connection
        connection.rollback()
