"""Who attacks: logins as an office may have set them up, well or badly."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from chotso.warehouse import locks

PREFIX = "attacker_"


@dataclass(frozen=True)
class Attacker:
    """A login: what it is given, and the role that its session has become.

    `since` is the version of PostgreSQL that first had what it is given.
    """

    name: str
    given: tuple[str, ...] = ()
    attributes: str = ""
    becomes: str | None = None
    is_super: bool = False
    since: int = 150000

    @property
    def login(self) -> str:
        return PREFIX + self.name


# What the docs have people set up comes first, then what they warn of. `{me}` is the login,
# `{database}` the warehouse's.
ATTACKERS = (
    Attacker("nobody"),
    Attacker("reader", ("grant chotso_reader to {me}",)),
    Attacker("agency_reader", ("grant chotso_reader_07201 to {me}",)),
    Attacker("no_agency_reader", ("grant chotso_agency_reader to {me}",)),
    Attacker("auditor", ("grant chotso_auditor to {me}",)),
    Attacker("operator", ("grant chotso_operator to {me}",)),
    Attacker("certifier", ("grant chotso_certifier to {me}",)),
    Attacker("loader", ("grant chotso_loader to {me}",), becomes="chotso_loader"),
    Attacker("etl", ("grant chotso_loader to {me}",)),
    Attacker("database_owner", ("grant chotso_loader to {me}",
                                "alter database {database} owner to {me}")),
    Attacker("schema_owner", ("create schema theirs authorization {me}",
                              "grant create on database {database} to {me}",
                              "grant chotso_reader to {me}")),
    Attacker("checker", ("grant chotso_checker to {me}",), becomes="chotso_checker"),
    Attacker("keeper", ("grant chotso_keeper to {me}",), becomes="chotso_keeper"),
    Attacker("createrole", (), "createrole"),
    Attacker("createdb", (), "createdb"),
    Attacker("replication", (), "replication"),
    Attacker("bypassrls", ("grant chotso_reader to {me}",), "bypassrls"),
    Attacker("read_all_data", ("grant pg_read_all_data to {me}",)),
    Attacker("write_all_data", ("grant pg_read_all_data, pg_write_all_data to {me}",)),
    Attacker("maintain", ("grant pg_maintain to {me}",), since=170000),
    Attacker("signal_backend", ("grant pg_signal_backend to {me}",)),
    Attacker("monitor", ("grant pg_monitor to {me}",)),
    Attacker("subscriber", ("grant pg_create_subscription to {me}",
                            "grant create on database {database} to {me}"), since=160000),
    Attacker("read_files", ("grant pg_read_server_files to {me}",)),
    Attacker("write_files", ("grant pg_write_server_files to {me}",)),
    Attacker("run_programs", ("grant pg_execute_server_program to {me}",)),
    Attacker("grantee", ("grant all on all tables in schema frozen, rehearsal to {me}",
                         "grant all on schema frozen, rehearsal to {me}")),
    Attacker("owner", ("grant chotso_owner to {me}",), becomes="chotso_owner"),
    Attacker("heir_of_owner", ("grant chotso_owner to {me}",)),
    Attacker("superuser", (), "superuser", is_super=True),
)  # fmt: skip

PASSWORD = "x"


@contextmanager
def made(admin: psycopg.Connection, attacker: Attacker) -> Iterator[None]:
    """The attacker's login with what it is given, by a superuser's session."""
    names = {
        "me": sql.Identifier(attacker.login),
        "database": sql.Identifier(admin.info.dbname),
        "password": sql.Literal(PASSWORD),
    }

    def run(*statements: str) -> None:
        with locks.hold(admin, "migrate"):  # some grants are what only a migration may give
            for statement in statements:
                admin.execute(sql.SQL(statement).format(**names))
            admin.commit()

    run(
        f"create role {{me}} login password {{password}} {attacker.attributes}",
        # as an office may do for a BI tool: what temporary objects could reach is tried too
        "grant temporary on database {database} to {me}",
        *attacker.given,
    )
    try:
        yield
    finally:
        run("alter database {database} owner to postgres", "drop owned by {me}", "drop role {me}")


@contextmanager
def session(admin_url: str, attacker: Attacker) -> Iterator[psycopg.Connection]:
    """A session of the attacker's own, in autocommit mode."""
    parts = urlsplit(admin_url)
    netloc = f"{attacker.login}:{PASSWORD}@{parts.hostname}:{parts.port}"
    with psycopg.connect(urlunsplit(parts._replace(netloc=netloc)), autocommit=True) as conn:
        conn.execute("set statement_timeout = '20s'")
        if attacker.becomes:
            conn.execute(sql.SQL("set role {}").format(sql.Identifier(attacker.becomes)))
        yield conn
