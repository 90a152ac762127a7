"""Builds for readers, and on some nights compares that build with one that counts all persons."""

from datetime import date, timedelta

import psycopg
from psycopg import sql

from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.build.dbt import BuildReport, run_build
from chotso.build.expose import columns_and_key, mart_tables
from chotso.calendar import local_date
from chotso.errors import ChotsoError
from chotso.ingest.night import is_weekly_full_read
from chotso.registers import load_registers
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.row_sql import listed

SCHEMA = "scratch_whole"


def build_for_readers(settings: Settings, night: date) -> BuildReport:
    """Build and show a night, and compare after the nights of Sundays and before each cutoff.

    Raises:
        ChotsoError: A build failed; or a mart differed, and readers see the whole build now.
    """
    report = run_build(settings)
    if report.base_build_id is not None and _is_due(night):
        show_what_is_whole(settings, report)
    return report


def _is_due(night: date) -> bool:
    cutoffs = {local_date(period.cutoff_at) for period in load_registers().periods}
    return is_weekly_full_read(night) or not cutoffs.isdisjoint((night, night + timedelta(days=1)))


def show_what_is_whole(settings: Settings, shown: BuildReport) -> None:
    """Count everything anew, compare, and show the whole build if a mart differs.

    Args:
        settings: Where the warehouse is.
        shown: What readers see. What was published since is left out of the comparison.

    Raises:
        ChotsoError: A build failed; or a mart differed, and readers see the whole build now.
    """
    run_build(settings, as_known_at=shown.as_known_at, schema=SCHEMA, config="current")
    with connect(settings) as conn:
        found = differences(conn, NIGHTLY_SCHEMA, SCHEMA)
        conn.execute("select ops.drop_scratch_schema(%s)", [SCHEMA])
        conn.commit()
    if not found:
        return
    report = run_build(settings, is_whole=True)
    raise ChotsoError(
        f"What was added up night by night differs from the whole build: {'; '.join(found[:5])}.",
        kept=f"readers see the whole build {report.build_id} now; sealed releases are always built "
        "whole.",
        next_step='read docs/operations.md, "When the two builds differ", and report it with the '
        "ledger's rows of both builds (`ops.build`).",
    )


def differences(conn: psycopg.Connection, left: str, right: str) -> list[str]:
    """Marts that have rows in only one of the schemas, each with the number of such rows."""
    one, other = set(mart_tables(conn, left)), set(mart_tables(conn, right))
    found = [f"{table} is in one of them alone" for table in one ^ other]
    for table in one & other:
        if rows := rows_apart(conn, left, right, table):
            found.append(f"{table}: {rows} rows")
    conn.commit()
    return sorted(found)


def rows_apart(conn: psycopg.Connection, left: str, right: str, table: str) -> int:
    """How many rows are in only one of the schemas."""
    names, _ = columns_and_key(conn, left, table)
    one, other = sql.Identifier(left, table), sql.Identifier(right, table)
    row = conn.execute(
        sql.SQL(
            "select count(*) from ("
            "(select {names} from {one} except all select {names} from {other}) union all "
            "(select {names} from {other} except all select {names} from {one})) as apart"
        ).format(names=listed(names), one=one, other=other)
    ).fetchone()
    assert row is not None
    return int(row[0])
