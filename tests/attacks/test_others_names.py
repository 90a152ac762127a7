"""What a loader's login plants for others to run: a superuser's migration, a reader's query.

The warehouse stands as an office may have left it: the loader's login owns the database, and of
earlier days it owns schemas that are called as other people's logins are.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from chotso.build.expose import expose
from chotso.errors import ChotsoError
from chotso.warehouse import locks
from chotso.warehouse.connect import connect
from chotso.warehouse.migrate import migrate
from chotso.warehouse.session import open_session
from tests.warehouse.build_warehouse import Warehouse, any_server, new_warehouse

pytestmark = [pytest.mark.warehouse]

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


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home: Path = tmp_path_factory.mktemp("names")
    with any_server() as servers, new_warehouse(servers, home) as made:
        with psycopg.connect(made.admin_url, autocommit=True) as admin:
            admin.execute(f"create role {READER} login password 'x' in role chotso_reader")
        try:
            _show(made)
            _plant(made)
            migrate(made.settings)
            yield made
        finally:
            with psycopg.connect(made.admin_url, autocommit=True) as admin:
                admin.execute(f"alter database {admin.info.dbname} owner to postgres")
                admin.execute(f"drop owned by {READER} cascade; drop role {READER}")


def _show(made: Warehouse, built: str = BUILT) -> None:
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


def test_a_migration_runs_nothing_that_others_planted(warehouse: Warehouse) -> None:
    before = ran(warehouse)
    migrate(warehouse.settings)
    with open_session(warehouse.admin_url) as admin, locks.hold(admin, "migrate"):
        pass
    assert ran(warehouse) == before == set()


def test_a_naive_session_of_a_superuser_s_runs_it(warehouse: Warehouse) -> None:
    """PostgreSQL's own search_path, as a session that is not pinned has it."""
    path = '-c search_path="$user",public'
    with psycopg.connect(warehouse.admin_url, options=path) as admin:
        admin.execute("select hashtextextended(%s, 0)", ["chotso/migrate"])
        row = admin.execute("select who from postgres.ran").fetchone()
        admin.rollback()
    assert row == ("postgres",)


def test_a_reader_s_own_query_means_what_it_says(warehouse: Warehouse) -> None:
    query = "select amount * 1 from marts.fct_owned where agency_code = '072'"
    with psycopg.connect(under(warehouse, READER)) as conn:
        assert [str(value) for (value,) in conn.execute(query)] == ["98.91"]
        conn.execute('set search_path = "$user", public')  # the naive twin
        assert [str(value) for (value,) in conn.execute(query)] == ["197.820"]
        conn.rollback()


def test_what_the_database_s_owner_sets_for_it_does_not_hold(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.settings.warehouse_url, autocommit=True) as owner:
        owner.execute(
            sql.SQL('alter database {} set search_path = "$user", public').format(
                sql.Identifier(owner.info.dbname)
            )
        )
    for login in (READER, None):
        url = under(warehouse, login) if login else warehouse.admin_url
        with psycopg.connect(url) as conn:
            assert conn.execute("show search_path").fetchone() == ("pg_catalog, pg_temp",)
    migrate(warehouse.settings)


