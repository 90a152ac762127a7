"""Warehouses of older versions, made as README.md says, are upgraded: nothing is lost."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from chotso.calendar import night_of
from chotso.migrate import migrate
from chotso.release.check.database import verify_with_database
from chotso.release.seal.freeze import freeze
from chotso.sandbox.province import tables
from tests.proofs import record
from tests.upgrades.restoring import VERSIONS, restored, root_of
from tests.worlds.product import Product

pytestmark = [pytest.mark.warehouse, pytest.mark.proof, pytest.mark.timeout(1800)]

SEALED, NEXT = "sprint-2021-q4", "plan-2021-m09-12"
LAST_NIGHT = date(2021, 12, 31)
Rows = list[tuple[Any, ...]]
Columns = dict[str, list[str]]

# Relations of before, by schema: what holds an upgrade would not make again.
KEPT = ("frozen", "ops", "quarantine", "raw")
OF_THE_CODE = "ops.configuration"  # the registers of the code that migrated last
FIGURES = ("actual_month", "actual_to_date", "plan_in_force", "attainment_ratio", "is_met")


# The newest and the one before the redesign in every run, the others in `make proofs`.
_SELDOM = {"0.1.0", "0.2.0"}


@pytest.fixture(
    params=[pytest.param(v, marks=[pytest.mark.slow] * (v in _SELDOM)) for v in VERSIONS]
)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old(version: str, tmp_path: Path) -> Iterator[Product]:
    with restored(version, tmp_path) as made:
        yield made


def columns_of(made: Product) -> Columns:
    """The columns of each table that is kept."""
    query = """
        select table_schema || '.' || table_name, array_agg(column_name::text order by 1)
        from information_schema.columns join information_schema.tables
            using (table_schema, table_name)
        where table_schema = any(%s) and table_type = 'BASE TABLE' group by 1
    """
    with psycopg.connect(made.admin_url) as admin:
        found: Columns = dict(admin.execute(query, [list(KEPT)]).fetchall())
    return {table: names for table, names in found.items() if table != OF_THE_CODE}


def contents(made: Product, columns: Columns) -> dict[str, list[str]]:
    """All rows of those columns, each as one text."""
    found = {}
    with psycopg.connect(made.admin_url, options="-c timezone=UTC") as admin:
        for table, names in columns.items():
            query = sql.SQL("select row({})::text from {} order by 1").format(
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.Identifier(*table.split(".")),
            )
            found[table] = [row for (row,) in admin.execute(query).fetchall()]
    return found


def shown(made: Product, before: date) -> Rows:
    """What readers see of months before one."""
    query = sql.SQL(
        "select month, agency_code, metric_code, {} from marts.fct_monthly_attainment "
        "where month < %s order by 1, 2, 3"
    ).format(sql.SQL(", ").join(map(sql.Identifier, FIGURES)))
    with psycopg.connect(made.admin_url) as admin:
        return admin.execute(query, [before]).fetchall()


def check_releases(made: Product, newest: str) -> None:
    """All releases verify from the newest one's root, and readers see what they say."""
    releases = made.settings.releases_dir
    result = verify_with_database(made.settings, releases, root_of(releases / newest))
    assert (result.status, result.findings) == ("verified", [])


def test_an_upgrade_loses_nothing_and_nights_and_freezes_go_on(version: str, old: Product) -> None:
    columns, figures = columns_of(old), shown(old, date(2022, 1, 1))
    before = contents(old, columns)
    assert all(before[f"raw.{feed}"] for feed in ("payments", "allocations", "participations"))
    assert before["quarantine.row"]
    assert len(before["frozen.release"]) == 1

    began = time.monotonic()
    migrated = migrate(old.settings)
    seconds = time.monotonic() - began
    assert migrated.applied
    assert contents(old, columns) == before
    assert shown(old, date(2022, 1, 1)) == figures
    check_releases(old, SEALED)
    assert migrate(old.settings).applied == []

    with psycopg.connect(old.source_admin_url) as source:
        tables.set_clock(source, night_of(LAST_NIGHT))
    began = time.monotonic()
    old.night(LAST_NIGHT)
    record(
        f"Upgrade from {version}",
        migrate_seconds=round(seconds, 1),
        night_seconds=round(time.monotonic() - began, 1),
    )
    assert shown(old, date(2021, 12, 1)) == [row for row in figures if row[0] < date(2021, 12, 1)]
    check_releases(old, SEALED)
    frozen = {table: names for table, names in columns.items() if table.startswith("frozen.")}
    assert contents(old, frozen) == {table: before[table] for table in frozen}

    freeze(old.settings, NEXT)
    check_releases(old, NEXT)
