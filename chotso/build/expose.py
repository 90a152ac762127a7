"""The one switch: a build's marts become what readers see, without a lock that stops a reader.

Rows are appended to `marts_store.<table>` under a new generation; the views in `marts` show the
generation that `ops.exposed` names. A reader's snapshot sees the old night or the new, whole.
A mart that keeps what every night showed is not replaced: a night replaces only its own date.
Places of a sealed period are shown as they were sealed (`chotso.freeze.official`).
"""

import psycopg
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.failpoints import failpoint
from chotso.freeze.official import put_in_place
from chotso.warehouse.row_sql import listed

STORE = "marts_store"
READ = "marts"
# mart → the column that names the night
KEPT_BY_NIGHT = {"fct_nightly_attainment": "business_date"}
READERS = ("chotso_reader", "chotso_auditor")
# What an agency's own reader may see: its own rows of these, and dimensions that name no agency.
AGENCY_READER = "chotso_agency_reader"
AGENCY = "agency_code"
_MARTS = "^(dim|fct|rpt)_"
_OWN_AGENCY = f""" and (
    (select guard.own_agencies()) is null
    or {AGENCY} = any ((select guard.own_agencies())::text[])
)"""
# A view is replaced only when a mart changed its columns; then it waits this long, not for ever.
_DDL_LOCK_TIMEOUT = "20s"

Columns = dict[str, str]  # name → SQL type, in order


def expose(conn: psycopg.Connection, build_schema: str, build_id: int) -> None:
    """Show the marts of `build_schema` to readers as generation `build_id`, in one transaction.

    The generation shown before is kept for readers whose snapshot is older; those before it go.

    Raises:
        ChotsoError: The schema holds no marts, or a column changed its type.
    """
    with conn.transaction():
        conn.execute("set local work_mem = '128MB'")
        conn.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(_DDL_LOCK_TIMEOUT)))
        tables = _mart_tables(conn, build_schema)
        if not tables:
            raise ChotsoError(
                f"The schema {build_schema} holds no marts.",
                kept="readers see what they saw.",
                next_step="run `chotso build`.",
            )
        previous = _shown(conn)
        for table in tables:
            columns = _columns(conn, build_schema, table)
            _fit_store(conn, build_schema, table, columns)
            if night := KEPT_BY_NIGHT.get(table):
                _drop_same_night(conn, build_schema, table, night)
            _append(conn, build_schema, table, columns, build_id)
            _fit_view(conn, table, columns)
            _copy_comments(conn, build_schema, table, columns)
            if table not in KEPT_BY_NIGHT:
                kept = [build_id, *([previous] if previous is not None else [])]
                _drop_old(conn, table, keep=kept)
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


def tidy(conn: psycopg.Connection) -> None:
    """Give back the room of deleted generations and refresh statistics; blocks no reader."""
    conn.commit()
    conn.autocommit = True
    try:
        for table in _mart_tables(conn, STORE):
            # truncating the end of a file would lock readers out for a moment
            conn.execute(sql.SQL("vacuum (truncate false, analyze) {}").format(_in(STORE, table)))
    finally:
        conn.autocommit = False


def _in(schema: str, name: str) -> sql.Identifier:
    return sql.Identifier(schema, name)


def _mart_tables(conn: psycopg.Connection, schema: str) -> list[str]:
    rows = conn.execute(
        "select tablename from pg_tables where schemaname = %s and tablename ~ %s order by 1",
        [schema, _MARTS],
    )
    return [row[0] for row in rows if "__dbt_" not in row[0]]


def _shown(conn: psycopg.Connection) -> int | None:
    row = conn.execute("select generation from ops.exposed").fetchone()
    return int(row[0]) if row else None


def _columns(conn: psycopg.Connection, schema: str, relation: str) -> Columns:
    rows = conn.execute(
        """
        select attribute.attname, format_type(attribute.atttypid, attribute.atttypmod)
        from pg_attribute as attribute
        inner join pg_class as relation on relation.oid = attribute.attrelid
        inner join pg_namespace as namespace on namespace.oid = relation.relnamespace
        where namespace.nspname = %s and relation.relname = %s
            and attribute.attnum > 0 and not attribute.attisdropped
        order by attribute.attnum
        """,
        [schema, relation],
    )
    return {row[0]: row[1] for row in rows}


