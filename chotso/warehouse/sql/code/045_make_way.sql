-- A seal does not wait for sessions that only read or sign.

-- Takes a lock that only seals take; everything but reading frozen.release then waits. A session
-- that blocks it for longer than `grace` is reported and ended, except superusers and other seals.
-- A session that only waits for a stronger lock blocks it, too: CREATE RULE asks for its lock
-- before its right is checked, and everybody queues behind it until the last reader ends.
create or replace function frozen.make_way(
    grace interval default '10 s', patience interval default '10 min'
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    begun constant timestamptz := clock_timestamp();
    before constant text := current_setting('lock_timeout');
    holder record;
begin
    perform set_config('lock_timeout', '2s', true);
    loop
        begin
            lock table frozen.release in exclusive mode;
            exit;
        exception when lock_not_available then
            null;
        end;
        for holder in
            select
                session.pid, session.usename,
                left(translate(session.application_name, E'\e\r\n', ''), 63) as application,
                role.rolsuper or pg_has_role(role.oid, 'chotso_loader', 'MEMBER') as is_ours
            from pg_locks as held
            inner join pg_stat_activity as session on session.pid = held.pid
            inner join pg_roles as role on role.oid = session.usesysid
            where held.relation = 'frozen.release'::regclass
                and held.database = (select oid from pg_database where datname = current_database())
                and held.mode <> 'AccessShareLock' and held.pid <> pg_backend_pid()
            group by session.pid, session.usename, session.application_name, role.rolsuper, role.oid
        loop
            if clock_timestamp() < begun + grace or holder.is_ours then
                raise warning 'the seal waits for the session of % (process %, "%")',
                    holder.usename, holder.pid, holder.application;
            else
                perform pg_terminate_backend(holder.pid);
                raise warning 'the seal ended the session of % (process %, "%"), which held it up',
                    holder.usename, holder.pid, holder.application;
            end if;
            if clock_timestamp() > begun + patience then
                raise exception using errcode = 'lock_not_available', message = format(
                    'the seal still waits for the session of %s (process %s) after %s',
                    holder.usename, holder.pid, patience
                );
            end if;
        end loop;
        if clock_timestamp() > begun + patience then
            raise exception using errcode = 'lock_not_available',
                message = format('the seal still waits for frozen.release after %s', patience);
        end if;
    end loop;
    perform set_config('lock_timeout', before, true);
end
$$;
comment on function frozen.make_way is
'Dọn đường cho việc niêm phong — a seal''s lock; names and ends who holds it up';
alter function frozen.make_way owner to chotso_owner;
revoke execute on function frozen.make_way from public;
