-- Creates missing guards; existing guards are not changed.

create or replace function guard.put_triggers() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation record;
begin
    for relation in
        select
            class.oid::regclass as name,
            case
                when class.oid = 'frozen.release'::regclass then 'release'
                when schema.nspname = 'ops' then 'append'
                else 'sealed'
            end as manner
        from pg_class as class
        inner join pg_namespace as schema on schema.oid = class.relnamespace
        where class.relkind in ('r', 'p') and (
            schema.nspname in ('frozen', 'rehearsal')
            or class.oid = to_regclass('ops.freeze_override')
        )
    loop
        if not exists (
            select from pg_trigger
            where tgrelid = relation.name and tgname = 'a_guard' and tgenabled = 'A'
        ) then
            execute format(
                'create or replace trigger a_guard before %s on %s for each statement '
                'execute function guard.refuse_change(%L)',
                case relation.manner
                    when 'append' then 'update or delete or truncate'
                    else 'insert or update or delete or truncate'
                end, relation.name, relation.manner
            );
            execute format('alter table %s enable always trigger a_guard', relation.name);
        end if;
        if relation.manner = 'release' and not exists (
            select from pg_trigger
            where tgrelid = relation.name and tgname = 'a_guard_row' and tgenabled = 'A'
        ) then
            execute format(
                'create or replace trigger a_guard_row before update on %s for each row '
                'execute function guard.refuse_other_change()', relation.name
            );
            execute format('alter table %s enable always trigger a_guard_row', relation.name);
        end if;
    end loop;
end
$$;
comment on function guard.put_triggers is
'Gắn trình kích hoạt vào bảng đã chốt — puts the triggers on frozen tables that lack them';
revoke execute on function guard.put_triggers from public;

create or replace function guard.put_owners() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation record;
begin
    for relation in
        select class.oid::regclass as name
        from pg_class as class
        where class.relnamespace in ('frozen'::regnamespace, 'rehearsal'::regnamespace)
            and class.relkind = 'v'
            and not coalesce(class.reloptions @> array['security_invoker=true'], false)
            -- views with rows of agencies run as their owner: see guard.limit_readers()
            and not exists (
                select from pg_attribute
                where attrelid = class.oid and attname = 'agency_code'
            )
    loop
        execute format('alter view %s set (security_invoker = true)', relation.name);
    end loop;
    for relation in
        select class.oid::regclass as name
        from pg_class as class
        where class.relnamespace in ('frozen'::regnamespace, 'rehearsal'::regnamespace)
            and class.relkind in ('r', 'p', 'v')
            and class.relowner <> (select oid from pg_roles where rolname = 'chotso_owner')
    loop
        execute format('alter table %s owner to chotso_owner', relation.name);
    end loop;
end
$$;
comment on function guard.put_owners is
'Chủ sở hữu, và khung nhìn đọc bằng quyền người đọc — owners, and views that read as their reader';
revoke execute on function guard.put_owners from public;

create or replace function guard.pin_functions() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    routine record;
begin
    -- Functions of the owner look up temporary objects last, and parse strings in one way only.
    for routine in
        select proc.oid::regprocedure as name, proc.prosecdef
        from pg_proc as proc
        inner join pg_roles as owner on owner.oid = proc.proowner
        where owner.rolname in ('chotso_owner', 'chotso_checker', 'chotso_keeper')
            and not coalesce(
                proc.proconfig @> array[
                    'search_path=pg_catalog, pg_temp', 'standard_conforming_strings=on'
                ], false
            )
    loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', routine.name);
        execute format('alter function %s set standard_conforming_strings = on', routine.name);
    end loop;
end
$$;
comment on function guard.pin_functions is
'Cố định thiết lập của các hàm — pins the settings of the owners'' functions';
revoke execute on function guard.pin_functions from public;

create or replace function guard.put_event_triggers() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    occasion text;
    guard_name text;
begin
    foreach occasion in array array[
        'ddl_command_start', 'ddl_command_end', 'sql_drop', 'table_rewrite'
    ]
    loop
        guard_name := 'chotso_guard_' || occasion;
        if not exists (select from pg_event_trigger where evtname = guard_name) then
            execute format(
                'create event trigger %I on %s execute function guard.refuse_ddl()',
                guard_name, occasion
            );
        end if;
        if not exists (
            select from pg_event_trigger where evtname = guard_name and evtenabled = 'A'
        ) then
            execute format('alter event trigger %I enable always', guard_name);
        end if;
    end loop;
end
$$;
comment on function guard.put_event_triggers is
'Gắn trình kích hoạt sự kiện — puts the event triggers where they are missing';
revoke execute on function guard.put_event_triggers from public;

-- `chotso migrate` calls it at its end, so that tables of later scripts are guarded, too.
create or replace function guard.protect() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform guard.put_triggers();
    perform guard.put_owners();
    perform guard.pin_functions();
    perform guard.put_event_triggers();
    revoke insert, update, delete, truncate, references, trigger
    on all tables in schema frozen, rehearsal
    from public, chotso_loader, chotso_reader, chotso_auditor, chotso_certifier,
        chotso_agency_reader, chotso_operator;
    perform guard.limit_readers();
end
$$;
comment on function guard.protect is
'Gắn bảo vệ vào mọi bảng đã chốt — puts the guards on every frozen table that lacks them';
revoke execute on function guard.protect from public;
