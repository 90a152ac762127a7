"""What is tried: statements by the kind of object that they are tried on.

Each operation is tried on every object of its kind that the warehouse has. `{o}` is the object,
`{s}` its schema, `{n}` its plain name; `;;` parts the statements of one attack.
"""

TABLES = {
    # reading, and what a reader could block
    "select": "select * from {o}",
    "select for update": "select from {o} for update",
    "select for key share": "select from {o} for key share",
    "lock in access share mode": "lock table {o} in access share mode",
    "lock in exclusive mode": "lock table {o} in exclusive mode",
    "create table as": "create temp table stolen as select * from {o}",
    # every statement that writes rows
    "insert": "insert into {o} select * from {o}",
    "insert nothing": "insert into {o} select * from {o} where false",
    "insert on conflict": "insert into {o} select * from {o} on conflict do nothing",
    "insert default values": "insert into {o} default values",
    "update": "update {o} set release_id = release_id",
    "update nothing": "update {o} set release_id = 'x' where false",
    "update through with": "with u as (update {o} set release_id = 'x' returning 1) table u",
    "delete": "delete from {o}",
    "delete nothing": "delete from {o} where false",
    "truncate": "truncate {o} cascade",
    "truncate only": "truncate only {o} restart identity",
    "merge insert": "merge into {o} as t using (select 1) as s on false "
    "when not matched then insert default values",
    "merge update": "merge into {o} as t using (select 1) as s on true "
    "when matched then update set release_id = 'x'",
    "merge delete": "merge into {o} as t using (select 1) as s on true when matched then delete",
    # structure
    "drop": "drop table {o} cascade",
    "add column": "alter table {o} add column planted int default 1",
    "drop column": "alter table {o} drop column release_id cascade",
    "rename column": "alter table {o} rename column release_id to gone",
    "alter type using": "alter table {o} alter column release_id type text using 'x'",
    "set default": "alter table {o} alter column release_id set default 'x'",
    "drop not null": "alter table {o} alter column release_id drop not null",
    "drop primary key": "alter table {o} drop constraint {n}_pkey cascade",
    "add check": "alter table {o} add constraint planted check (true)",
    "rename": "alter table {o} rename to gone",
    "set schema": "alter table {o} set schema public",
    "set unlogged": "alter table {o} set unlogged",
    "set storage parameter": "alter table {o} set (autovacuum_enabled = off)",
    "replica identity": "alter table {o} replica identity nothing",
    "inherit a planted child": "create temp table child (like {o}) ;; "
    "alter table child inherit {o}",
    "create a planted child": "create temp table child () inherits ({o})",
    "create index": "create index on {o} (release_id)",
    "create statistics": "create statistics planted on release_id, (length(release_id)) from {o}",
    "comment": "comment on table {o} is 'planted'",
    "reindex": "reindex table {o}",
    "cluster": "cluster {o} using {n}_pkey",
    "analyze": "analyze {o}",
    "refer to it": "create temp table r (x text references {o})",
    # ownership and rights
    "change owner": "alter table {o} owner to current_user",
    "grant to oneself": "grant all on {o} to session_user",
    "grant to everybody": "grant update on {o} to public",
    "grant a column": "grant update (release_id) on {o} to public",
    "revoke from the owner": "revoke all on {o} from chotso_owner",
    # triggers, rules, policies
    "disable all triggers": "alter table {o} disable trigger all",
    "disable user triggers": "alter table {o} disable trigger user",
    "weaken the guard": "alter table {o} enable trigger a_guard",
    "drop the guard": "drop trigger a_guard on {o}",
    "rename the guard": "alter trigger a_guard on {o} rename to b",
    "create trigger": "create trigger planted before insert on {o} for each row "
    "execute function suppress_redundant_updates_trigger()",
    "create rule": "create rule planted as on update to {o} do instead nothing",
    "create policy": "create policy planted on {o} using (false)",
    "enable row security": "alter table {o} enable row level security",
    "force row security": "alter table {o} force row level security",
    "disable row security": "alter table {o} disable row level security",
    "drop the limit": "drop policy own_agency on {o}",
    "widen the limit": "alter policy own_agency on {o} using (true)",
    # leaving by another door
    "publish": "create publication planted for table {o}",
}

