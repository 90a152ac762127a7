"""The databases and logins of the embedded server."""

from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

from chotso.sandbox.state import SandboxServer
from chotso.session import open_session

DATABASES = ("tst", "warehouse", "airflow")
DONE = "chotso sandbox 1"
CONNECT_TIMEOUT_S = 10


def connect(url: str) -> psycopg.Connection:
    """A connection in autocommit mode: databases cannot be made in a transaction."""
    return open_session(url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)


def is_provisioned(server: SandboxServer) -> bool:
    """Whether `provision` has finished on this data directory.

    Raises:
        psycopg.OperationalError: The server does not answer, or refuses the password.
    """
    with connect(_maintenance_url(server)) as connection:
        row = connection.execute(
            """
            select current_setting('data_directory'),
                (select count(*) from pg_database where datname = any(%s)),
                shobj_description(
                    (select oid from pg_database where datname = 'warehouse'), 'pg_database'
                )
            """,
            [list(DATABASES)],
        ).fetchone()
    return row == (str(server.data_dir), len(DATABASES), DONE)


def provision(server: SandboxServer) -> None:
    """Make the databases, logins and grants that are missing; safe to repeat."""
    with connect(_maintenance_url(server)) as connection:
        _logins(connection, server)
        _databases(connection)
    with connect(server.source_admin_url) as connection:
        _source_grants(connection)
    with connect(server.admin_url) as connection:
        connection.execute(sql.SQL("comment on database warehouse is {}").format(sql.Literal(DONE)))


def describe(server: SandboxServer) -> tuple[str, list[str]]:
    """The server's version and its databases, without templates."""
    with connect(_maintenance_url(server)) as connection:
        version = connection.execute("show server_version").fetchone()
        names = connection.execute(
            "select datname from pg_database where not datistemplate order by datname"
        ).fetchall()
    return str(version[0]) if version else "", [str(name) for (name,) in names]


def _maintenance_url(server: SandboxServer) -> str:
    return server.admin_url.removesuffix("/warehouse") + "/postgres"


def _logins(connection: psycopg.Connection, server: SandboxServer) -> None:
    for url in (server.source_url, server.warehouse_url, server.airflow_url):
        parts = urlsplit(url)
        name, password = unquote(parts.username or ""), unquote(parts.password or "")
        role = sql.Identifier(name)
        known = connection.execute("select 1 from pg_roles where rolname = %s", [name]).fetchone()
        if known is None:
            connection.execute(sql.SQL("create role {} login").format(role))
        # Hashed here, so that no statement, and so no log, has the password.
        hashed = connection.pgconn.encrypt_password(
            password.encode(), name.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL(
                "alter role {} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
                " password {}"
            ).format(role, sql.Literal(hashed))
        )
    connection.execute("alter role chotso_source set default_transaction_read_only = on")
    connection.execute("grant pg_use_reserved_connections to airflow")


def _databases(connection: psycopg.Connection) -> None:
    known = {name for (name,) in connection.execute("select datname from pg_database").fetchall()}
    for name in DATABASES:
        if name not in known:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    connection.execute("alter database airflow owner to airflow")
    # tst has persons' numbers in clear text, airflow has connections: only their own logins get in.
    connection.execute("revoke all on database tst, airflow from public")
    connection.execute("grant connect on database tst to chotso_source")


def _source_grants(connection: psycopg.Connection) -> None:
    for statement in (
        "create schema if not exists tst",
        "revoke all on schema public from public",
        "grant usage on schema tst to chotso_source",
        "grant select on all tables in schema tst to chotso_source",
        "alter default privileges in schema tst grant select on tables to chotso_source",
    ):
        connection.execute(statement)