# Of whoever loads, or owns the database: nothing of this is theirs.
REFUSED = (
    "create schema planted",
    "create schema authorization current_user",
    "create schema if not exists planted create table t ()",
    "alter schema postgres rename to planted",
    "create extension citext schema marts",
    "create extension citext schema public",
    "create table public.planted ()",
    "create function public.f() returns int language sql return 1",
    "create view marts.planted as select 1 as one",
    "create view marts_store.planted as select 1 as one",
    "create table marts_store.fct_planted ()",
    "create function marts.planted() returns int language sql return 1",
    "create operator marts.* (function = numeric_mul, leftarg = numeric, rightarg = int)",
    "create or replace view marts.fct_owned as select agency_code, 2 * amount as amount "
    "from marts_store.fct_owned",
    "drop view marts.fct_owned",
    "alter view marts.fct_owned set (security_barrier = false)",
    "alter view marts.fct_owned owner to current_user",
    "alter view marts.fct_owned alter column amount set default 1",
    "create rule planted as on insert to marts.fct_owned do instead nothing",
    "drop table marts_store.fct_owned cascade",
    "alter table marts_store.fct_owned alter column amount type text",
    "alter table marts_store.fct_owned alter column amount set default 1",
    "alter table marts_store.fct_owned add column planted int",
    "alter table marts_store.fct_owned enable row level security",
    "create policy planted on marts_store.fct_owned using (true)",
    "create rule planted as on insert to marts_store.fct_owned do also nothing",
    "create trigger planted before insert on marts_store.fct_owned for each statement "
    "execute function suppress_redundant_updates_trigger()",
    "create index on marts_store.fct_owned ((amount + 1))",
    "create statistics marts_store.planted on (amount + 1) from marts_store.fct_owned",
    "create table marts_build.child () inherits (marts_store.fct_owned)",
    "update marts_store.fct_owned set amount = 1",
    "truncate marts_store.fct_owned",
    "drop schema marts cascade",
    "drop schema marts_build cascade",
    "select ops.make_scratch_schema('marts_2')",
    "select ops.make_scratch_schema('attacked_reader')",
    "select ops.make_scratch_schema('postgres')",
    "select ops.make_scratch_schema('Planted; drop schema marts')",
    "select ops.make_scratch_schema('')",
    "select ops.make_scratch_schema(null)",
    "select ops.show_mart('fct_owned', '{amount}')",
    "select ops.fit_indexes('marts_build.fct_owned'::regclass, 'fct_owned', true)",
    "select ops.fit_mart('marts', 'fct_owned')",
    "select ops.fit_mart('pg_catalog', 'pg_class')",
)


@pytest.mark.parametrize("role", ["chotso_loader", None])
def test_a_loader_makes_nothing_that_others_run(warehouse: Warehouse, role: str | None) -> None:
    """As the loader, and as its login that owns the database."""
    let: list[str] = []
    with psycopg.connect(warehouse.settings.warehouse_url) as conn:
        for statement in REFUSED:
            if role:
                conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
            try:
                conn.execute(statement.encode())
                let.append(statement)
            except psycopg.Error:
                pass
            conn.rollback()
    assert let == []


def test_all_that_readers_may_read_is_nobody_s_who_logs_in(warehouse: Warehouse) -> None:
    owned = warehouse.rows(
        """
        select class.oid::regclass::text, owner.rolname
        from pg_class as class
        inner join pg_roles as owner on owner.oid = class.relowner
        inner join pg_namespace as schema on schema.oid = class.relnamespace
        cross join unnest(array['chotso_reader', 'chotso_auditor', 'chotso_agency_reader',
            'chotso_certifier', 'attacked_reader']) as reader
        where class.relkind in ('r', 'p', 'v', 'm', 'f')
            and has_schema_privilege(reader, schema.oid, 'usage')
            and has_any_column_privilege(reader, class.oid, 'select')
            and not owner.rolsuper and owner.rolname not in ('chotso_keeper', 'chotso_owner')
            and class.oid::regclass::text not like 'attacked_reader.%'
            and class.oid::regclass::text not like 'postgres.%'
        """
    )
    assert owned == []
    coded = warehouse.rows(
        """
        select class.oid::regclass::text
        from pg_class as class
        where class.relnamespace in ('marts'::regnamespace, 'marts_store'::regnamespace) and (
            class.relrowsecurity
            or exists (select from pg_trigger where tgrelid = class.oid)
            or exists (select from pg_rewrite where ev_class = class.oid and rulename <> '_RETURN')
            or exists (select from pg_attrdef where adrelid = class.oid)
            or exists (select from pg_attribute where attrelid = class.oid and atttypid >= 16384)
        )
        """
    )
    assert coded == []