VIEWS = {
    "select": "select * from {o}",
    "insert": "insert into {o} select * from {o}",
    "update": "update {o} set release_id = 'x'",
    "delete": "delete from {o}",
    "replace": "create or replace view {o} as select * from {o} limit 0",
    "drop": "drop view {o} cascade",
    "rename": "alter view {o} rename to gone",
    "set schema": "alter view {o} set schema public",
    "run with the owner's rights": "alter view {o} set (security_invoker = false)",
    "change owner": "alter view {o} owner to current_user",
    "set default": "alter view {o} alter column release_id set default 'x'",
    "create rule": "create rule planted as on update to {o} do instead nothing",
    "create trigger": "create trigger planted instead of update on {o} for each row "
    "execute function suppress_redundant_updates_trigger()",
    "comment": "comment on view {o} is 'planted'",
    "grant to oneself": "grant all on {o} to session_user",
}

SCHEMAS = {
    "create table": "create table {o}.planted ()",
    "create view": "create view {o}.planted as select 1 as one",
    "create function": "create function {o}.planted() returns int language sql as 'select 1'",
    "create operator": "create operator {o}.= (function = texteq, leftarg = text, rightarg = text)",
    "create type": "create type {o}.planted as enum ('a')",
    "create sequence": "create sequence {o}.planted",
    "create extension": "create extension citext schema {o}",
    "rename": "alter schema {o} rename to gone",
    "change owner": "alter schema {o} owner to current_user",
    "drop": "drop schema {o} cascade",
    "grant": "grant all on schema {o} to public",
    "comment": "comment on schema {o} is 'planted'",
    "default privileges": "alter default privileges for role chotso_owner in schema {o} "
    "grant all on tables to public",
    "publish": "create publication planted for tables in schema {o}",
    "take all tables": "grant all on all tables in schema {o} to public",
    "shadow it": "create schema shadow ;; create view shadow.release as select 1 as one ;; "
    "set search_path = shadow, {o}",
}

FUNCTIONS = {
    "call": "select {call}",
    "replace": "create or replace function {o} returns {returns} language sql as 'select null'",
    "run with the caller's rights": "alter function {o} security invoker",
    "run with the owner's rights": "alter function {o} security definer",
    "change search_path": "alter function {o} set search_path = public",
    "reset settings": "alter function {o} reset all",
    "change owner": "alter function {o} owner to current_user",
    "rename": "alter function {o} rename to gone",
    "drop": "drop function {o} cascade",
    "grant": "grant execute on function {o} to public",
}

