-- Describes a session in messages about locks: its name, login and age, never its statement.
create or replace function ops.session_of(of_pid integer)
returns table (application_name text, login text, since timestamptz)
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select session.application_name, session.usename::text,
        coalesce(session.xact_start, session.backend_start)
    from pg_catalog.pg_stat_activity as session
    where session.pid = of_pid
$$;
comment on function ops.session_of is
'Phiên đang giữ khóa: tên, tài khoản, từ lúc nào — a session''s name, login and age';
alter function ops.session_of owner to chotso_owner;
revoke execute on function ops.session_of from public;
grant execute on function ops.session_of to chotso_loader;

-- Ends the sessions that block a session of the caller's login. It ends idle ones, and those that
-- wait for a lock themselves, after `idle`; those that run a statement after `working`. Sessions of
-- superusers, of the product, of persons who sign and of backups are not ended.
create or replace function ops.end_holders_after(
    waiting_pid integer, idle interval, working interval
)
returns table (
    pid integer, application_name text, login text, since timestamptz, idle_since timestamptz
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    holder record;
begin
    for holder in
        with waiting as (
            select
                session.datid, session.application_name,
                clock_timestamp() - min(wanted.waitstart) as waited
            from pg_stat_activity as session
            inner join pg_locks as wanted on wanted.pid = session.pid and not wanted.granted
            where session.pid = waiting_pid and session.usename = session_user
            group by session.datid, session.application_name
        )

        select
            session.pid, session.application_name, session.usename, session.xact_start,
            case when not doing.is_work then session.state_change end as idle_since,
            waiting.application_name as held_up, waiting.waited
        from waiting
        inner join pg_stat_activity as session on session.datid = waiting.datid
            and session.pid = any(pg_blocking_pids(waiting_pid))
        inner join pg_roles as role on role.oid = session.usesysid
        cross join lateral (
            select session.state in ('active', 'fastpath function call')
                and session.wait_event_type is distinct from 'Lock' as is_work
        ) as doing
        where waiting.waited > case when doing.is_work then working else idle end
            and not role.rolsuper
            and not exists (
                select from pg_roles as waited_for
                where waited_for.rolname in (
                    'chotso_loader', 'chotso_owner', 'chotso_checker', 'chotso_keeper',
                    'chotso_certifier', 'pg_read_all_data'
                ) and pg_has_role(role.oid, waited_for.oid, 'MEMBER')
            )
    loop
        continue when not pg_terminate_backend(holder.pid);
        insert into ops.ended_session (
            login, application_name, pid, begun_at, idle_since, held_up, waited
        ) values (
            holder.usename, holder.application_name, holder.pid, holder.xact_start,
            holder.idle_since, holder.held_up, holder.waited
        );
        return query select
            holder.pid, holder.application_name, holder.usename::text, holder.xact_start,
            holder.idle_since;
    end loop;
end
$$;
comment on function ops.end_holders_after is
'Ngắt phiên đọc mà một phiên của ta phải chờ quá lâu — ends readers that a session waits for';
alter function ops.end_holders_after owner to chotso_owner;
revoke execute on function ops.end_holders_after from public;

create or replace function ops.end_holders(waiting_pid integer)
returns table (
    pid integer, application_name text, login text, since timestamptz, idle_since timestamptz
)
language sql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
    select * from ops.end_holders_after(waiting_pid, interval '10 s', interval '1 min')
$$;
comment on function ops.end_holders is
'Ngắt phiên đọc cản việc của ta: không làm gì 10 giây, đang chạy 1 phút — ends readers in the way';
alter function ops.end_holders owner to chotso_owner;
revoke execute on function ops.end_holders from public;
grant execute on function ops.end_holders to chotso_loader;
