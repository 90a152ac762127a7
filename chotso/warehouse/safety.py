"""Detects, at the start of every command, set-ups in which sealed figures are not safe."""

import psycopg

from chotso.errors import ChotsoError

# PostgreSQL's own roles that bypass grants; the first three can also reach files and programs.
_REACHING_TOO_FAR = (
    "pg_execute_server_program",
    "pg_write_server_files",
    "pg_read_server_files",
    "pg_write_all_data",
    "pg_maintain",
    "pg_create_subscription",
)
_NOBODY_S = ("chotso_owner", "chotso_checker", "chotso_keeper")
_OF_THE_LOGIN, _OF_THE_WAREHOUSE = "login", "warehouse"

# One query; each branch returns what is wrong. A superuser is a member of every role, so only that
# is reported of a superuser.
_QUERY = """
with login as (
    select * from pg_catalog.pg_roles where rolname = session_user
),

reachable as (
    select role.*, role.rolname = session_user as is_itself
    from pg_catalog.pg_roles as role
    where role.rolname = session_user
        or not (select rolsuper from login)
        and pg_catalog.pg_has_role(session_user, role.oid, 'MEMBER')
),

relation as (
    select class.oid, class.relowner, class.relkind, class.relrowsecurity, class.relhasrules,
        pg_catalog.format('%%I.%%I', schema.nspname, class.relname) as name,
        schema.nspname = 'frozen' and class.relkind <> 'v' and exists (
            select from pg_catalog.pg_attribute as field
            where field.attrelid = class.oid and field.attname = 'agency_code'
        ) as is_limited
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_namespace as schema on schema.oid = class.relnamespace
    where schema.nspname in ('frozen', 'rehearsal') and class.relkind in ('r', 'p', 'v')
),

found (concerns, what) as (
    select 'login', case when is_itself then 'it has ' || word
        else pg_catalog.format('it may become %%s, which has %%s', rolname, word) end
    from reachable
    cross join lateral (values
        (rolsuper, 'SUPERUSER'), (rolcreaterole, 'CREATEROLE'), (rolreplication, 'REPLICATION'),
        (rolbypassrls, 'BYPASSRLS')
    ) as attribute (is_held, word)
    where is_held
    union all
    select 'login', 'it is a member of ' || rolname
    from reachable
    where rolname = any(%(forbidden)s) and not is_itself
    union all
    select 'login', pg_catalog.format('it owns %%s', relation.name)
    from relation
    inner join reachable on reachable.oid = relation.relowner
    where reachable.rolname <> 'chotso_owner' and not (select rolsuper from login)
    union all
    select 'warehouse', pg_catalog.format('%%s may write %%s', role.rolname, relation.name)
    from relation
    cross join pg_catalog.pg_roles as role
    where role.rolname in (session_user, 'chotso_loader') and not role.rolsuper and (
        pg_catalog.has_table_privilege(
            role.oid, relation.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'
        ) or pg_catalog.has_any_column_privilege(role.oid, relation.oid, 'INSERT, UPDATE')
    )
    union all
    select 'warehouse', pg_catalog.format('the guard of %%s is missing or disabled', relation.name)
    from relation
    cross join (values ('a_guard'), ('a_guard_row')) as wanted (name)
    where relation.relkind <> 'v' and (wanted.name = 'a_guard' or relation.name = 'frozen.release')
        and not exists (
            select from pg_catalog.pg_trigger as trigger
            where trigger.tgrelid = relation.oid and trigger.tgname = wanted.name
                and trigger.tgenabled = 'A'
        )
    union all
    select 'warehouse', pg_catalog.format('rules or policies stand on %%s', relation.name)
    from relation
    where relation.relkind <> 'v' and (
        relation.relhasrules or relation.relrowsecurity and not relation.is_limited
        or exists (
            select from pg_catalog.pg_policy as policy
            where policy.polrelid = relation.oid
                and not (relation.is_limited and policy.polname = 'own_agency')
        )
    )
    union all
    select 'warehouse',
        pg_catalog.format('agencies read more of %%s than their own rows', relation.name)
    from relation
    where relation.is_limited and not (
        relation.relrowsecurity and exists (
            select from pg_catalog.pg_policy as policy
            where policy.polrelid = relation.oid and policy.polname = 'own_agency'
        )
    )
    union all
    -- nothing of others' may be in what an agency queries: no table, and no view of another form
    select 'warehouse', pg_catalog.format(
        'agencies query %%s, which has rows of others', readable.oid::pg_catalog.regclass
    )
    from pg_catalog.pg_class as readable
    inner join pg_catalog.pg_namespace as schema on schema.oid = readable.relnamespace
    cross join (
        select oid from pg_catalog.pg_roles where rolname = 'chotso_agency_reader'
    ) as agencies
    where schema.nspname in ('frozen', 'marts', 'marts_store')
        and readable.relkind in ('r', 'p', 'v', 'm', 'f')
        and exists (
            select from pg_catalog.pg_attribute as field
            where field.attrelid = readable.oid and field.attname = 'agency_code'
                and not field.attisdropped
        )
        and pg_catalog.has_any_column_privilege(agencies.oid, readable.oid, 'SELECT')
        and not (readable.relkind = 'v' and (
            -- of what agencies may not query themselves
            coalesce(readable.reloptions @> array['security_invoker=true'], false)
            or exists (
                select from pg_catalog.pg_rewrite as rule
                inner join pg_catalog.pg_depend as need on need.objid = rule.oid
                    and need.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                    and need.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                inner join pg_catalog.pg_proc as giving on giving.oid = need.refobjid
                where rule.ev_class = readable.oid and giving.prosecdef
                    and giving.proname = 'own_'
                    || pg_catalog.regexp_replace(readable.relname, '^(own|current)_', '')
            )
        ))
    union all
    select 'warehouse', pg_catalog.format(
        '%%s is code or property of %%s, and would run for its readers',
        class.oid::pg_catalog.regclass, owner.rolname
    )
    from pg_catalog.pg_class as class
    inner join pg_catalog.pg_roles as owner on owner.oid = class.relowner
    inner join pg_catalog.pg_namespace as schema on schema.oid = class.relnamespace
    where schema.nspname in ('marts', 'marts_store') and class.relkind in ('r', 'p', 'v', 'm', 'f')
        and (
            owner.rolname <> 'chotso_keeper' and not owner.rolsuper
            or class.relkind <> 'v' and (
                class.relrowsecurity
                -- relhasrules stays for a while after the last one
                or exists (select from pg_catalog.pg_rewrite where ev_class = class.oid)
            )
        )
    union all
    select 'warehouse', 'everybody may take the locks of the product'
    where exists (select from relation) and pg_catalog.has_function_privilege(
        'public', 'pg_catalog.pg_advisory_lock(bigint)', 'EXECUTE'
    )
    union all
    select 'warehouse', pg_catalog.format('the event trigger %%s is missing or disabled', wanted)
    from pg_catalog.unnest(array[
        'chotso_guard_ddl_command_start', 'chotso_guard_ddl_command_end', 'chotso_guard_sql_drop',
        'chotso_guard_table_rewrite'
    ]) as wanted
    where exists (select from relation) and not exists (
        select from pg_catalog.pg_event_trigger where evtname = wanted and evtenabled = 'A'
    )
    union all
    select 'warehouse', pg_catalog.format('%%s is %%s', name, value)
    from (values
        ('session_replication_role', pg_catalog.current_setting('session_replication_role'),
            'origin'),
        ('event_triggers', pg_catalog.current_setting('event_triggers', true), 'on')
    ) as setting (name, value, wanted)
    where value <> wanted
)

select session_user::text, concerns, what from found order by concerns, what
"""


