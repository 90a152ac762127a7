"""Creates or upgrades the warehouse's own schemas, tables and roles."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql

from chotso.contracts import PSEUDONYM, Contract, contracts
from chotso.errors import ChotsoError
from chotso.session import open_session
from chotso.settings import Settings
from chotso.urls import parameters
from chotso.waits import ANYWHERE, LIMITS, watched
from chotso.warehouse import locks, pooler, rights, safety
from chotso.warehouse.row_sql import listed

# Each script runs once, in name order, and never changes.
SCRIPTS = Path(__file__).parent / "warehouse" / "sql"
CODE = SCRIPTS / "code"  # functions, views, triggers, grants: all run again when any has changed
_MINIMUM_VERSION = 150000
# The database's owner can set these for it; they must not apply to a migration.
_SESSION = "-c role=none -c default_transaction_read_only=off -c statement_timeout=0"
_SYSTEM_COLUMNS = {
    "batch_id": ("text not null", "Lô đưa dòng vào — the batch that brought the row"),
    "known_from": ("timestamptz not null", "Biết từ — since when the warehouse knew it"),
    "known_to": ("timestamptz", "Biết đến; trống là còn hiệu lực — until when; null is in force"),
}
_STATEMENT_COLUMNS = {
    "stated_at": ("timestamptz not null", "Thời điểm kết xuất — instant of the export"),
    "restated_at": ("timestamptz not null", "Lần nhắc lại cuối — newest export that repeats it"),
}


@dataclass(frozen=True)
class MigrationReport:
    """The result of a migration: scripts, feed tables, groups of readers, warnings.

    `rights_put_back` is the number of roles, owners and rights that were missing.
    """

    applied: list[str]
    tables: list[str]
    agency_readers: list[str]
    warnings: list[str]
    rights_put_back: int = 0


def migrate(settings: Settings) -> MigrationReport:
    """Bring the warehouse to this code's schema; a second run changes nothing.

    Raises:
        ChotsoError: No CHOTSO_ADMIN_URL, not a superuser, PostgreSQL older than 15, or an
            applied script has changed since.
    """
    if settings.admin_url is None:
        raise ChotsoError(
            "CHOTSO_ADMIN_URL is not set: `migrate` needs a superuser of the warehouse.",
            kept="nothing was changed.",
            next_step="set CHOTSO_ADMIN_URL for this one command.",
        )
    with _admin_session(settings) as conn:
        _check_server(conn)
        with locks.hold(conn, "migrate"):
            _ledger_of_scripts(conn)
            lost = rights.wrong(conn)
            put_back = rights.put_back(conn)
            applied = [path.name for path in sorted(SCRIPTS.glob("*.sql")) if _apply(conn, path)]
            applied += _apply_code(conn, is_due=bool(applied or lost))
            tables = [
                contract.feed for contract in contracts().values() if _raw_table(conn, contract)
            ]
            _grant_login(conn, settings)
            _register(conn)
            conn.execute("select guard.protect()")  # what a later script brought is guarded too
            conn.execute("select guard.settle_logins()")
            (readers,) = conn.execute("select guard.add_agency_readers()").fetchone() or ([],)
            if applied or tables:
                rights.write_down(conn)
            elif lost:
                rights.put_back(conn)  # of what the code made again
            warnings = [*safety.warnings(conn), *rights.wrong(conn)]
            conn.commit()
    return MigrationReport(applied, tables, readers, warnings, put_back)


def _register(conn: psycopg.Connection) -> None:
    """Register what a seal compares a bundle with, and the words of the views in `ops`."""
    from chotso import incident_kinds
    from chotso.ingest import described
    from chotso.release.seal import registered

    registered.register(conn)
    described.register(conn)
    incident_kinds.register(conn)


@contextmanager
def _admin_session(settings: Settings) -> Iterator[psycopg.Connection]:
    opened = partial(
        open_session,
        settings.admin_url or "",
        f"{_SESSION} {LIMITS}",
        dbname=parameters(settings.warehouse_url)["dbname"],
        application_name="chotso migrate",
    )
    with opened() as conn:
        pooler.refuse(conn, opened)
        with watched(opened, pid=conn.info.backend_pid, query=ANYWHERE) as watch:
            try:
                yield conn
            except psycopg.errors.LockNotAvailable as error:
                raise watch.busy() from error


def _check_server(conn: psycopg.Connection) -> None:
    if conn.info.server_version < _MINIMUM_VERSION:
        raise ChotsoError(
            f"The warehouse is PostgreSQL {conn.info.server_version // 10000}; 15 is the oldest.",
            next_step="upgrade the server, or name another in CHOTSO_WAREHOUSE_URL.",
        )
    row = conn.execute("select rolsuper from pg_roles where rolname = session_user").fetchone()
    if row is None or not row[0]:
        raise ChotsoError(
            "The login in CHOTSO_ADMIN_URL is not a superuser.",
            kept="nothing was changed.",
            next_step="name a superuser in CHOTSO_ADMIN_URL; only `migrate` uses it.",
        )


def _ledger_of_scripts(conn: psycopg.Connection) -> None:
    conn.execute("create schema if not exists chotso_migrations")
    conn.execute(
        "create table if not exists chotso_migrations.script "
        "(name text primary key, sha256 text not null, applied_at timestamptz default now())"
    )


def _apply(conn: psycopg.Connection, path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    row = conn.execute(
        "select sha256 from chotso_migrations.script where name = %s", [path.name]
    ).fetchone()
    if row is not None:
        if row[0] != digest:
            raise ChotsoError(
                f"The migration {path.name} was applied in another form than it has now.",
                kept="the warehouse is as it was.",
                next_step="restore that file and put the change into a new script.",
            )
        return False
    conn.execute(text.encode())
    conn.execute("insert into chotso_migrations.script values (%s, %s)", [path.name, digest])
    return True


def _apply_code(conn: psycopg.Connection, *, is_due: bool) -> list[str]:
    """Run every file of CODE in name order, if a script ran or a file has changed.

    Each file can run again: `create or replace`, `drop … if exists`, grants. Its name in the ledger
    is `code/<file>`.
    """
    texts = {f"code/{path.name}": path.read_text(encoding="utf-8") for path in CODE.glob("*.sql")}
    wanted = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    recorded: dict[str, str] = dict(
        conn.execute(
            "select name, sha256 from chotso_migrations.script where name like 'code/%'"
        ).fetchall()
    )
    if recorded == wanted and not is_due:
        return []
    for name in sorted(texts):
        conn.execute(texts[name].encode())
    conn.execute("delete from chotso_migrations.script where name like 'code/%'")
    for name in sorted(wanted):
        conn.execute(
            "insert into chotso_migrations.script (name, sha256) values (%s, %s)",
            [name, wanted[name]],
        )
    return [name for name in sorted(wanted) if recorded.get(name) != wanted[name]]


def raw_columns(contract: Contract) -> dict[str, tuple[str, str]]:
    """Columns of `raw.<feed>` as (SQL type, description), in order."""
    columns: dict[str, tuple[str, str]] = {
        name: (column.type, column.description) for name, column in contract.landed.items()
    }
    columns |= _STATEMENT_COLUMNS if contract.kept_as == "statement" else {}
    return columns | _SYSTEM_COLUMNS


def _raw_table(conn: psycopg.Connection, contract: Contract) -> bool:
    table = sql.Identifier("raw", contract.feed)
    columns = raw_columns(contract)
    existing = {
        row[0]
        for row in conn.execute(
            "select column_name from information_schema.columns "
            "where table_schema = 'raw' and table_name = %s",
            [contract.feed],
        )
    }
    if existing >= set(columns):
        return _index_persons(conn, contract, table)
    if not existing:
        definitions = [
            sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, (t, _) in columns.items()
        ]
        conn.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(definitions)))
        _index_and_grant(conn, contract, table)
    for name in columns.keys() - existing if existing else ():
        conn.execute(
            sql.SQL("alter table {} add column {} {}").format(
                table, sql.Identifier(name), sql.SQL(columns[name][0])
            )
        )
    conn.execute(sql.SQL("comment on table {} is {}").format(table, sql.Literal(contract.title)))
    for name, (_, description) in columns.items():
        conn.execute(
            sql.SQL("comment on column {}.{} is {}").format(
                table, sql.Identifier(name), sql.Literal(description)
            )
        )
    _index_persons(conn, contract, table)
    return True


def _index_and_grant(conn: psycopg.Connection, contract: Contract, table: sql.Identifier) -> None:
    key = listed(contract.key)
    conn.execute(
        sql.SQL("create unique index on {} ({}) where known_to is null").format(table, key)
    )
    conn.execute(sql.SQL("create index on {} ({}, known_from)").format(table, key))
    if contract.scope and contract.key[: len(contract.scope)] != contract.scope:
        scope = listed(contract.scope)
        conn.execute(sql.SQL("create index on {} ({}) where known_to is null").format(table, scope))
    changeable = "known_to, restated_at" if contract.kept_as == "statement" else "known_to"
    conn.execute(sql.SQL("alter table {} owner to chotso_owner").format(table))
    conn.execute(
        sql.SQL("grant select, insert, update ({}) on {} to chotso_loader").format(
            sql.SQL(changeable), table
        )
    )
    conn.execute(sql.SQL("grant select on {} to chotso_auditor").format(table))


def _index_persons(conn: psycopg.Connection, contract: Contract, table: sql.Identifier) -> bool:
    """Index whose rows they are: a night's build reads those of changed persons alone."""
    is_there = conn.execute(
        "select from pg_indexes where schemaname = 'raw' and tablename = %s "
        "and indexdef like '%%(' || %s || ')'",
        [contract.feed, PSEUDONYM],
    ).fetchone()
    if is_there is not None or PSEUDONYM not in contract.landed:
        return False
    made = sql.SQL("create index on {} using hash ({})").format(table, sql.Identifier(PSEUDONYM))
    conn.execute(made)
    return True


def _grant_login(conn: psycopg.Connection, settings: Settings) -> None:
    found = parameters(settings.warehouse_url)
    login, database = found["user"], found["dbname"]
    exists = conn.execute("select from pg_roles where rolname = %s", [login]).fetchone()
    if exists is None:
        conn.execute(
            sql.SQL("create role {} login password {}").format(
                sql.Identifier(login), sql.Literal(found.get("password", ""))
            )
        )
    conn.execute(sql.SQL("grant chotso_loader to {}").format(sql.Identifier(login)))
    conn.execute(
        sql.SQL("grant connect, temporary on database {} to chotso_loader").format(
            sql.Identifier(database)
        )
    )