PLANTED_MARTS = {
    "a type with code": "create type marts_build.amount as (x numeric); "
    "create table marts_build.fct_planted (amount marts_build.amount primary key)",
    "a domain": "create domain marts_build.amount as numeric check (value > 0); "
    "create table marts_build.fct_planted (amount marts_build.amount primary key)",
    "an enum": "create type marts_build.kind as enum ('a'); "
    "create table marts_build.fct_planted (kind marts_build.kind primary key)",
    "a view": "create view marts_build.fct_planted as select 1 as amount",
}


@pytest.mark.parametrize("name", PLANTED_MARTS)
def test_a_mart_of_a_type_of_its_own_is_not_shown(warehouse: Warehouse, name: str) -> None:
    with psycopg.connect(warehouse.settings.warehouse_url) as conn:
        conn.execute("set role chotso_loader")
        conn.execute(PLANTED_MARTS[name].encode())
        with pytest.raises(psycopg.Error, match=r"changed the type|is no mart"):
            conn.execute("select ops.fit_mart('marts_build', 'fct_planted')")
        conn.rollback()


def test_scratch_schemas_come_and_go_by_function_alone(warehouse: Warehouse) -> None:
    with connect(warehouse.settings) as conn:
        conn.execute("select ops.make_scratch_schema('scratch_9')")
        conn.execute("create table scratch_9.t (x int)")
        conn.commit()
        for statement in (
            "drop schema scratch_9 cascade",
            "alter schema scratch_9 rename to x",
            "comment on schema scratch_9 is ''",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), conn.transaction():
                conn.execute(statement.encode())
        conn.execute("grant usage on schema scratch_9 to chotso_reader")  # warns, gives nothing
        usage = "select has_schema_privilege('chotso_reader', 'scratch_9', 'usage')"
        assert conn.execute(usage).fetchone() == (False,)
        assert conn.execute("select ops.drop_scratch_schema('scratch_9')").fetchone() == (True,)
        for kept in ("marts", "marts_build", "frozen", "postgres", "scratch_9"):
            assert conn.execute("select ops.drop_scratch_schema(%s)", [kept]).fetchone() == (False,)


def test_nobody_else_s_advisory_lock_stops_us(warehouse: Warehouse) -> None:
    with psycopg.connect(under(warehouse, READER)) as reader:
        for call in ("lock(1)", "lock_shared(1)", "xact_lock(1)", "lock(1, 1)", "unlock_all()"):
            for prefix in ("pg_advisory_", "pg_try_advisory_"):
                with pytest.raises(psycopg.Error, match=r"permission denied|does not exist"):
                    reader.execute(f"select pg_catalog.{prefix}{call}".encode())
                reader.rollback()
    with (
        connect(warehouse.settings) as conn,
        connect(warehouse.settings) as other,
        locks.hold(conn, "freeze", wait_seconds=0),
        pytest.raises(ChotsoError, match="chotso: freeze"),
    ):
        locks.hold(other, "freeze", wait_seconds=0).__enter__()
    free = warehouse.rows(
        "select oid::regprocedure::text from pg_proc where proname ~ '^pg_.*advisory' "
        "and pronamespace = 'pg_catalog'::regnamespace "
        "and has_function_privilege('public', oid, 'execute')"
    )
    assert free == []


def test_readers_take_neither_the_last_connections_nor_all_of_one_login(
    warehouse: Warehouse,
) -> None:
    with ExitStack() as taken:
        for _ in range(20):
            taken.enter_context(psycopg.connect(under(warehouse, READER)))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(under(warehouse, READER))


