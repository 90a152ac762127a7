"""A warehouse as an office may have left it: what a loader's login planted for others to run.

The loader's login owns the database, and of earlier days it owns schemas that are called as other
people's logins are, with functions and operators of the types that those people's sessions use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from chotso.build.expose import expose
from chotso.migrate import migrate
from chotso.warehouse.connect import connect
from tests.worlds.build_warehouse import Warehouse, any_server, new_warehouse

BUILT = """
create table marts_build.fct_owned (agency_code text primary key, amount numeric not null);
insert into marts_build.fct_owned values ('072', 98.91), ('07201', 1);
create table marts_build.dim_month (month date primary key);
insert into marts_build.dim_month values ('2021-12-01');
"""
READER = "attacked_reader"
# Of the same types as what PostgreSQL has: the first schema of the search_path decides. Whoever
# runs one of them leaves its name.
PLANTED = """
create table {schema}.ran (who text, what text);
grant insert on {schema}.ran to public;
create function {schema}.tell(what text) returns void language plpgsql as $f$ begin
    insert into {schema}.ran values (current_user, what);
exception when others then null; end $f$;
create function {schema}.hashtextextended(text, bigint) returns bigint language plpgsql as $f$ begin
    perform {schema}.tell('hashtextextended'); return 1; end $f$;
create function {schema}.hashtextextended(text, smallint) returns bigint language plpgsql as
    $f$ begin perform {schema}.tell('hashtextextended'); return 1; end $f$;
create function {schema}.hashtextextended(text, int) returns bigint language plpgsql as
    $f$ begin perform {schema}.tell('hashtextextended'); return 1; end $f$;
create function {schema}.pg_try_advisory_lock(int) returns boolean language plpgsql as
    $f$ begin perform {schema}.tell('pg_try_advisory_lock'); return true; end $f$;
create function {schema}.set_config(text, text, boolean) returns text language plpgsql as
    $f$ begin perform {schema}.tell('set_config'); return ''; end $f$;
create function {schema}.twice(numeric, int) returns numeric language plpgsql as
    $f$ begin perform {schema}.tell('*'); return $1 operator(pg_catalog.*) 2.0; end $f$;
create operator {schema}.* (function = {schema}.twice, leftarg = numeric, rightarg = int);
create function {schema}.same(name, text) returns boolean language plpgsql as
    $f$ begin perform {schema}.tell('='); return true; end $f$;
create operator {schema}.= (function = {schema}.same, leftarg = name, rightarg = text);
create view {schema}.pg_roles as select * from pg_catalog.pg_roles;
"""


def under(warehouse: Warehouse, login: str) -> str:
    parts = urlsplit(warehouse.admin_url)
    return urlunsplit(parts._replace(netloc=f"{login}:x@{parts.hostname}:{parts.port}"))


@contextmanager
def planted_warehouse(home: Path) -> Iterator[Warehouse]:
    with any_server() as servers, new_warehouse(servers, home) as made:
        with psycopg.connect(made.admin_url, autocommit=True) as admin:
            admin.execute(f"create role {READER} login password 'x' in role chotso_reader")
        try:
            show(made)
            _plant(made)
            migrate(made.settings)
            yield made
        finally:
            with psycopg.connect(made.admin_url, autocommit=True) as admin:
                admin.execute(f"alter database {admin.info.dbname} owner to postgres")
                admin.execute(f"drop owned by {READER} cascade; drop role {READER}")


def show(made: Warehouse, built: str = BUILT) -> None:
    with connect(made.settings) as conn:
        conn.execute(built)
        row = conn.execute(
            "insert into ops.build (business_date, as_known_at, target_schema, config, "
            "config_sha256, code_version, status) values ('2021-12-30', now(), 'marts_build', "
            "'{}', '', '', 'running') returning build_id"
        ).fetchone()
        assert row is not None
        expose(conn, "marts_build", row[0])


def _plant(made: Warehouse) -> None:
    login = sql.Identifier(urlsplit(made.settings.warehouse_url).username or "")
    with psycopg.connect(made.admin_url) as admin:
        for schema in ("postgres", READER):
            admin.execute(
                sql.SQL("create schema {} authorization chotso_loader").format(
                    sql.Identifier(schema)
                )
            )
        admin.execute(
            sql.SQL("alter database {} owner to {}").format(
                sql.Identifier(admin.info.dbname), login
            )
        )
    with psycopg.connect(made.settings.warehouse_url) as conn:
        conn.execute("set role chotso_loader")
        for schema in ("postgres", READER):
            conn.execute(PLANTED.replace("{schema}", schema).encode())
            conn.execute(f"grant usage on schema {schema} to public")


def ran(made: Warehouse) -> set[tuple[object, ...]]:
    found: set[tuple[object, ...]] = set()
    for schema in ("postgres", READER):
        found |= set(made.rows(f"select who, what from {schema}.ran"))
    return found
