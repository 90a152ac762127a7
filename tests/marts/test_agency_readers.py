"""The group `chotso_reader_<agency>` reads its agency's rows of the marts, and no other's."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from chotso.build.expose import expose
from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.warehouse import locks
from chotso.warehouse.connect import connect
from chotso.warehouse.rights import write_down
from tests.worlds.build_warehouse import Warehouse, any_server, new_warehouse

pytestmark = pytest.mark.warehouse

BUILT = """
create table {0}.fct_owned (agency_code text primary key, amount numeric);
insert into {0}.fct_owned values ('072', 3), ('07201', 1), ('07202', 2);
create table {0}.fct_nightly_attainment (business_date date, agency_code text, amount numeric,
    primary key (business_date, agency_code));
insert into {0}.fct_nightly_attainment select '2021-12-30', agency_code, amount from {0}.fct_owned;
create table {0}.fct_of_everybody (amount numeric primary key);
insert into {0}.fct_of_everybody values (3);
create table {0}.dim_month (month date primary key);
insert into {0}.dim_month values ('2021-12-01');
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home: Path = tmp_path_factory.mktemp("readers")
    with any_server() as servers, new_warehouse(servers, home) as made:
        with psycopg.connect(made.admin_url) as admin:
            admin.execute(
                "insert into raw.agencies (ma_co_quan, batch_id, known_from, known_to) values "
                "('07201', 'x', now(), null), ('07201', 'w', now(), now()), "
                "('07202', 'x', now(), null), ('no \"name', 'x', now(), null)"
            )
        with connect(made.settings) as conn:
            conn.execute(sql.SQL(BUILT).format(sql.SQL("marts_build")))
            row = conn.execute(
                "insert into ops.build (business_date, as_known_at, target_schema, config, "
                "config_sha256, code_version, status) values ('2021-12-30', now(), 'marts_build', "
                "'{}', '', '', 'running') returning build_id"
            ).fetchone()
            assert row is not None
            expose(conn, "marts_build", row[0])
            conn.commit()
        yield made


