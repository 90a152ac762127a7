-- Settings and limits of logins, stored where the logins cannot change them.

-- Functions with which anybody can write to disk without a right to any object.
create or replace function guard.writers_for_everybody() returns setof regprocedure
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select proc.oid::regprocedure
    from pg_proc as proc
    where proc.pronamespace = 'pg_catalog'::regnamespace
        and proc.proname in (
            'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_put', 'lo_truncate',
            'lo_truncate64', 'lowrite', 'pg_logical_emit_message'
        )
        and has_function_privilege('public', proc.oid, 'EXECUTE')
$$;
comment on function guard.writers_for_everybody is
'Hàm ghi đĩa mà ai cũng gọi được — functions that write to disk and that everybody may call';
revoke execute on function guard.writers_for_everybody from public;
grant execute on function guard.writers_for_everybody to chotso_loader, chotso_auditor;

create or replace function guard.limits_temporary_files() returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from pg_db_role_setting as setting, unnest(setting.setconfig) as line
        where setting.setrole = 0
            and setting.setdatabase in (
                0, (select oid from pg_database where datname = current_database())
            )
            and line like 'temp_file_limit=%' and line <> 'temp_file_limit=-1'
    )
$$;
comment on function guard.limits_temporary_files is
'Tệp tạm của mọi tài khoản có giới hạn không — whether temporary files of any login have a limit';
revoke execute on function guard.limits_temporary_files from public;
grant execute on function guard.limits_temporary_files to chotso_loader, chotso_auditor;

-- Locks and the shared catalogs are the whole server's: who may connect to a database without these
-- limits could block every login, or fill the lock table.
create or replace function guard.limit_other_databases() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    other name;
begin
    for other in
        select datname from pg_database
        where datname in ('postgres', 'template1') and datname <> current_database()
            and has_database_privilege('public', oid, 'CONNECT')
    loop
        execute format('revoke connect on database %I from public', other);
        execute format('grant connect on database %I to pg_monitor', other);
    end loop;
end
$$;
comment on function guard.limit_other_databases is
'Không ai vào cơ sở dữ liệu không có giới hạn — nobody connects where there are no limits';
revoke execute on function guard.limit_other_databases from public;

-- Only the product may take advisory locks: others could block it, or fill the lock table.
create or replace function guard.limit_locks() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    routine regprocedure;
begin
    for routine in
        select proc.oid
        from pg_proc as proc
        where proc.pronamespace = 'pg_catalog'::regnamespace
            and proc.proname ~ '^pg_(try_)?advisory_'
            and has_function_privilege('public', proc.oid, 'EXECUTE')
    loop
        execute format('revoke execute on function %s from public', routine);
        execute format('grant execute on function %s to chotso_loader', routine);
    end loop;
end
$$;
comment on function guard.limit_locks is
'Chỉ chương trình được khóa theo số — only the product takes advisory locks';
revoke execute on function guard.limit_locks from public;

-- A user who may only connect must not fill the disk with large objects, log messages, temporary
-- objects or temporary files.
create or replace function guard.limit_disk() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    here constant name := current_database();
    routine regprocedure;
begin
    for routine in select guard.writers_for_everybody()
    loop
        execute format('revoke execute on function %s from public', routine);
    end loop;
    execute format('revoke temporary on database %I from public', here);
    if not guard.limits_temporary_files() then
        execute format('alter database %I set temp_file_limit = %L', here, '2GB');
    end if;
end
$$;
comment on function guard.limit_disk is
'Tài khoản chỉ kết nối không ghi đầy đĩa — who only connects does not fill the disk';
revoke execute on function guard.limit_disk from public;

-- Readers' search_path has no schema that others can create, or create objects in.
create or replace function guard.limit_names() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    here constant name := current_database();
begin
    execute format('alter database %I set search_path = pg_catalog, pg_temp', here);
    revoke create on schema public from public;
    if (select nspowner from pg_namespace where nspname = 'public') = 'pg_database_owner'::regrole
    then
        execute format('alter schema public owner to %I', current_user);
    end if;
    execute format('revoke create on database %I from public, chotso_loader', here);
    execute format('grant create on database %I to chotso_keeper', here);
end
$$;
comment on function guard.limit_names is
'Không ai tạo tên mà người khác dùng — nobody makes names that others use';
revoke execute on function guard.limit_names from public;

create or replace function guard.limit_logins() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    here constant name := current_database();
    login record;
begin
    for login in
        select
            role.rolname, role.rolsuper, role.rolconnlimit,
            pg_has_role(role.oid, 'chotso_loader', 'MEMBER') as is_loader,
            pg_has_role(role.oid, 'chotso_certifier', 'MEMBER') as is_certifier,
            coalesce(array_to_string(here_set.setconfig || set.setconfig, ' '), '') as chosen,
            coalesce(here_set.setconfig @> array['search_path=pg_catalog, pg_temp'], false)
            as is_pinned
        from pg_roles as role
        left join pg_db_role_setting as set on set.setrole = role.oid and set.setdatabase = 0
        left join pg_db_role_setting as here_set
            on here_set.setrole = role.oid
                and here_set.setdatabase = (select oid from pg_database where datname = here)
        where role.rolcanlogin and (role.rolsuper or exists (
            select from pg_roles as member_of
            where member_of.rolname ~ '^chotso_(loader|reader|reader_.*|agency_reader|auditor|'
                'operator|certifier)$' and pg_has_role(role.oid, member_of.oid, 'MEMBER')
        ))
    loop
        -- the database's owner could change the setting of the database, but not this one
        if not login.is_pinned then
            execute format(
                'alter role %I in database %I set search_path = pg_catalog, pg_temp',
                login.rolname, here
            );
        end if;
        if login.rolsuper or login.is_loader then
            -- only the disk limits the temporary files of a build
            if login.chosen !~ 'temp_file_limit=' then
                execute format(
                    'alter role %I in database %I set temp_file_limit = -1', login.rolname, here
                );
            end if;
            continue;
        end if;
        -- a limit that an office has set itself is kept
        if login.rolconnlimit = -1 then
            execute format('alter role %I connection limit 20', login.rolname);
        end if;
        if login.chosen !~ 'idle_in_transaction_session_timeout=' then
            execute format(
                'alter role %I in database %I set idle_in_transaction_session_timeout = %L',
                login.rolname, here, case when login.is_certifier then '1min' else '15min' end
            );
        end if;
        if login.chosen !~ 'statement_timeout=' then
            execute format(
                'alter role %I in database %I set statement_timeout = %L',
                login.rolname, here, case when login.is_certifier then '5min' else '1h' end
            );
        end if;
    end loop;
end
$$;
comment on function guard.limit_logins is
'Giới hạn của từng tài khoản — the settings and limits of each login';
revoke execute on function guard.limit_logins from public;

-- `chotso migrate` calls it each time, for new logins, and after a restore.
create or replace function guard.settle_logins() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform guard.limit_other_databases();
    perform guard.limit_locks();
    perform guard.limit_disk();
    perform guard.limit_names();
    perform guard.limit_logins();
    if current_setting('server_version_num')::int >= 160000 then
        grant pg_use_reserved_connections to chotso_loader;
    end if;
end
$$;
comment on function guard.settle_logins is
'Đặt giới hạn cho các tài khoản — settles search_path, limits and locks of the logins';
revoke execute on function guard.settle_logins from public;
