"""Builds for readers, and on some nights compares what was added up with what is counted anew."""

from datetime import date, timedelta

import psycopg
from psycopg import sql

from chotso.build.counted import NIGHTLY_SCHEMA
from chotso.build.dbt import BuildReport, run_build
from chotso.calendar import local_date
from chotso.errors import ChotsoError
from chotso.registers import load_registers
from chotso.settings import Settings
from chotso.warehouse.connect import connect
from chotso.warehouse.row_sql import listed

SCHEMA = "scratch_whole"
_MARTS = "^(dim|fct|rpt)_"
_SUNDAY = 6


def build_for_readers(settings: Settings, night: date) -> BuildReport:
    """Build and show a night, and compare after the nights of Sundays and before each cutoff.

    Raises:
        ChotsoError: A build failed; or a mart differed, and readers see the whole build now.
    """
    report = run_build(settings)
    if report.base_build_id is not None and _is_due(night):
        show_what_is_whole(settings)
    return report


def _is_due(night: date) -> bool:
    cutoffs = {local_date(period.cutoff_at) for period in load_registers().periods}
    return night.weekday() == _SUNDAY or not cutoffs.isdisjoint((night, night + timedelta(days=1)))


def show_what_is_whole(settings: Settings) -> None:
    """Count everything anew, compare, and show the whole build if a mart differs.

    Raises:
        ChotsoError: A build failed; or a mart differed, and readers see the whole build now.
    """
    run_build(settings, schema=SCHEMA, config="current")
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
    """Marts with rows in one schema alone, each with the number of such rows."""
    found = []
    for table in _tables(conn, left) | _tables(conn, right):
        if table not in _tables(conn, left) & _tables(conn, right):
            found.append(f"{table} is in one of them alone")
        elif rows := rows_apart(conn, left, right, table):
            found.append(f"{table}: {rows} rows")
    conn.commit()
    return sorted(found)


def _tables(conn: psycopg.Connection, schema: str) -> set[str]:
    rows = conn.execute(
        "select tablename from pg_tables where schemaname = %s and tablename ~ %s",
        [schema, _MARTS],
    )
    return {row[0] for row in rows}


def rows_apart(conn: psycopg.Connection, left: str, right: str, table: str) -> int:
    """How many rows are in one of the schemas alone."""
    names = [
        row[0]
        for row in conn.execute(
            "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0 "
            "and not attisdropped order by attnum",
            [f"{left}.{table}"],
        )
    ]
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
