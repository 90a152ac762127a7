"""Databases and logins of the compose file's PostgreSQL, from the mounted secrets; repeatable.

Names and passwords are those of the URLs that the other services connect with, so that there is
one place for each.
"""

from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

SECRETS = Path("/run/secrets")
_RESERVES = 160000  # PostgreSQL 16 keeps connections for roles that are no superusers


def provision(admin_url: str, urls: list[str], backup_url: str) -> None:
    """Make the login and the database of each URL, and a login that replicates.

    Args:
        admin_url: A superuser's URL; its database need not exist yet.
        urls: `postgresql://login:password@host/database`, a driver suffix allowed.
        backup_url: The login of backups; it has no database of its own.
    """
    # whoever can make a schema in there must not decide what these statements call
    pinned = "-c search_path=pg_catalog,pg_temp -c standard_conforming_strings=on"
    with psycopg.connect(
        admin_url, dbname="postgres", autocommit=True, options=pinned
    ) as connection:
        for url in urls:
            # libpq itself says what a URL means; it knows no driver suffix
            found = conninfo_to_dict("postgresql://" + url.partition("://")[2])
            _login(connection, str(found["user"]), str(found["password"]))
            _database(connection, str(found["dbname"]))
        found = conninfo_to_dict(backup_url)
        _login(connection, str(found["user"]), str(found["password"]), replicates=True)
        # Airflow's own database is Airflow's alone: it holds Connections.
        connection.execute("alter database airflow owner to airflow")
        connection.execute("revoke all on database airflow from public")
        if connection.info.server_version >= _RESERVES:
            connection.execute("grant pg_use_reserved_connections to airflow")


def _login(
    connection: psycopg.Connection, name: str, password: str, *, replicates: bool = False
) -> None:
    known = connection.execute("select from pg_roles where rolname = %s", [name]).fetchone()
    verb = "create" if known is None else "alter"
    # Hashed here, so that no statement, and thus no log, ever holds the password.
    hashed = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    connection.execute(
        sql.SQL(
            verb + " role {} login nosuperuser nocreatedb nocreaterole nobypassrls {} password {}"
        ).format(
            sql.Identifier(name),
            sql.SQL("replication" if replicates else "noreplication"),
            sql.Literal(hashed.decode()),
        )
    )


def _database(connection: psycopg.Connection, name: str) -> None:
    known = connection.execute("select from pg_database where datname = %s", [name]).fetchone()
    if known is None:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def main() -> None:
    """Provision from `/run/secrets`."""
    backup_url, admin_url, *urls = (
        (SECRETS / name).read_text(encoding="utf-8").strip()
        for name in ("backup_url", "admin_url", "warehouse_url", "airflow_db_url")
    )
    provision(admin_url, urls, backup_url)


if __name__ == "__main__":
    main()
