-- Who a session is, for messages about locks: its name, login and age, never its statement.
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