def _fit_store(conn: psycopg.Connection, schema: str, table: str, columns: Columns) -> None:
    stored = _columns(conn, STORE, table)
    if not stored:
        conn.execute(
            sql.SQL("create table {} (generation bigint not null, {})").format(
                _in(STORE, table), sql.SQL(", ").join(_definitions(columns))
            )
        )
        _copy_indexes(conn, schema, table)
        return
    for name, kind in columns.items():
        if name not in stored:
            (definition,) = _definitions({name: kind})
            conn.execute(
                sql.SQL("alter table {} add column {}").format(_in(STORE, table), definition)
            )
        elif stored[name] != kind:
            raise ChotsoError(
                f"The mart {table} changed the type of {name} from {stored[name]} to {kind}.",
                kept="readers see what they saw.",
                next_step="give the column a new name: BI tools rely on the type of the old one.",
            )
    _fit_key(conn, schema, table)


def _definitions(columns: Columns) -> list[sql.Composed]:
    # the type's text is the catalogue's own
    return [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in columns.items()
    ]


def _key(conn: psycopg.Connection, schema: str, table: str) -> list[str]:
    return next((names for primary, names in _indexes(conn, schema, table) if primary), [])


def _indexes(conn: psycopg.Connection, schema: str, table: str) -> list[tuple[bool, list[str]]]:
    """The built table's indexes as (is the primary key, columns)."""
    return conn.execute(
        """
        select entry.indisprimary, array_agg(attribute.attname::text order by key.position)
        from pg_index as entry
        cross join lateral unnest(entry.indkey) with ordinality as key (attnum, position)
        inner join pg_attribute as attribute
            on attribute.attrelid = entry.indrelid and attribute.attnum = key.attnum
        where entry.indrelid = format('%%I.%%I', %s::text, %s::text)::regclass
        group by entry.indexrelid, entry.indisprimary
        order by 2
        """,
        [schema, table],
    ).fetchall()


def _fit_key(conn: psycopg.Connection, schema: str, table: str) -> None:
    """A mart that changed its grain gets its new key; the old one would refuse its rows."""
    wanted = ["generation", *_key(conn, schema, table)]
    rows = conn.execute(
        """
        select index.relname, array_agg(attribute.attname::text order by key.position)
        from pg_index as entry
        inner join pg_class as index on index.oid = entry.indexrelid
        cross join lateral unnest(entry.indkey) with ordinality as key (attnum, position)
        inner join pg_attribute as attribute
            on attribute.attrelid = entry.indrelid and attribute.attnum = key.attnum
        where
            entry.indisunique
            and entry.indrelid = format('%%I.%%I', %s::text, %s::text)::regclass
        group by index.relname
        """,
        [STORE, table],
    ).fetchall()
    if wanted in [columns for _, columns in rows]:
        return
    for name, _ in rows:
        conn.execute(sql.SQL("drop index {}").format(_in(STORE, name)))
    if len(wanted) > 1:
        conn.execute(
            sql.SQL("create unique index on {} ({})").format(_in(STORE, table), listed(wanted))
        )


def _copy_indexes(conn: psycopg.Connection, schema: str, table: str) -> None:
    for is_unique, names in _indexes(conn, schema, table):
        conn.execute(
            sql.SQL("create {} index on {} (generation, {})").format(
                sql.SQL("unique" if is_unique else ""),
                _in(STORE, table),
                listed(names),
            )
        )


def _append(
    conn: psycopg.Connection, schema: str, table: str, columns: Columns, build_id: int
) -> None:
    conn.execute(
        # in the order of the key, so that the new generation's entries go to the index's end
        sql.SQL("insert into {} (generation, {}) select {}, {} from {} order by {}").format(
            _in(STORE, table),
            listed(columns),
            sql.Literal(build_id),
            listed(columns),
            _in(schema, table),
            listed(_key(conn, schema, table) or columns),
        )
    )


