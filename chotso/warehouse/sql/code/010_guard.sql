-- Guards of sealed tables: triggers, event triggers, and functions that restore them.

create or replace function guard.is_migration() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        exists (select from pg_roles where rolname = session_user and rolsuper)
        and exists (
            select from pg_locks
            where locktype = 'advisory' and granted and objsubid = 1 and pid = pg_backend_pid()
                and database = (select oid from pg_database where datname = current_database())
                and (classid::bigint << 32 | objid::bigint)
                = hashtextextended('chotso/migrate', 0)
        )
$$;
comment on function guard.is_migration is
'Phiên này có phải đang nâng cấp không — whether this session is a migration';

-- In a function of the owner, current_user is the owner, but the setting `role` is still the
-- caller's. A session that became the owner by SET ROLE, or has its rights, is not in one.
create or replace function guard.is_owner_s_function() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select current_user = 'chotso_owner' and session_user <> 'chotso_owner'
        and current_setting('role') <> 'chotso_owner'
$$;
comment on function guard.is_owner_s_function is
'Có đang ở trong hàm của chủ sở hữu không — whether this runs in a function of the owner''s';

create or replace function guard.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    is_empty boolean;
begin
    if guard.is_migration() then
        return null;
    end if;
    if tg_op = 'INSERT' and guard.is_owner_s_function() then
        return null;
    end if;
    if tg_op = 'TRUNCATE' and tg_argv[0] = 'append' then
        execute format('select not exists (select from %s)', tg_relid::regclass) into is_empty;
        if is_empty then
            return null;  -- the table is empty, so no rows are lost
        end if;
    end if;
    -- the owner's functions change two columns of a release; refuse_other_change checks which
    if tg_op = 'UPDATE' and tg_argv[0] = 'release' and guard.is_owner_s_function() then
        return null;
    end if;
    raise exception using
        errcode = 'insufficient_privilege', constraint = 'sealed',
        message = format(
            'Số liệu đã niêm phong, không sửa được — %I.%I is sealed: %s is refused',
            tg_table_schema, tg_table_name, tg_op
        ),
        hint = 'a mistake is mended by a corrigendum: `chotso corrigendum PERIOD`';
end
$$;
comment on function guard.refuse_change is
'Từ chối mọi thay đổi số liệu đã chốt — refuses what is no function of the owner''s';

create or replace function guard.refuse_other_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    before constant jsonb := to_jsonb(old);
    after constant jsonb := to_jsonb(new);
begin
    if guard.is_migration()
        or before = after  -- nothing changes at a third signature
        or (
            before - 'status' = after - 'status'
            and before ->> 'status' = 'sealed' and after ->> 'status' = 'certified'
        )
        or (
            before - 'is_current' = after - 'is_current' and old.is_current and not new.is_current
        )
    then
        return new;
    end if;
    raise exception using
        errcode = 'insufficient_privilege', constraint = 'sealed',
        message = format(
            'Số liệu đã niêm phong, không sửa được — the release %s is sealed: of it only the '
            'status becomes certified, and it is current until it is corrected',
            old.release_id
        );
end
$$;
comment on function guard.refuse_other_change is
'Bản chốt chỉ được xác nhận hoặc thôi hiệu lực — a release is certified or superseded, no more';

-- Whether only a migration may change this object. Nobody may change sealed objects, their guards
-- and the owner's functions. Only superusers may change other objects of the owner.
create or replace function guard.is_guarded(
    class_id oid, object_id oid, schemas text[], relation_name text
) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        -- by name, too, because an object that is being dropped has no owner any more
        coalesce(
            schemas && array[
                'guard', 'chotso_migrations', 'frozen', 'rehearsal', 'sealing', 'ed25519'
            ]
            or 'ops' = any(schemas)
            and (class_id = 'pg_proc'::regclass or relation_name like 'freeze%')
            or class_id = 'pg_namespace'::regclass
            and schemas && array['ops', 'raw', 'quarantine'], false
        )
        or exists (
            select from pg_roles as owner
            where owner.rolname in ('chotso_owner', 'chotso_checker') and owner.oid in (
                select proowner from pg_proc
                where class_id = 'pg_proc'::regclass and oid = object_id
                union all
                select nspowner from pg_namespace
                where class_id = 'pg_namespace'::regclass and oid = object_id
                union all
                -- a frozen table that was moved to another schema
                select relowner from pg_class
                where class_id = 'pg_class'::regclass and oid = object_id
                    and not relnamespace::regnamespace::text in ('ops', 'raw', 'quarantine')
            )
        )
        or not exists (
            select from pg_roles where rolname in (current_user, session_user) and rolsuper
        ) and (
            exists (
                select from pg_namespace as schema
                inner join pg_roles as owner on owner.oid = schema.nspowner
                where owner.rolname = 'chotso_owner' and schema.nspname = any(schemas)
            )
            or class_id = 'pg_class'::regclass and exists (
                select from pg_class
                where oid = object_id and relowner in (
                    select oid from pg_roles where rolname in ('chotso_owner', 'chotso_checker')
                )
            )
        )
$$;
comment on function guard.is_guarded is
'Đối tượng chỉ được đổi khi nâng cấp — whether only a migration may touch an object';

-- The event triggers run with the rights of the user who typed the command, so everybody may call
-- the functions that they ask. None of these changes anything.

create or replace function guard.is_superuser_s() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from pg_roles where rolname in (current_user, session_user) and rolsuper
    )
$$;
comment on function guard.is_superuser_s is
'Phiên này có của quản trị viên không — whether a superuser opened this session or acts in it';

