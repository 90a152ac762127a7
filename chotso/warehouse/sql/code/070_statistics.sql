-- Analyses published tables. Only their owner (from PostgreSQL 17 on, also a role with MAINTAIN)
-- may do that, and the loader owns none of them. So this function does it for the loader, and
-- nothing else.
create or replace function ops.gather_statistics() returns text[]
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '10s'
as $$
declare
    relation record;
    pages bigint;
    gathered text[] := '{}';
begin
    for relation in
        select
            class.oid, class.relpages, class.reltuples,
            pg_catalog.format('%I.%I', schema.nspname, class.relname) as name,
            exists (
                select from pg_catalog.pg_stats as known
                where known.schemaname = schema.nspname and known.tablename = class.relname
            ) as is_known
        from pg_catalog.pg_class as class
        inner join pg_catalog.pg_namespace as schema on schema.oid = class.relnamespace
        where schema.nspname in ('raw', 'quarantine', 'ops') and class.relkind = 'r'
            and class.relowner = current_user::regrole
        order by class.oid  -- a fixed order, so that two runs do not deadlock
    loop
        begin
            -- pg_relation_size waits for locks on the table, as ANALYZE does
            pages := pg_catalog.pg_relation_size(relation.oid)
                / pg_catalog.current_setting('block_size')::bigint;
            -- the size differs by a tenth, or a tenth of the rows was changed; a few rows in a
            -- small table do not change a plan
            if pages > 0 and (
                not relation.is_known
                or pg_catalog.abs(pages - relation.relpages)
                > greatest(relation.relpages / 10, 4)
                or pg_catalog.pg_stat_get_mod_since_analyze(relation.oid)
                > greatest(relation.reltuples / 10, 200)
            ) then
                execute 'analyze ' || relation.name;
                gathered := gathered || relation.name;
            end if;
        exception
            when lock_not_available then
                raise log 'statistics of % were left as they are: another session holds it',
                    relation.name;
        end;
    end loop;
    return gathered;
end
$$;
comment on function ops.gather_statistics is
'Thu thập thống kê của các bảng đã thay đổi — statistics of published tables that changed';
alter function ops.gather_statistics owner to chotso_owner;
revoke execute on function ops.gather_statistics from public;
grant execute on function ops.gather_statistics to chotso_loader;
