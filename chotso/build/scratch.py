"""The scratch schemas that builds write to."""

import re

import psycopg
from psycopg import sql

from chotso.errors import ChotsoError

MARKER = "chotso: scratch build — may be overwritten by any `chotso build --schema`"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_NEVER = re.compile(
    r"pg_.*|information_schema|public|raw|ops|quarantine|frozen|rehearsal|landing|marts.*"
    r"|sealing|guard|ed25519|chotso_.*"
)


def claim_scratch_schema(conn: psycopg.Connection, name: str) -> None:
    """Create the schema, or check that an earlier scratch build created it.

    Raises:
        ChotsoError: The name is reserved or malformed, or the schema is not ours.
    """
    if _NAME.fullmatch(name) is None or _NEVER.fullmatch(name):
        raise ChotsoError(
            f"{name!r} cannot be a scratch schema.",
            kept="nothing was built.",
            next_step="give a name of lower-case letters, digits and _ that is not one of the "
            "warehouse's own schemas, e.g. scratch_1.",
        )
    row = conn.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s "
        "union all select '' from pg_roles where rolname = %s and not exists ("
        "select from pg_namespace where nspname = rolname)",
        [name, name],
    ).fetchone()
    if row is None:
        _make(conn, name)
    elif row[0] != MARKER:
        conn.rollback()
        raise ChotsoError(
            f"The schema {name} exists and was not made by `chotso build`, or a role is called so.",
            kept="nothing was built, and the schema is as it was.",
            next_step="give another name with --schema.",
        )
    conn.commit()


def _make(conn: psycopg.Connection, name: str) -> None:
    try:
        conn.execute("select ops.make_scratch_schema(%s)", [name])
    except psycopg.errors.InsufficientPrivilege as error:
        conn.rollback()
        raise ChotsoError(
            f"The warehouse may not make the schema {name}: {error.diag.message_primary}",
            kept="nothing was built.",
            next_step="run `chotso migrate`: rights on a database itself do not come back with a "
            "restore.",
        ) from error


def drop_foreign_keys(conn: psycopg.Connection, schema: str) -> None:
    """Drop the foreign keys of the schema's earlier build, which dbt is about to replace.

    dbt drops each old dimension with `cascade`. If two dimensions are dropped at once and old facts
    refer to both, the two sessions could deadlock on the facts.
    """
    rows = conn.execute(
        """
        select relation.relname, foreign_key.conname
        from pg_constraint as foreign_key
        inner join pg_class as relation on relation.oid = foreign_key.conrelid
        inner join pg_namespace as namespace on namespace.oid = relation.relnamespace
        where foreign_key.contype = 'f' and namespace.nspname = %s
        order by 1, 2
        """,
        [schema],
    ).fetchall()
    for table, name in rows:
        conn.execute(
            sql.SQL("alter table {} drop constraint {}").format(
                sql.Identifier(schema, table), sql.Identifier(name)
            )
        )
    conn.commit()
