-- Stored marts hold what readers see and nothing else; before, they held the generation before too.
do $$
declare
    mart text;
begin
    for mart in
        select class.relname
        from pg_class as class
        where class.relnamespace = to_regnamespace('marts_store') and class.relkind = 'r'
            and class.relname not in ('fct_nightly_attainment', 'rpt_pace')
    loop
        execute format(
            'delete from marts_store.%I where generation <> (select generation from ops.exposed)',
            mart
        );
    end loop;
end
$$;
drop function if exists ops.fit_indexes(oid, text, boolean);