def test_whoever_takes_all_connections_leaves_the_product_s(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin, ExitStack() as taken:
        if warehouse.rows("show server_version_num")[0][0] < "160000":  # type: ignore[operator]
            pytest.skip("PostgreSQL 15 keeps connections for superusers alone")
        kept = warehouse.rows("show reserved_connections")[0][0]
        assert kept == "40", "the server keeps no connections"
        admin.execute("create role attacked_nobody login password 'x'")
        taken.callback(admin.execute, "drop role attacked_nobody")
        refused = ""
        while not refused:
            try:
                conn = psycopg.connect(under(warehouse, "attacked_nobody"))
                taken.callback(conn.close)
            except psycopg.OperationalError as error:
                refused = str(error)
        assert "reserved" in refused
        with connect(warehouse.settings) as conn:
            conn.execute("select 1")


@pytest.mark.parametrize(
    "setting",
    ["standard_conforming_strings = off", "default_transaction_read_only = on",
     "statement_timeout = '1ms'", "search_path = postgres"],
)  # fmt: skip
def test_what_an_owner_sets_for_the_database_stops_no_migration(
    warehouse: Warehouse, setting: str
) -> None:
    with psycopg.connect(warehouse.settings.warehouse_url, autocommit=True) as owner:
        name = owner.info.dbname
        owner.execute(f"alter database {name} set {setting}".encode())
    try:
        migrate(warehouse.settings)
    finally:
        with psycopg.connect(warehouse.admin_url, options="-c statement_timeout=0") as admin:
            admin.read_only = False
            admin.execute(f"alter database {name} reset {setting.split()[0]}".encode())
            admin.commit()


def test_an_office_s_own_limits_stay(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        admin.execute(f"alter role {READER} connection limit 33")
        here = f"alter role {READER} in database {admin.info.dbname}"
        admin.execute(f"{here} set statement_timeout = '7min'".encode())
        migrate(warehouse.settings)
        assert admin.execute(
            "select rolconnlimit from pg_roles where rolname = %s", [READER]
        ).fetchone() == (33,)
        with psycopg.connect(under(warehouse, READER)) as conn:
            assert conn.execute("show statement_timeout").fetchone() == ("7min",)
            assert conn.execute("show idle_in_transaction_session_timeout").fetchone() == ("15min",)
        admin.execute(f"alter role {READER} connection limit 20")


# As 0.3.0 left it, and what a loader could have planted in it.
OF_OLD = """
alter schema marts owner to chotso_loader;
alter schema marts_store owner to chotso_loader;
alter schema marts_build owner to chotso_loader;
alter table marts_store.fct_owned owner to chotso_loader;
alter view marts.fct_owned owner to chotso_loader;
grant create on database {database} to chotso_loader;
delete from chotso_migrations.script where name like '064%';
set role chotso_loader;
create function marts.planted() returns boolean language sql return true;
create policy planted on marts_store.fct_owned using (marts.planted());
alter table marts_store.fct_owned enable row level security;
create rule planted as on delete to marts_store.fct_owned do also select marts.planted();
create trigger planted before insert on marts_store.fct_owned for each statement
execute function suppress_redundant_updates_trigger();
alter table marts_store.fct_owned alter column amount set default marts.planted()::int;
create or replace view marts.fct_owned as
select agency_code, amount * 2 as amount from marts_store.fct_owned where marts.planted();
create view marts.fct_invented as select 1 as one where marts.planted();
reset role
"""


def test_an_upgrade_takes_out_what_was_planted_before(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.admin_url) as admin, locks.hold(admin, "migrate"):
        admin.execute(OF_OLD.replace("{database}", admin.info.dbname).encode())
        admin.commit()
    with pytest.raises(ChotsoError, match=r"marts\.fct_owned is code or property of"):
        connect(warehouse.settings).__enter__()
    migrate(warehouse.settings)
    test_all_that_readers_may_read_is_nobody_s_who_logs_in(warehouse)
    with psycopg.connect(under(warehouse, READER)) as conn:
        shown = conn.execute("select amount from marts.fct_owned order by 1").fetchall()
        assert [str(amount) for (amount,) in shown] == ["1", "98.91"]
        with pytest.raises(psycopg.errors.UndefinedTable):
            conn.execute("select from marts.fct_invented")
    _show(warehouse, "update marts_build.fct_owned set amount = 2 where agency_code = '072'")
    with psycopg.connect(under(warehouse, READER)) as conn:
        shown = conn.execute("select amount from marts.fct_owned order by 1").fetchall()
        assert [str(amount) for (amount,) in shown] == ["1", "2"]
