"""The one switch: shows a build's marts to readers, without a lock that stops a reader.

`marts_store.<table>` holds what readers see. One transaction deletes rows that the build does not
have, inserts new rows, and names the build in `ops.exposed`. Rows that are equal to the byte are
not touched. A reader sees either the old night or the new one, never a mixture. Some marts keep the
rows of every night; there, a night replaces only the rows of its own date. Figures and places of a
sealed period are shown as they were sealed (`chotso.build.official`).

The next build replaces what a refresh showed. Only `fct_intraday_attainment` keeps it, for some
days. `fct_nightly_attainment` has no rows of refreshes.
"""

from datetime import date, timedelta

import psycopg
from psycopg import sql

from chotso.build.official import put_in_place
from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.warehouse.row_sql import listed

STORE = "marts_store"
# Marts that keep every night, each with its column for the night's date or the refresh's instant.
# An exposure replaces only the rows with its own date or instant.
KEPT_BY_NIGHT = {
    "fct_intraday_attainment": "known_at",
    "fct_nightly_attainment": "business_date",
    "rpt_pace": "business_date",
}
_OF_NIGHTS = "fct_nightly_attainment"  # refreshes add no rows to it
_OF_REFRESHES = "fct_intraday_attainment"
_REFRESHES_KEPT_DAYS = 7  # business dates, the newest among them
# a mart that keeps every night → its column that is true for the latest one
_MARKS_LATEST = {"rpt_pace": "is_latest_night"}
_MARTS = "^(dim|fct|rpt)_"
# A view is replaced only if a mart's columns changed. Readers that block this are ended after a
# minute (`chotso.waits`), and new readers queue behind us. So we wait only a little longer.
_DDL_LOCK_TIMEOUT = "90s"
_LOADER_VACUUMS = 170000  # in older PostgreSQL only a table's owner may vacuum it
# A night changes few rows of a large mart. Below 2 % dead rows a vacuum costs more than it saves.
_WORN = """
select relname
from pg_stat_all_tables
where schemaname = %(schema)s and relname = any(%(changed)s)
    and (
        n_dead_tup > greatest(n_live_tup / 50, 50)
        or greatest(n_mod_since_analyze, n_ins_since_vacuum) > greatest(n_live_tup / 10, 50)
    )
order by relname
"""


def expose(conn: psycopg.Connection, build_schema: str, build_id: int) -> list[str]:
    """Show the marts of `build_schema` to readers as those of `build_id`, in one transaction.

    Returns:
        The marts of which a row changed, for `tidy`.

    Raises:
        ChotsoError: The schema holds no marts, or a column changed its type.
    """
    with conn.transaction():
        conn.execute("set local work_mem = '128MB'")
        conn.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(_DDL_LOCK_TIMEOUT)))
        tables = mart_tables(conn, build_schema)
        if not tables:
            raise ChotsoError(
                f"The schema {build_schema} holds no marts.",
                kept="readers see what they saw.",
                next_step="run `chotso build`.",
            )
        day, is_refresh = _date(conn, build_id)
        changed = []
        for table in tables:
            _fit(conn, build_schema, table)
            if table == _OF_NIGHTS and is_refresh:
                continue
            dropped = _drop_refreshes(conn, table, day) if table in KEPT_BY_NIGHT else 0
            if dropped + _replace(conn, build_schema, table, build_id):
                changed.append(table)
        put_in_place(conn, build_id)
        conn.execute(
            """
            insert into ops.exposed (generation, exposed_at) values (%s, clock_timestamp())
            on conflict (is_only) do update
            set generation = excluded.generation, exposed_at = excluded.exposed_at
            """,
            [build_id],
        )
        conn.execute(
            "update ops.build set exposed_at = clock_timestamp(), status = 'exposed' "
            "where build_id = %s",
            [build_id],
        )
        failpoint("exposing.before-commit")
    return changed


def tidy(conn: psycopg.Connection, changed: list[str]) -> list[str]:
    """Vacuum and analyse the marts of which many rows changed; blocks no reader.

    Args:
        conn: A session without an open transaction.
        changed: The marts that an exposure changed.

    Returns:
        The marts that were vacuumed.
    """
    conn.execute("select pg_stat_force_next_flush()")  # else our own changes are counted later
    conn.commit()
    worn = [row[0] for row in conn.execute(_WORN, {"schema": STORE, "changed": changed})]
    conn.commit()
    if conn.info.server_version < _LOADER_VACUUMS:  # autovacuum reuses the space
        for table in worn:
            conn.execute("select ops.analyze_mart(%s)", [table])
        conn.commit()
        return worn
    conn.autocommit = True
    try:
        for table in worn:
            # truncating the end of a file would block readers for a moment
            conn.execute(sql.SQL("vacuum (truncate false, analyze) {}").format(_in(STORE, table)))
    finally:
        conn.autocommit = False
    return worn


def _in(schema: str, name: str) -> sql.Identifier:
    return sql.Identifier(schema, name)


def mart_tables(conn: psycopg.Connection, schema: str) -> list[str]:
    """The marts that are tables of a schema, in order."""
    rows = conn.execute(
        "select tablename from pg_tables where schemaname = %s and tablename ~ %s order by 1",
        [schema, _MARTS],
    )
    return [row[0] for row in rows if "__dbt_" not in row[0]]


