-- The lines that a release's data files must have, computed from the build in the warehouse.

-- Refuses a relation of the loader that can run code when it is read: a view, a rule, a policy, a
-- type or a generated column of its own, rows of a child table.
create or replace function sealing.odd_relations(of_schema text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with needed as (
        select distinct found[1] as name
        from sealing.data_file as file,
            regexp_matches(file.statement, '\{schema\}\.([a-z_]+)', 'g') as found
        union
        select unnest(array[
            'fct_reconciliation', 'fct_monthly_attainment', 'dim_agency', 'int_money_at_stake',
            'int_uncounted_facts'
        ])
    )

    select string_agg(needed.name, ', ' order by needed.name)
    from needed
    left join pg_class as relation
        on needed.name = relation.relname and relation.relnamespace = to_regnamespace(of_schema)
    where relation.oid is null or relation.relkind <> 'r' or relation.relrowsecurity
        or relation.relhasrules or relation.relispartition
        or exists (select from pg_inherits where inhparent = relation.oid)
        -- the planner runs the functions of these when a table is only read
        or exists (
            select from pg_index
            where indrelid = relation.oid and (indexprs is not null or indpred is not null)
        )
        or exists (select from pg_statistic_ext where stxrelid = relation.oid)
        or exists (
            select from pg_attribute as field
            inner join pg_type as type on type.oid = field.atttypid
            where field.attrelid = relation.oid and field.attnum > 0 and not field.attisdropped
                and (type.typnamespace <> 'pg_catalog'::regnamespace or field.attgenerated <> '')
        )
$$;
comment on function sealing.odd_relations is
'Bảng của bản dựng không phải bảng thường — relations of a build that are no plain tables';

-- Runs as ops.built_figures, a role that has no more rights than the loader.
create or replace function sealing.built_file(
    of_release text, file_name text, withheld_groups text[], last_month date
) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
as $$
declare
    begun ops."freeze";
    made sealing.data_file;
    lines text;
begin
    select * into strict begun from ops."freeze" where release_id = of_release;
    select * into strict made from sealing.data_file where name = file_name;
    execute replace(made.statement, '{schema}', quote_ident(begun.target_schema)) into lines
    using begun.period_id, begun.cutoff_at,
        date_trunc('month', begun.cutoff_at at time zone 'Asia/Ho_Chi_Minh')::date,
        begun.as_known_at, 'Asia/Ho_Chi_Minh', withheld_groups, last_month, of_release;
    return made.header || E'\n' || coalesce(lines, '');
end
$$;
comment on function sealing.built_file is
'Nội dung tệp số liệu lập từ bản dựng — a data file as it follows from the freeze''s build';

-- The configuration of the freeze's build, if it is the registered one.
create or replace function sealing.build_problem(begun ops."freeze", code_version text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with made as (
        select config, code_version
        from ops.build
        where target_schema = begun.target_schema
        order by build_id desc
        limit 1
    ),

    registered as (
        select period
        from ops.configuration,
            jsonb_array_elements(content -> 'periods') as period
        where name = 'periods' and period ->> 'id' = begun.period_id
    )

    select case
        when not exists (
            select from ops.build
            where target_schema = begun.target_schema and status = 'built'
                and as_known_at = begun.as_known_at and event_cutoff = begun.cutoff_at
                and build_id = (
                    select max(newest.build_id) from ops.build as newest
                    where newest.target_schema = begun.target_schema
                )
        ) then 'the ledger has no build of its knowledge and cutoff in ' || begun.target_schema
        when exists (
            select from made where made.code_version is distinct from build_problem.code_version
        ) then 'its build is of another code'
        when not exists (select from registered)
            then begun.period_id || ' is no registered period: run `chotso migrate`'
        when exists (
            select from registered
            where (period ->> 'cutoff_at')::timestamptz is distinct from begun.cutoff_at
        ) then 'its cutoff is not the registered one of ' || begun.period_id
            || ': run `chotso migrate` if config/periods.yml has changed'
        when exists (
            select from ops.configuration as known, made
            where made.config -> known.name is distinct from known.content
        ) then 'its build is of another configuration than the registered one: '
            'run `chotso migrate` if config/ has changed'
    end
$$;
comment on function sealing.build_problem is
'Vì sao bản dựng không phải của bản chốt — why a build is not that of a freeze; null if it is';
