"""A warehouse with something in every frozen table, to be attacked."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from chotso.build.expose import expose
from chotso.migrate import migrate
from chotso.release.seal.freeze import FreezeReport
from chotso.sandbox.server import SandboxServer
from chotso.settings import Settings
from chotso.warehouse import locks
from chotso.warehouse.connect import connect
from tests.worlds import freeze_world
from tests.worlds.own_server import own_server
from tests.worlds.product import product

RELEASE = freeze_world.PERIODS[0]


@dataclass(frozen=True)
class SealedWorld:
    """A release, a rehearsal, a signature and an override; `admin` is a superuser's session.

    `home` is the embedded server's, None where CHOTSO_TEST_POSTGRES_URL names another PostgreSQL.
    """

    settings: Settings
    admin: psycopg.Connection
    admin_url: str
    report: FreezeReport
    home: Path | None


@contextmanager
def sealed_world() -> Iterator[SealedWorld]:
    with (
        tempfile.TemporaryDirectory() as folder,
        a_server() as (running, home),
        product(running, "attacks", Path(folder) / "work") as made,
    ):
        freeze_world.empty(made.settings)
        freeze_world.prepare(made.settings, made.source_admin_url)
        freeze_world.seal(made.settings, rehearse=True)
        report = freeze_world.seal(made.settings)
        _show_a_mart(made.settings)
        with psycopg.connect(made.admin_url) as admin:
            with locks.hold(admin, "migrate"):
                admin.execute(SIGNED, [RELEASE, report.root_sha256])
                admin.execute(PASSED, [RELEASE])
                admin.execute(REGISTERED)
                admin.commit()
            migrate(made.settings)  # makes the groups of the agencies' readers
            yield SealedWorld(made.settings, admin, made.admin_url, report, home)


@contextmanager
def a_server() -> Iterator[tuple[SandboxServer, Path | None]]:
    """The embedded PostgreSQL and its home, or the one that CHOTSO_TEST_POSTGRES_URL names."""
    named = os.environ.get("CHOTSO_TEST_POSTGRES_URL")
    if named is None:
        with own_server() as made:
            yield made
        return
    yield _named_server(named), None


@cache
def _named_server(url: str) -> SandboxServer:
    fresh = SandboxServer.new(
        port=urlsplit(url).port or 5432, data_dir=Path("/nowhere"), log_file=Path("/nowhere")
    )
    with psycopg.connect(url, autocommit=True) as admin:
        for login in map(urlsplit, (fresh.source_url, fresh.warehouse_url)):
            known = admin.execute(
                "select rolname from pg_roles where rolname = %s", [login.username]
            ).fetchone()
            admin.execute(
                sql.SQL("{} role {} login password {}").format(
                    sql.SQL("alter" if known else "create"),
                    sql.Identifier(login.username or ""),
                    sql.Literal(login.password),
                )
            )
    return replace(fresh, admin_url=url, source_admin_url=url)


def _show_a_mart(settings: Settings) -> None:
    with connect(settings) as conn:
        conn.execute("create table marts_build.dim_month (month date primary key)")
        row = conn.execute(
            "insert into ops.build (business_date, as_known_at, target_schema, config, "
            "config_sha256, code_version, status) values ('2021-12-30', now(), 'marts_build', "
            "'{}', '', '', 'running') returning build_id"
        ).fetchone()
        assert row is not None
        expose(conn, "marts_build", row[0])


SIGNED = """
insert into frozen.certification (release_id, signer_id, signer_name, public_key, root_sha256,
    certified_at, signature, recorded_by)
values (%s, 'an', 'Người ký', repeat('a', 64), %s, '2022-01-05T03:00:00.000000Z', repeat('a', 128),
    'attacker_certifier')
"""
REGISTERED = """
insert into raw.agencies (ma_co_quan, batch_id, known_from)
select code, 'x', now() from unnest(array['072', '07200', '07201']) as code
on conflict do nothing
"""
PASSED = """
insert into ops.freeze_override (release_id, check_code, reason, first_name, second_name,
    as_known_at)
values (%s, 'control_totals_equal', 'x', 'Trần Thị Thử', 'Lê Văn Mẫu', now())
"""