def rows(warehouse: Warehouse, role: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        return conn.execute(query.encode()).fetchall()


def test_migrate_makes_a_group_for_every_agency_of_the_register(warehouse: Warehouse) -> None:
    known = "select rolname from pg_roles where rolname like 'chotso_reader_072%'"
    with psycopg.connect(warehouse.admin_url, autocommit=True) as admin:
        for (role,) in admin.execute(known).fetchall():  # another test's, of the same server
            admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
        write_down(admin)  # or they would be put back as lost
    wanted = ["chotso_reader_07201", "chotso_reader_07202"]
    assert migrate(warehouse.settings).agency_readers == wanted
    assert migrate(warehouse.settings).agency_readers == []
    assert warehouse.rows(
        f"select rolname::text, rolcanlogin from pg_roles where rolname in "
        f"('{wanted[0]}', '{wanted[1]}', 'chotso_reader_no \"name') order by 1"
    ) == [(role, False) for role in wanted]


@pytest.mark.parametrize("mart", ["fct_owned", "fct_nightly_attainment"])
def test_an_agency_s_marts_are_its_own_rows(warehouse: Warehouse, mart: str) -> None:
    migrate(warehouse.settings)
    query = f"select agency_code, amount from marts.{mart} order by 1"
    assert rows(warehouse, "chotso_reader_07201", query) == [("07201", 1)]
    whole = [("072", 3), ("07201", 1), ("07202", 2)]
    assert rows(warehouse, "chotso_reader", query) == whole
    assert rows(warehouse, "chotso_auditor", query) == whole
    assert rows(warehouse, "chotso_loader", query) == whole


def test_what_names_no_agency_is_shared_where_it_is_a_dimension(warehouse: Warehouse) -> None:
    migrate(warehouse.settings)
    assert rows(warehouse, "chotso_reader_07201", "select count(*) from marts.dim_month") == [(1,)]
    of_everybody = "select amount from marts.fct_of_everybody"
    assert rows(warehouse, "chotso_reader", of_everybody) == [(3,)]
    assert rows(warehouse, "chotso_reader_07201", of_everybody) == []
    for relation in ("marts_store.fct_owned", "raw.agencies", "ops.exposed"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(warehouse, "chotso_reader_07201", f"select from {relation}")


CATALOGUE = """
select schema.nspname::text, class.relname::text
from pg_namespace as schema
left join pg_class as class on class.relnamespace = schema.oid
    and class.relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege(class.oid, 'select')
where has_schema_privilege(schema.oid, 'usage') and schema.nspname !~ '^(pg_.*|information_schema)$'
order by 1, 2
"""


def test_readers_are_shown_marts_and_frozen_alone(warehouse: Warehouse) -> None:
    """As BI tools list them, by privilege: no tables behind the views, no scratch schemas."""
    migrate(warehouse.settings)
    with connect(warehouse.settings) as conn:
        conn.execute("select ops.make_scratch_schema('scratch_seen')")
        conn.execute("create table scratch_seen.fct_owned (amount numeric)")
        conn.commit()
    views = warehouse.rows("select viewname::text from pg_views where schemaname = 'marts'")
    for role in ("chotso_reader", "chotso_reader_07201"):
        shown = rows(warehouse, role, CATALOGUE)
        assert {schema for schema, name in shown if name} == {"frozen", "marts"}
        # views call functions of `guard` with their reader's rights
        assert {schema for schema, name in shown if not name} == {"guard", "public"}
        marts = {name for schema, name in shown if schema == "marts"}
        assert marts == {name for (name,) in views}
        for name in marts:
            rows(warehouse, role, f"select * from marts.{name}")
        frozen = {str(name) for schema, name in shown if schema == "frozen"}
        assert frozen.isdisjoint({"bundle_file", "late_run"})
        for name in frozen:
            rows(warehouse, role, f"select * from frozen.{name}")
    behind = [(s, n) for s, n in rows(warehouse, "chotso_auditor", CATALOGUE) if s == "marts_store"]
    assert behind == []


def test_every_view_of_frozen_and_each_of_its_columns_is_described(warehouse: Warehouse) -> None:
    migrate(warehouse.settings)
    nameless = warehouse.rows(
        "select class.oid::regclass::text, field.attname::text "
        "from pg_class as class inner join pg_attribute as field on field.attrelid = class.oid "
        "where class.relnamespace = 'frozen'::regnamespace and class.relkind in ('r', 'v') "
        "and field.attnum > 0 and not field.attisdropped and ("
        "coalesce(col_description(class.oid, field.attnum), '') !~ ' — ' "
        "or coalesce(obj_description(class.oid, 'pg_class'), '') !~ ' — ')"
    )
    assert nameless == []


def test_a_cheap_function_sees_only_own_rows(warehouse: Warehouse) -> None:
    """A condition on the table itself is asked after the reader's function."""
    migrate(warehouse.settings)
    seen: set[str | None] = set()
    with psycopg.connect(warehouse.admin_url) as conn:
        conn.add_notice_handler(lambda notice: seen.add(notice.message_primary))
        conn.execute(
            "create function public.peek(code text) returns boolean language plpgsql "
            "cost 0.0000001 as $f$ begin raise notice '%', code; return true; end $f$"
        )
        conn.execute(
            "create view public.naive as select agency_code from marts_store.fct_owned "
            "where (select guard.own_agencies()) is null "
            "or agency_code = any ((select guard.own_agencies())::text[])"
        )
        conn.execute("grant select on public.naive to chotso_reader_07201")
        conn.execute("alter view marts.fct_owned set (security_barrier = false)")
        conn.execute("set local role chotso_reader_07201")
        conn.execute("select from marts.fct_owned where public.peek(agency_code)")
        assert seen == {"07201"}
        seen.clear()
        conn.execute("select from public.naive where public.peek(agency_code)")
        conn.rollback()
    assert seen == {"072", "07201", "07202"}, "the naive view leaks"


EARLIER = """
create or replace view marts.fct_owned with (security_barrier) as
select agency_code, amount from marts_store.fct_owned
where generation = (select generation from ops.exposed)
    and ((select guard.own_agencies()) is null
        or agency_code = any ((select guard.own_agencies())::text[]));
drop function marts_store.own_fct_owned;
grant select on marts_store.fct_owned to chotso_reader;
drop view frozen.own_ranking;
create or replace view frozen.current_ranking with (security_invoker = true) as
select ranking.* from frozen.ranking inner join frozen.release using (release_id)
where release.is_current;
drop function frozen.own_ranking;
grant select on frozen.ranking to chotso_agency_reader;
delete from chotso_migrations.script where name = 'code/015_keeper.sql';
"""


def test_views_of_an_earlier_version_are_refused_and_made_anew(warehouse: Warehouse) -> None:
    migrate(warehouse.settings)
    with psycopg.connect(warehouse.admin_url) as admin, locks.hold(admin, "migrate"):
        admin.execute(EARLIER)
        admin.commit()
    wanted = r"agencies query frozen\.ranking, .*; agencies query marts\.fct_owned"
    with pytest.raises(ChotsoError, match=wanted), connect(warehouse.settings):
        raise AssertionError("it was let through")
    assert migrate(warehouse.settings).applied == ["code/015_keeper.sql"]
    with connect(warehouse.settings):
        pass
    query = "select agency_code, amount from marts.fct_owned"
    assert rows(warehouse, "chotso_reader_07201", query) == [("07201", 1)]
    assert len(rows(warehouse, "chotso_reader", query)) == 3
    for relation in ("frozen.current_ranking", "frozen.own_ranking"):
        assert rows(warehouse, "chotso_reader_07201", f"select from {relation}") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(warehouse, "chotso_reader_07201", "select from frozen.ranking")
    held = "select has_table_privilege('chotso_reader', 'marts_store.fct_owned', 'select')"
    assert warehouse.rows(held) == [(False,)]