def refuse_unsafe(connection: psycopg.Connection) -> None:
    """Refuse a login that can change frozen figures, and a warehouse whose guards are missing.

    Raises:
        ChotsoError: It names everything that was found.
    """
    forbidden = [
        "chotso_owner",
        "chotso_checker",
        "chotso_keeper",
        "chotso_certifier",
        *_REACHING_TOO_FAR,
    ]
    found = connection.execute(_QUERY, {"forbidden": forbidden}).fetchall()
    login = [what for _, concerns, what in found if concerns == _OF_THE_LOGIN]
    if login:
        raise ChotsoError(
            f"The warehouse login {found[0][0]} could change frozen figures: {'; '.join(login)}.",
            kept="nothing was read or written.",
            next_step="name an ordinary login in CHOTSO_WAREHOUSE_URL; "
            "the superuser belongs in CHOTSO_ADMIN_URL, which `chotso migrate` alone uses.",
        )
    warehouse = [what for _, concerns, what in found if concerns == _OF_THE_WAREHOUSE]
    if warehouse:
        raise ChotsoError(
            f"The warehouse does not guard its frozen figures: {'; '.join(warehouse)}.",
            kept="nothing was read or written.",
            next_step="run `chotso migrate`, which puts the guards back; what it leaves, revoke or "
            "undo as the superuser. Then check every release against its anchor "
            "(`chotso verify`): somebody took them away.",
        )


def warnings(connection: psycopg.Connection) -> list[str]:
    """Set-ups that are no danger to frozen figures, but may hide one or delay a freeze."""
    row = connection.execute(
        "select current_setting('data_checksums') = 'on', "
        "current_setting('reserved_connections', true) = '0', "
        "not (select has_database_privilege(oid, current_database(), 'CREATE') "
        "from pg_roles where rolname = 'chotso_keeper'), "
        "exists (select from guard.writers_for_everybody()) or not guard.limits_temporary_files()"
    ).fetchone()
    has_checksums, keeps_none, makes_none, fills = row or (True, False, False, False)
    found = []
    if not has_checksums:
        found.append("Data checksums are off: a flipped bit on disk would go unnoticed.")
    if keeps_none:
        found.append(
            "No connections are reserved (reserved_connections): readers could take the last ones."
        )
    if makes_none:
        found.append(
            "chotso_keeper may not make schemas in this database (a restore does not bring that "
            "right): a freeze would fail until `chotso migrate` has run."
        )
    if fills:
        found.append(
            "Whoever may connect could fill the disk: by temporary files without a limit "
            "(temp_file_limit), or by functions that write large objects or the log. "
            "`chotso migrate` mends that."
        )
    return found
