"""Set-ups under which no command starts: each made on purpose, found, and put back."""

import psycopg
import pytest
from psycopg import sql

from chotso.errors import ChotsoError
from chotso.migrate import migrate
from chotso.warehouse import locks
from chotso.warehouse.connect import connect
from tests.attacks.sealed_world import SealedWorld

pytestmark = [pytest.mark.warehouse]


def as_migration(world: SealedWorld, statement: str) -> None:
    login = world.settings.warehouse_url.split("//")[1].split(":")[0]
    with locks.hold(world.admin, "migrate"):
        world.admin.execute(sql.SQL(statement).format(me=sql.Identifier(login)))
        world.admin.commit()


UNSAFE = {
    "superuser": ("alter role {me} superuser", "alter role {me} nosuperuser", "SUPERUSER"),
    "createrole": ("alter role {me} createrole", "alter role {me} nocreaterole", "CREATEROLE"),
    "replication": ("alter role {me} replication", "alter role {me} noreplication", "REPLICATION"),
    "bypassrls": ("alter role {me} bypassrls", "alter role {me} nobypassrls", "BYPASSRLS"),
    "a superuser to become": (
        "create role strong superuser role {me}", "drop role strong", "become strong, .* SUPERUSER"
    ),
    "one to become who may become one": (
        "create role strong createrole; create role between role {me}; grant strong to between",
        "drop role strong; drop role between", "become strong, which has CREATEROLE",
    ),
    "the owner": (
        "grant chotso_owner to {me}", "revoke chotso_owner from {me}", "member of chotso_owner"
    ),
    "a loader who is the owner": (
        "grant chotso_owner to chotso_loader", "revoke chotso_owner from chotso_loader",
        "member of chotso_owner",
    ),
    "the certifier": (
        "grant chotso_certifier to {me}", "revoke chotso_certifier from {me}",
        "member of chotso_certifier",
    ),
    "programs of the server": (
        "grant pg_execute_server_program to {me}", "revoke pg_execute_server_program from {me}",
        "member of pg_execute_server_program",
    ),
    "all data": (
        "grant pg_write_all_data to {me}", "revoke pg_write_all_data from {me}",
        "member of pg_write_all_data",
    ),
    "a table of its own": (
        "alter table frozen.ranking owner to {me}", "alter table frozen.ranking owner to "
        "chotso_owner", "owns frozen.ranking",
    ),
    "the keeper": (
        "grant chotso_keeper to {me}", "revoke chotso_keeper from {me}", "member of chotso_keeper"
    ),
    "a view for readers": (
        "create view marts.planted as select 1 as one; alter view marts.planted owner to "
        "chotso_loader", "drop view marts.planted", "marts.planted is code or property of",
    ),
    "a policy for readers": (
        "create table marts_store.planted (); alter table marts_store.planted owner to "
        "chotso_keeper; alter table marts_store.planted enable row level security",
        "drop table marts_store.planted", "marts_store.planted is code or property of",
    ),
    "locks of everybody's": (
        "grant execute on function pg_catalog.pg_advisory_lock(bigint) to public",
        "revoke execute on function pg_catalog.pg_advisory_lock(bigint) from public",
        "everybody may take the locks",
    ),
    "a table to write": (
        "grant insert on frozen.ranking to chotso_loader",
        "revoke insert on frozen.ranking from chotso_loader",
        "chotso_loader may write frozen.ranking",
    ),
    "a column to write": (
        "grant update (rank_number) on rehearsal.ranking to {me}",
        "revoke update (rank_number) on rehearsal.ranking from {me}", "may write rehearsal.ranking",
    ),
    "a trigger disabled": (
        "alter table frozen.ranking disable trigger a_guard",
        "alter table frozen.ranking enable always trigger a_guard",
        "the guard of frozen.ranking is missing or disabled",
    ),
    "a trigger that a replica skips": (
        "alter table frozen.ranking enable trigger a_guard",
        "alter table frozen.ranking enable always trigger a_guard", "guard of frozen.ranking is",
    ),
    "a trigger gone": (
        "drop trigger a_guard_row on frozen.release", "select guard.protect()",
        "the guard of frozen.release is missing or disabled",
    ),
    "a table without a guard": (
        "create table frozen.planted (release_id text)", "drop table frozen.planted",
        "the guard of frozen.planted is missing",
    ),
    "an event trigger disabled": (
        "alter event trigger chotso_guard_sql_drop disable", "select guard.protect()",
        "event trigger chotso_guard_sql_drop is missing or disabled",
    ),
    "an event trigger gone": (
        "drop event trigger chotso_guard_ddl_command_end", "select guard.protect()",
        "event trigger chotso_guard_ddl_command_end is missing",
    ),
    "rows hidden": (
        "alter table frozen.certification enable row level security",
        "alter table frozen.certification disable row level security",
        "rules or policies stand on frozen.certification",
    ),
    "rows hidden by another policy": (
        "create policy planted on frozen.ranking as restrictive using (false)",
        "drop policy planted on frozen.ranking", "rules or policies stand on frozen.ranking",
    ),
    "an agency's limit off": (
        "alter table frozen.ranking disable row level security", "select guard.protect()",
        "agencies read more of frozen.ranking than their own rows",
    ),
    "an agency's limit gone": (
        "drop policy own_agency on frozen.ranking", "select guard.protect()",
        "agencies read more of frozen.ranking than their own rows",
    ),
    "an agency's rows in a view of all": (
        "create or replace view frozen.current_ranking with (security_invoker = false) as select "
        "ranking.* from frozen.ranking inner join frozen.release using (release_id) "
        "where release.is_current", "select guard.protect()",
        "agencies query frozen.current_ranking, which has rows of others",
    ),
    "a table granted to agencies": (
        "grant select (is_considered) on frozen.ranking to chotso_agency_reader",
        "select guard.protect()",
        "agencies query frozen.ranking, which has rows of others",
    ),
    "a replica": (
        "alter role {me} set session_replication_role = replica",
        "alter role {me} reset session_replication_role", "session_replication_role is replica",
    ),
    "event triggers off": (
        "alter role {me} set event_triggers = off", "alter role {me} reset event_triggers",
        "event_triggers is off",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "undo", "told"), UNSAFE.values(), ids=UNSAFE.keys())