create or replace function guard.touched_at_start(tag text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        -- a schema with a name in others' search_path would give their names another meaning;
        -- an extension creates functions and operators in any schema, without a right on it
        when tag in ('CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE EXTENSION', 'ALTER EXTENSION')
            and current_user <> 'chotso_keeper' and not guard.is_superuser_s()
            then 'names that others use'
        -- A user who has the owner's rights may run no DDL at all: some commands commit half-way,
        -- and GRANT does not report what it changed. A superuser's commands are checked one by one.
        else (
            select rolname::text
            from pg_roles
            where rolname in ('chotso_owner', 'chotso_checker', 'chotso_keeper')
                and pg_has_role(current_user, oid, 'USAGE')
                -- the keeper's functions may make tables for loaders; who became it may not
                and not (
                    current_user = 'chotso_keeper' and session_user <> 'chotso_keeper'
                    and current_setting('role') <> 'chotso_keeper'
                )
                and not guard.is_superuser_s()
            limit 1
        )
    end
$$;
comment on function guard.touched_at_start is
'Điều một lệnh không được động tới, trước khi chạy — what a command may not touch, before it runs';

-- These commands take their lock before the right is checked, on any table in a schema with USAGE
-- (ALTER TABLE also on a partition to attach, the last three with DEPENDS ON EXTENSION); others
-- queue while they wait for a reader.
create or replace function guard.only_holds_up(tag text) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        tag in (
            'CREATE RULE', 'CREATE TRIGGER', 'ALTER TABLE', 'ALTER INDEX',
            'ALTER MATERIALIZED VIEW', 'ALTER TRIGGER'
        )
        and not exists (
            select from pg_roles
            where rolname in (current_user, session_user) and rolsuper
                or rolname = 'chotso_loader' and pg_has_role(current_user, oid, 'USAGE')
        )
        and not exists (
            select from pg_namespace
            where not pg_is_other_temp_schema(oid) and oid <> pg_my_temp_schema()
                and has_schema_privilege(current_user, oid, 'CREATE')
        )
$$;
comment on function guard.only_holds_up is
'Lệnh chỉ làm người khác phải chờ — whether a command can do nothing here but hold up others';

create or replace function guard.touched_by_rewrite() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select relation.oid::regclass::text
    from pg_class as relation
    where relation.oid = pg_event_trigger_table_rewrite_oid() and guard.is_guarded(
        'pg_class'::regclass, relation.oid,
        array[relation.relnamespace::regnamespace::text], relation.relname
    )
$$;
comment on function guard.touched_by_rewrite is
'Bảng được bảo vệ mà lệnh ghi lại — the guarded table that a command rewrites';

create or replace function guard.touched_by_drop() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select object_identity
    from pg_event_trigger_dropped_objects()
    where not is_temporary
        and guard.is_guarded(
            classid, objid, array_append(address_names[1:1], schema_name), address_names[2]
        )
    limit 1
$$;
comment on function guard.touched_by_drop is
'Đối tượng được bảo vệ mà lệnh xóa — a guarded object that a command dropped';

-- GRANT and REVOKE do not report what they changed, so the rights themselves are read.
create or replace function guard.touched_by_grant() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select min(relation.oid::regclass::text)
    from pg_class as relation
    inner join pg_namespace as schema on schema.oid = relation.relnamespace
    left join pg_attribute as field
        on field.attrelid = relation.oid and field.attacl is not null
    cross join lateral (
        select grantee, privilege_type from aclexplode(relation.relacl)
        union all
        select grantee, privilege_type from aclexplode(field.attacl)
    ) as granted
    where schema.nspname in ('frozen', 'rehearsal')
        and granted.privilege_type <> 'SELECT' and granted.grantee <> relation.relowner
$$;
comment on function guard.touched_by_grant is
'Bảng đã chốt có quyền sửa — a sealed table that others than its owner have a right to change';

create or replace function guard.refuse_ddl() returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    touched text;
begin
    if tg_event = 'ddl_command_start' then
        touched := guard.touched_at_start(tg_tag);
        if guard.only_holds_up(tg_tag) then
            raise exception using
                errcode = 'insufficient_privilege',
                message = format(
                    'Tài khoản chỉ đọc không được dùng lệnh này — %s is refused to a login that '
                    'makes nothing: it would hold up others', tg_tag
                );
        end if;
    elsif tg_event = 'table_rewrite' then
        touched := guard.touched_by_rewrite();
    elsif tg_event = 'sql_drop' then
        touched := guard.touched_by_drop();
    elsif tg_tag in ('GRANT', 'REVOKE') then
        touched := guard.touched_by_grant();
    else
        -- here and not in a function of its own: who replaced that one would not be seen by it
        select done.object_identity into touched
        from pg_event_trigger_ddl_commands() as done
        cross join lateral pg_identify_object_as_address(done.classid, done.objid, done.objsubid)
            as address
        where guard.is_guarded(
            done.classid, done.objid,
            array_append(address.object_names[1:1], done.schema_name), address.object_names[2]
        ) or exists (
            -- a query of the parent also reads the child's rows
            select from pg_inherits
            inner join pg_class as parent on parent.oid = pg_inherits.inhparent
            where pg_inherits.inhrelid = done.objid and done.classid = 'pg_class'::regclass
                and guard.is_guarded(
                    'pg_class'::regclass, parent.oid,
                    array[parent.relnamespace::regnamespace::text], parent.relname
                )
        )
        limit 1;
    end if;
    if touched is not null and not guard.is_migration() then
        raise exception using
            errcode = 'insufficient_privilege', constraint = 'sealed',
            message = format(
                'Chỉ `chotso migrate` được đổi cấu trúc này — only a migration may: %s is refused '
                '(%s)', tg_tag, touched
            );
    end if;
end
$$;
comment on function guard.refuse_ddl is
'Từ chối đổi cấu trúc ngoài nâng cấp — refuses DDL on the owner''s objects outside migrations';