def _drop_old(conn: psycopg.Connection, table: str, keep: list[int]) -> None:
    conn.execute(
        sql.SQL("delete from {} where not generation = any(%s)").format(_in(STORE, table)), [keep]
    )


def _drop_same_night(conn: psycopg.Connection, schema: str, table: str, night: str) -> None:
    conn.execute(
        sql.SQL("delete from {store} where {night} in (select {night} from {built})").format(
            store=_in(STORE, table), night=sql.Identifier(night), built=_in(schema, table)
        )
    )


def _fit_view(conn: psycopg.Connection, table: str, columns: Columns) -> None:
    existing = _columns(conn, READ, table)
    # `create or replace view` only takes columns at the end, and a reader's `select *` likes that
    kept = [name for name in existing if name in columns]
    ordered = {name: columns[name] for name in [*kept, *(n for n in columns if n not in existing)]}
    generations = "<=" if table in KEPT_BY_NIGHT else "="
    body = sql.SQL(
        "select {} from {} where generation {} (select exposed.generation from ops.exposed){}"
    ).format(
        listed(ordered),
        _in(STORE, table),
        sql.SQL(generations),
        sql.SQL(_OWN_AGENCY if AGENCY in columns else ""),
    )
    if existing:
        if _is_same_view(conn, table, body):
            return
        if len(kept) < len(existing):
            conn.execute(sql.SQL("drop view {}").format(_in(READ, table)))
    conn.execute(
        # no function of a reader's own sees a row before the view has let it pass
        sql.SQL("create or replace view {} with (security_barrier) as {}").format(
            _in(READ, table), body
        )
    )
    is_shared = AGENCY in columns or table.startswith("dim_")
    for reader in (*READERS, *([AGENCY_READER] if is_shared else [])):
        conn.execute(
            sql.SQL("grant select on {} to {}").format(_in(READ, table), sql.Identifier(reader))
        )


def _is_same_view(conn: psycopg.Connection, table: str, body: sql.Composed) -> bool:
    conn.execute(sql.SQL("create temporary view expected_view as {}").format(body))
    row = conn.execute(
        "select pg_get_viewdef(format('%%I.%%I', %s::text, %s::text)::regclass) "
        "= pg_get_viewdef('pg_temp.expected_view'::regclass)",
        [READ, table],
    ).fetchone()
    conn.execute("drop view pg_temp.expected_view")
    assert row is not None
    return bool(row[0])


def _copy_comments(conn: psycopg.Connection, schema: str, table: str, columns: Columns) -> None:
    """Descriptions of the built table and its columns, onto the view where they differ."""
    rows = conn.execute(
        """
        select wanted.name, wanted.description
        from (
            select attribute.attname::text as name, attribute.attnum,
                col_description(attribute.attrelid, attribute.attnum) as description
            from pg_attribute as attribute
            where
                attribute.attrelid
                = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
                and attribute.attnum > 0 and not attribute.attisdropped
            union all
            select null, 0, obj_description(
                format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass, 'pg_class')
        ) as wanted
        left join pg_attribute as shown
            on shown.attrelid = format('%%I.%%I', %(read)s::text, %(table)s::text)::regclass
                and shown.attname = wanted.name
        where wanted.description is distinct from case
            when wanted.name is null then obj_description(
                format('%%I.%%I', %(read)s::text, %(table)s::text)::regclass, 'pg_class')
            else col_description(shown.attrelid, shown.attnum) end
        """,
        {"schema": schema, "table": table, "read": READ},
    ).fetchall()
    view = _in(READ, table)
    for name, description in rows:
        text = sql.Literal(description)
        if name is None:
            conn.execute(sql.SQL("comment on view {} is {}").format(view, text))
        elif name in columns:
            column = sql.Identifier(READ, table, name)
            conn.execute(sql.SQL("comment on column {} is {}").format(column, text))