_FIGURE = "update frozen.attainment set actual_to_date = 0"
OTHERS = {
    # getting past the guards
    "become the owner": f"set role chotso_owner ;; {_FIGURE}",
    "become the loader": f"set role chotso_loader ;; {_FIGURE}",
    "become a superuser": f"set session authorization postgres ;; {_FIGURE}",
    "replica": f"set session_replication_role = replica ;; {_FIGURE}",
    "event triggers off": "set event_triggers = off ;; drop table frozen.ranking cascade",
    "row security off": f"set row_security = off ;; {_FIGURE}",
    "a setting of the product's": f"set chotso.is_migration = 'on' ;; {_FIGURE}",
    "the lock of a migration": "select pg_advisory_xact_lock(hashtextextended("
    f"'chotso/migrate', 0)) ;; {_FIGURE}",
    "the lock and a drop": "select pg_advisory_xact_lock(hashtextextended("
    "'chotso/migrate', 0)) ;; drop table frozen.ranking cascade",
    "an application_name": f"set application_name = 'chotso migrate' ;; {_FIGURE}",
    "a definer function of the owner's": "create function pg_temp.f() returns void language sql "
    f"security definer as '{_FIGURE}' ;; alter function pg_temp.f() owner to chotso_owner ;; "
    "select pg_temp.f()",
    "a definer function of one's own": "create function pg_temp.f() returns void language sql "
    f"security definer as '{_FIGURE}' ;; select pg_temp.f()",
    "a function made as the owner": "set role chotso_owner ;; create function pg_temp.f() "
    f"returns void language sql security definer as '{_FIGURE}' ;; reset role ;; "
    "select pg_temp.f()",
    "a do block": f"do $d$ begin {_FIGURE}; end $d$",
    "disable an event trigger": "alter event trigger chotso_guard_ddl_command_end disable",
    "drop an event trigger": "drop event trigger chotso_guard_sql_drop",
    "create an event trigger": "create event trigger planted on ddl_command_start "
    "execute function guard.refuse_ddl()",
    # rights
    "grant oneself the owner": "grant chotso_owner to session_user",
    "grant oneself the loader": "grant chotso_loader to session_user",
    "grant oneself the certifier": "grant chotso_certifier to session_user",
    "grant oneself another agency": "grant chotso_reader_07200 to session_user",
    "make the owner a login": "alter role chotso_owner login password 'x'",
    "make oneself a superuser": "alter role session_user superuser",
    "make a member of the owner": "create role planted login in role chotso_owner",
    "drop the owner's things": "drop owned by chotso_owner cascade",
    "take the owner's things": "reassign owned by chotso_owner to session_user",
    "settings of the loader": "alter role chotso_loader set search_path = public",
    "settings of the database": "alter database {database} set search_path = public",
    "replica for the database": "alter database {database} set session_replication_role = replica",
    "grant on the database": "grant create on database {database} to public",
    "default privileges of one's own": "alter default privileges grant all on tables to public",
    # code in the server
    "a cast of one's own": "create type pg_temp.t as (x text) ;; "
    "create function pg_temp.f(pg_temp.t) returns text language sql as 'select null::text' ;; "
    "create cast (pg_temp.t as text) with function pg_temp.f(pg_temp.t) as implicit",
    "a cast between types of the system": "create cast (text as numeric) with inout as implicit",
    "an operator in pg_catalog": "create operator pg_catalog.=== "
    "(function = texteq, leftarg = text, rightarg = text)",
    "a c function": "create function pg_temp.f() returns int language c as 'libc', 'getpid'",
    "load a library": "load '$libdir/../planted'",
    "an untrusted language": "create extension plpython3u",
    "a trusted extension": "create extension citext schema public",
    # names that others' sessions look up: code in a schema of theirs, or among the marts
    "create a schema": "create schema planted",
    "a schema called as a superuser": "create schema postgres",
    "a schema called as a reader": "create schema attacker_reader",
    "a schema with what is in it": "create schema planted create table t ()",
    "rename a schema": "alter schema marts_build rename to attacker_reader",
    "a scratch schema": "select ops.make_scratch_schema('scratch_planted')",
    "a scratch schema called as a superuser": "select ops.make_scratch_schema('postgres')",
    "drop a schema that is no scratch": "select 1 / ops.drop_scratch_schema('marts')::int",
    "a function that a migration calls": "create function public.hashtextextended(text, bigint) "
    "returns bigint language sql return 1",
    "an operator that a reader uses": "create operator public.* "
    "(function = numeric_mul, leftarg = numeric, rightarg = numeric)",
    "a cast that a reader uses": "create cast (numeric as text) with inout as implicit",
    "a table in public": "create table public.planted ()",
    "a function among the marts": "create function marts.planted() returns int language sql "
    "return 1",
    "an operator among the marts": "create operator marts.* "
    "(function = numeric_mul, leftarg = numeric, rightarg = numeric)",
    "a view for readers": "create view marts.planted as select 1 as one",
    "another view in place of a mart": "create or replace view marts.dim_month as "
    "select generation, month from marts_store.dim_month",
    "drop a mart": "drop view marts.dim_month",
    "a policy on a mart": "create policy planted on marts_store.dim_month using (true)",
    "a rule on a mart": "create rule planted as on insert to marts_store.dim_month do also nothing",
    "a default of a mart": "alter table marts_store.dim_month alter column month set default now()",
    "a trigger on a mart": "create trigger planted before insert on marts_store.dim_month "
    "for each row execute function suppress_redundant_updates_trigger()",
    "a mart that is none": "select ops.fit_mart('pg_catalog', 'pg_class')",
    "word a mart's view": "select ops.show_mart('dim_month', array['generation']::name[])",
    "set the path for oneself": "alter role current_user set search_path = public",
    "set the path for a reader": "alter role chotso_reader set search_path = public",
    # looking on, and standing in the way
    "explain a frozen table": "explain (analyze, buffers) select * from frozen.attainment",
    "explain a mart": "explain (analyze) select * from marts.dim_month",
    "explain an update": "explain analyze update frozen.attainment set actual_to_date = 0",
    "an advisory lock": "select pg_advisory_lock(hashtextextended('chotso/freeze', 0))",
    "an advisory lock of a transaction": "select pg_advisory_xact_lock(1)",
    "a shared advisory lock": "select pg_try_advisory_lock_shared(1, 1)",
    "all advisory locks": "select pg_try_advisory_xact_lock(i) from generate_series(1, 10) as i",
    "give advisory locks away": "grant execute on function pg_advisory_lock(bigint) to public",
    "lock the ledger": "lock table ops.batch in exclusive mode",
    "lock a row of a freeze": "select from ops.freeze for update",
    "lock the marts": "lock table marts_store.dim_month in access exclusive mode",
    "make way as a seal does": "select frozen.make_way('0 s', '1 s')",
    "certify nothing": "select frozen.certify('x', 'x', 'x', 'x', 'x')",
    "more connections": "alter role current_user connection limit 1000",
    "connections kept for the product": "grant pg_use_reserved_connections to current_user",
    "shadow by a temporary table": "create temp table release as select 'x' as release_id ;; "
    "set search_path = pg_temp, frozen ;; select * from release",
    "a view over it": "create temp view v as select * from frozen.release ;; "
    "update v set status = 'certified'",
    "a foreign data wrapper": "create foreign data wrapper planted",
    # files and programs of the server
    "copy to a program": "copy (select 1) to program 'cat > /dev/null'",
    "copy from a program": "create temp table t (x text) ;; copy t from program 'echo 1'",
    "copy to a file": "copy (select 1) to '/dev/null'",
    "copy from a file": "create temp table t (x text) ;; copy t from '/dev/null'",
    "copy a table from a file": "copy frozen.ranking from '/dev/null'",
    "read a file": "select pg_read_file('PG_VERSION')",
    "list the data directory": "select pg_ls_dir('base')",
    "import a large object": "select lo_import('/dev/null')",
    "make a large object": "select lo_create(0)",
    "reload the settings": "select pg_reload_conf()",
    "signal a session": "select pg_cancel_backend({victim})",
    "signal the superuser's session": "select pg_cancel_backend({admin})",
    # replication
    "a replication slot": "select pg_create_physical_replication_slot('planted', false, true)",
    "a subscription": "create subscription planted connection 'host=127.0.0.1 password=x' "
    "publication p with (connect = false)",
    "publish everything": "create publication planted for all tables",
    "write to the log": "select pg_logical_emit_message(true, 'planted', 'x')",
    # what two persons let pass
    "let a check pass": "insert into ops.freeze_override select * from ops.freeze_override",
    "take back what passed": "delete from ops.freeze_override",
    "change what passed": "update ops.freeze_override set first_name = 'x'",
    "empty what passed": "truncate ops.freeze_override",
    "lay rows down": "insert into sealing.ranking select * from sealing.ranking where false",
    "change what is laid down": "update sealing.file set content = ''",
    "take away what is laid down": "delete from sealing.file",
}

# These cannot be undone by a transaction, or speak the COPY protocol; of a superuser they are not
# tried, for they would succeed.
COPIES = {"copy out": "copy {o} to stdout", "copy in": "copy {o} from stdin"}
AT_ONCE = {
    "vacuum": "vacuum frozen.ranking",
    "vacuum full": "vacuum full frozen.ranking",
    "reindex concurrently": "reindex table concurrently frozen.ranking",
    "create index concurrently": "create index concurrently on frozen.ranking (release_id)",
    "alter system": "alter system set session_replication_role = replica",
    "clone the database": "create database attacker_clone template {database}",
    "drop the database": "drop database {database}",
    "rename the database": "alter database {database} rename to gone",
    "a tablespace": "create tablespace planted location '/nowhere'",
}
