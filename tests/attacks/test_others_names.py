"""What a loader's login plants for others to run: a superuser's migration, a reader's query."""

import psycopg
import pytest
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.session import open_session
from chotso.warehouse import locks
from chotso.warehouse.connect import connect
from tests.attacks.planted_names import READER, ran, show, under
from tests.worlds.build_warehouse import Warehouse

pytestmark = [pytest.mark.warehouse]


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
    show(warehouse, "update marts_build.fct_owned set amount = 2 where agency_code = '072'")
    with psycopg.connect(under(warehouse, READER)) as conn:
        shown = conn.execute("select amount from marts.fct_owned order by 1").fetchall()
        assert [str(amount) for (amount,) in shown] == ["1", "2"]