def _date(conn: psycopg.Connection, build_id: int) -> tuple[date, bool]:
    """The build's newest business date, and whether the night of that date has not run yet."""
    row = conn.execute(
        "select business_date, is_refresh from ops.build where build_id = %s", [build_id]
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def _fit(conn: psycopg.Connection, schema: str, table: str) -> None:
    """Call the keeper's function, which makes table and view with the mart's columns.

    The loader must not make them: functions in a view run with the rights of its readers.
    """
    try:
        conn.execute("select ops.fit_mart(%s, %s)", [schema, table])
    except psycopg.errors.DatatypeMismatch as error:
        raise ChotsoError(
            str(error.diag.message_primary),
            kept="readers see what they saw.",
            next_step="give the column a new name: BI tools rely on the type of the old one.",
        ) from error


def columns_and_key(
    conn: psycopg.Connection, schema: str, table: str
) -> tuple[list[str], list[str]]:
    """The columns of the built table, and of its primary key."""
    row = conn.execute(
        """
        select
            (
                select array_agg(attname::text order by attnum)
                from pg_attribute
                where attrelid = class.oid and attnum > 0 and not attisdropped
            ),
            (
                select array_agg(attname::text order by key.place)
                from pg_index
                cross join lateral unnest(indkey) with ordinality as key (attnum, place)
                inner join pg_attribute
                    on attrelid = indrelid and pg_attribute.attnum = key.attnum
                where indrelid = class.oid and indisprimary
            )
        from pg_class as class
        inner join pg_namespace as namespace on namespace.oid = class.relnamespace
        where namespace.nspname = %s and class.relname = %s
        """,
        [schema, table],
    ).fetchone()
    assert row is not None
    return row[0], row[1] or []


def _replace(conn: psycopg.Connection, schema: str, table: str, build_id: int) -> int:
    """Make the stored mart equal to the built one, or only the night's rows if it keeps nights.

    Returns:
        The number of rows that were deleted or inserted.
    """
    columns, key = columns_and_key(conn, schema, table)
    names = {
        "store": _in(STORE, table),
        "built": _in(schema, table),
        "columns": listed(columns),
        "same_key": _all_equal(key or columns),
        # as stored, to the byte: 1.0 and 1.00 are different, null and null are not
        "same_row": sql.SQL("row({})::record operator(pg_catalog.*=) row({})::record").format(
            _of("built", columns), _of("stored", columns)
        ),
        "order": _of("built", key or columns),  # new index entries come side by side
        "build": sql.Literal(build_id),
        "replaced": sql.SQL("true"),
    }
    night = KEPT_BY_NIGHT.get(table)
    if night:
        names["replaced"] = sql.SQL("stored.{0} in (select {0} from {1})").format(
            sql.Identifier(night), names["built"]
        )
    deleted = conn.execute(
        sql.SQL(
            "delete from {store} as stored where {replaced} and not exists "
            "(select from {built} as built where {same_key} and {same_row})"
        ).format(**names)
    )
    inserted = conn.execute(
        sql.SQL(
            "insert into {store} (generation, {columns}) select {build}, {columns} "
            "from {built} as built where not exists "
            "(select from {store} as stored where {same_key}) order by {order}"
        ).format(**names)
    )
    if mark := _MARKS_LATEST.get(table):
        assert night is not None
        _mark_latest(conn, table, night, mark)
    return deleted.rowcount + inserted.rowcount


def _of(relation: str, columns: list[str]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(relation, name) for name in columns)


def _all_equal(columns: list[str]) -> sql.Composable:
    return sql.SQL(" and ").join(
        sql.SQL("built.{0} = stored.{0}").format(sql.Identifier(name)) for name in columns
    )


def _mark_latest(conn: psycopg.Connection, table: str, night: str, mark: str) -> None:
    """Correct rows of earlier nights that are still marked as the latest."""
    columns, _ = columns_and_key(conn, STORE, table)
    conn.execute(
        sql.SQL(
            "with outdated as (delete from {store} "
            "where {mark} <> ({night} = (select max({night}) from {store})) returning *) "
            "insert into {store} ({columns}) select {values} from outdated"
        ).format(
            store=_in(STORE, table),
            night=sql.Identifier(night),
            mark=sql.Identifier(mark),
            columns=listed(columns),
            values=sql.SQL(", ").join(
                sql.SQL("not {}").format(sql.Identifier(name))
                if name == mark
                else sql.Identifier(name)
                for name in columns
            ),
        )
    )


def _drop_refreshes(conn: psycopg.Connection, table: str, day: date) -> int:
    """Delete the rows of earlier refreshes; the mart of refreshes keeps those of the last days."""
    first = day - timedelta(days=_REFRESHES_KEPT_DAYS - 1) if table == _OF_REFRESHES else date.max
    return conn.execute(
        sql.SQL(
            "delete from {} as shown using ops.build as build "
            "where build.build_id = shown.generation and build.is_refresh "
            "and build.business_date < %s"
        ).format(_in(STORE, table)),
        [first],
    ).rowcount
