-- Rights as they are, as they should be, and the statements that correct the difference.

-- Objects in the loader's own schemas are made again every night: of these only the schema is kept.
create or replace function guard.own_schemas()
returns table (schema_id oid, schema_name name, is_kept boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select oid, nspname, nspname !~ '^(landing|marts.*|public)$'
    from pg_namespace
    where nspname = any(array[
        'raw', 'ops', 'quarantine', 'frozen', 'rehearsal', 'sealing', 'guard',
        'landing', 'marts', 'marts_build', 'marts_store', 'public'
    ])
$$;
comment on function guard.own_schemas is
'Các lược đồ của kho — the warehouse''s schemas, and whether their objects stay';
revoke execute on function guard.own_schemas from public;
grant execute on function guard.own_schemas to chotso_loader, chotso_auditor;

create or replace function guard.own_objects()
returns table (object_kind text, object text, owner_id oid, acl aclitem[])
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with kept_schema as (
        select schema_id as oid, schema_name as nspname from guard.own_schemas() where is_kept
    )

    select 'schema', format('%I', nspname), nspowner, coalesce(nspacl, acldefault('n', nspowner))
    from pg_namespace
    where oid in (select schema_id from guard.own_schemas())
    union all
    select
        case class.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end,
        format('%I.%I', schema.nspname, class.relname), class.relowner,
        coalesce(class.relacl, acldefault(
            case class.relkind when 'S' then 's' else 'r' end::"char", class.relowner
        ))
    from pg_class as class
    inner join kept_schema as schema on schema.oid = class.relnamespace
    where class.relkind in ('r', 'p', 'v', 'S')
    union all
    select
        'function',
        format(
            '%I.%I(%s)', schema.nspname, proc.proname,
            pg_get_function_identity_arguments(proc.oid)
        ),
        proc.proowner, coalesce(proc.proacl, acldefault('f', proc.proowner))
    from pg_proc as proc
    inner join kept_schema as schema on schema.oid = proc.pronamespace
$$;
comment on function guard.own_objects is
'Các đối tượng của kho và quyền trên chúng — the warehouse''s objects, their owners and rights';
revoke execute on function guard.own_objects from public;
grant execute on function guard.own_objects to chotso_loader, chotso_auditor;

create or replace function guard.found_roles()
returns table (kind text, object_kind text, object text, role text, word text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with own_role as (
        select oid, rolname from pg_roles where rolname ~ '^chotso_' and not rolcanlogin
    )

    select 'role', 'role', rolname::text, rolname::text, 'nologin' from own_role
    union all
    select 'member', 'role', granted.rolname::text, member.rolname::text, ''
    from pg_auth_members as link
    inner join own_role as granted on granted.oid = link.roleid
    inner join own_role as member on member.oid = link.member
    union all
    select
        'setting', case setdatabase when 0 then 'role' else 'database' end,
        own_role.rolname::text, own_role.rolname::text, each.line
    from pg_db_role_setting as setting
    inner join own_role on own_role.oid = setting.setrole
    cross join lateral unnest(setting.setconfig) as each (line)
    where setdatabase in (
        0, (select oid from pg_database where datname = current_database())
    )
$$;
comment on function guard.found_roles is
'Vai trò, thành viên và thiết lập đang có — roles, members and settings as they are';
revoke execute on function guard.found_roles from public;
grant execute on function guard.found_roles to chotso_loader, chotso_auditor;

create or replace function guard.found_rights()
returns table (kind text, object_kind text, object text, role text, word text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with own_role as (
        select oid, rolname from pg_roles where rolname ~ '^chotso_' and not rolcanlogin
    ),

    thing as (
        select * from guard.own_objects()
    ),

    given (object_kind, object, owner_id, acl) as (
        select * from thing
        union all
        select 'database', '', datdba, coalesce(datacl, acldefault('d', datdba))
        from pg_database where datname = current_database()
        union all
        select
            'column', format('%I.%I.%I', schema.schema_name, class.relname, field.attname),
            class.relowner, field.attacl
        from pg_attribute as field
        inner join pg_class as class on class.oid = field.attrelid
        inner join guard.own_schemas() as schema
            on schema.schema_id = class.relnamespace and schema.is_kept
        where field.attacl is not null and not field.attisdropped
    )

    select * from guard.found_roles()
    union all
    select 'owner', object_kind, object, rolname::text, 'owner'
    from thing inner join own_role on own_role.oid = thing.owner_id
    where object_kind <> 'sequence'  -- its owner is its table's owner
    union all
    select
        'right', object_kind, object, coalesce(own_role.rolname::text, 'PUBLIC'),
        item.privilege_type
    from given
    cross join lateral aclexplode(given.acl) as item
    left join own_role on own_role.oid = item.grantee
    where item.grantee <> given.owner_id and (item.grantee = 0 or own_role.oid is not null)
    union all
    select
        'default', case defaclobjtype when 'r' then 'tables' when 'S' then 'sequences'
            when 'f' then 'functions' when 'T' then 'types' else 'schemas' end,
        format('for role %I in schema %I', maker.rolname, schema.schema_name),
        coalesce(reader.rolname::text, 'PUBLIC'), item.privilege_type
    from pg_default_acl as given_later
    inner join own_role as maker on maker.oid = given_later.defaclrole
    inner join guard.own_schemas() as schema on schema.schema_id = given_later.defaclnamespace
    cross join lateral aclexplode(given_later.defaclacl) as item
    left join own_role as reader on reader.oid = item.grantee
    where item.grantee <> given_later.defaclrole and (item.grantee = 0 or reader.oid is not null)
$$;
comment on function guard.found_rights is
'Vai trò, chủ sở hữu và quyền đang có — roles, owners and rights as they are';
revoke execute on function guard.found_rights from public;
grant execute on function guard.found_rights to chotso_loader, chotso_auditor;

-- Rights that are missing, and rights of `public` that must not be: a restore without rights leaves
-- those that PostgreSQL gives by default.
create or replace function guard.wrong_rights()
returns table (
    kind text, object_kind text, object text, role text, word text, is_missing boolean
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with found as materialized (select * from guard.found_rights()),

    missing as (
        select * from guard.expected
        except
        select * from found
    ),

    too_many as (
        select found.*
        from found
        where found.kind = 'right' and found.role = 'PUBLIC'
            and (found.object_kind = 'database' or exists (
                select from guard.expected as known
                where known.object_kind = found.object_kind and known.object = found.object
            ))
            and exists (select from guard.expected)
        except
        select * from guard.expected
    )

    select missing.*, true from missing
    union all
    select too_many.*, false from too_many
$$;
comment on function guard.wrong_rights is
'Quyền bị mất hoặc thừa — what differs from guard.expected';
revoke execute on function guard.wrong_rights from public;
grant execute on function guard.wrong_rights to chotso_loader, chotso_auditor;

-- Called by a migration: restores everything as recorded. Objects that are gone stay reported.
create or replace function guard.put_rights_back() returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    each record;
    place text;
    counted bigint := 0;
begin
    -- roles first, then owners, because an owner's implicit rights hide granted ones
    for each in
        select * from guard.wrong_rights()
        order by array_position(
            array['role', 'member', 'owner', 'default', 'right', 'setting'], kind
        ), object, role, word
    loop
        place := case each.object_kind
            when 'database' then format('database %I', current_database())
            when 'column' then 'table ' || regexp_replace(each.object, '\.[^.]*$', '')
            when 'view' then 'table ' || each.object
            else each.object_kind || ' ' || each.object
        end;
        begin
            execute case each.kind
                when 'role' then format('create role %I nologin', each.object)
                when 'member' then format('grant %I to %I', each.object, each.role)
                when 'owner' then format(
                    'alter %s %s owner to %I', each.object_kind, each.object, each.role
                )
                when 'setting' then format(
                    'alter role %I%s set %s to %s', each.role,
                    case each.object_kind when 'database'
                        then format(' in database %I', current_database()) else '' end,
                    split_part(each.word, '=', 1),
                    case when split_part(each.word, '=', 1) = 'search_path'
                        then coalesce(nullif(nullif(substr(each.word, 13), '""'), ''), '''''')
                        else quote_literal(substr(each.word, strpos(each.word, '=') + 1)) end
                )
                when 'default' then format(
                    'alter default privileges %s grant %s on %s to %s',
                    each.object, each.word, each.object_kind,
                    case each.role when 'PUBLIC' then 'public' else quote_ident(each.role) end
                )
                else format(
                    '%s %s%s on %s %s %s',
                    case when each.is_missing then 'grant' else 'revoke' end,
                    each.word,
                    case each.object_kind when 'column'
                        then ' (' || regexp_replace(each.object, '^.*\.', '') || ')' else '' end,
                    place,
                    case when each.is_missing then 'to' else 'from' end,
                    case each.role when 'PUBLIC' then 'public' else quote_ident(each.role) end
                )
            end;
            counted := counted + 1;
        exception
            when undefined_table or undefined_function or undefined_column
                or invalid_schema_name or undefined_object
            then null;  -- it is reported as missing
        end;
    end loop;
    return counted;
end
$$;
comment on function guard.put_rights_back is
'Trả lại vai trò, chủ sở hữu và quyền — puts roles, owners and rights back';
revoke execute on function guard.put_rights_back from public;