def test_an_unsafe_set_up_is_refused_with_its_reason(
    world: SealedWorld, make: str, undo: str, told: str
) -> None:
    if "event_triggers" in make and world.admin.info.server_version < 170000:
        pytest.skip("PostgreSQL has this setting since 17")
    with connect(world.settings):
        pass
    as_migration(world, make)
    try:
        with pytest.raises(ChotsoError, match=told), connect(world.settings):
            raise AssertionError("an unsafe set-up was let through")
    finally:
        as_migration(world, undo)
    with connect(world.settings):
        pass


def test_migrate_puts_the_guards_back(world: SealedWorld) -> None:
    for statement in (
        "alter table frozen.ranking disable trigger a_guard",
        "drop trigger a_guard on rehearsal.release",
        "drop event trigger chotso_guard_sql_drop",
        "alter event trigger chotso_guard_ddl_command_end disable",
        "grant update on frozen.release to chotso_loader",
        "alter view frozen.current_release set (security_invoker = false)",
        "alter function frozen.seal set search_path = public",
    ):
        as_migration(world, statement)
    with pytest.raises(ChotsoError, match="does not guard its frozen figures"):
        connect(world.settings).__enter__()
    migrate(world.settings)
    with connect(world.settings) as conn:
        assert conn.execute(
            "select reloptions from pg_class where oid = 'frozen.current_release'::regclass"
        ).fetchone() == (["security_invoker=true"],)


def test_every_function_of_the_owner_s_pins_what_it_finds(world: SealedWorld) -> None:
    """Temporary objects last: a table pg_temp.pg_class must not be read for the catalog's."""
    loose = world.admin.execute(
        """
        select proc.oid::regprocedure::text from pg_proc as proc
        where proowner in ('chotso_owner'::regrole, 'chotso_checker'::regrole) and not coalesce(
            proconfig @> array['search_path=pg_catalog, pg_temp', 'standard_conforming_strings=on'],
            false
        )
        """
    ).fetchall()
    assert loose == []


def test_a_superuser_s_slip_is_refused_and_said_in_both_languages(world: SealedWorld) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        world.admin.execute("update frozen.release set is_current = false")
    world.admin.rollback()
    assert "Số liệu đã niêm phong, không sửa được — frozen.release is sealed" in str(refused.value)
    assert "corrigendum" in str(refused.value.diag.message_hint)


# The books are a superuser's to tend: an index where a query is slow, a trial's table emptied.
TENDED = (
    "create index planted on raw.payments (so_tien)",
    "create trigger planted before insert on ops.batch for each statement "
    "execute function suppress_redundant_updates_trigger()",
    "alter table quarantine.row add column planted int",
    "alter table ops.control_total rename to planted",
    "truncate raw.payments, ops.batch cascade",
)
SEALED = (
    "drop function ops.freeze_checks cascade",
    "alter table ops.freeze drop column reason",
    "alter table ops.freeze_override disable trigger a_guard",
    "drop trigger a_guard on ops.freeze_override",
    "truncate ops.freeze_override",
    "drop schema raw cascade",
    "alter schema ops rename to planted",
    "create table frozen.planted ()",
    "create function frozen.planted() returns int language sql return 1",
    "create table public.planted () inherits (frozen.ranking)",
    "alter table frozen.late_change alter column item_key type varchar using 'x'",
)


@pytest.mark.parametrize("statement", TENDED)
def test_a_superuser_tends_the_books(world: SealedWorld, statement: str) -> None:
    world.admin.execute(statement.encode())
    world.admin.rollback()


@pytest.mark.parametrize("statement", SEALED)
def test_what_a_seal_hangs_on_is_a_migration_s_alone(world: SealedWorld, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        world.admin.execute(statement.encode())
    world.admin.rollback()
    assert refused.value.diag.constraint_name == "sealed"


def test_who_may_only_connect_gets_into_no_unguarded_database(world: SealedWorld) -> None:
    """Locks and the shared catalogs are the whole server's, whatever database one is in."""
    world.admin.rollback()
    migrate(world.settings)
    open_to_all = world.admin.execute(
        "select datname from pg_database where datname in ('postgres', 'template1') "
        "and has_database_privilege('public', oid, 'CONNECT')"
    ).fetchall()
    watched = world.admin.execute(
        "select has_database_privilege('pg_monitor', 'postgres', 'CONNECT')"
    ).fetchone()
    world.admin.rollback()
    assert (open_to_all, watched) == ([], (True,))
