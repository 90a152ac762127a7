-- What readers read is structure of a keeper's, which nobody logs in as: a loader brings its rows,
-- and no code that would run with a reader's rights.
do $$
declare
    relation record;
    part record;
begin
    if not exists (select from pg_roles where rolname = 'chotso_keeper') then
        create role chotso_keeper nologin;
    end if;

    for relation in
        select class.oid::regclass as name, class.oid, class.relname, class.relkind
        from pg_class as class
        where class.relnamespace in ('marts'::regnamespace, 'marts_store'::regnamespace)
            and class.relkind in ('r', 'p', 'v') and class.relowner = 'chotso_loader'::regrole
    loop
        -- a view that is none of a mart's is no reader's any more
        if relation.relkind = 'v' and not exists (
            select from pg_class as stored
            where stored.relnamespace = 'marts_store'::regnamespace
                and stored.relname = relation.relname
                and stored.oid <> relation.oid
        ) then
            execute format('alter view %s set schema marts_build', relation.name);
            continue;
        end if;
        if exists (
            select from pg_attribute
            where attrelid = relation.oid and attnum > 0 and not attisdropped
                and (attgenerated <> '' or atttypid >= 16384)
        ) then
            raise exception '% has columns that hold code: drop it, and build again',
                relation.name;
        end if;
        -- a table's own code goes; a view comes again in its one form (code/015_keeper.sql)
        for part in
            select format('drop policy %I on %s', polname, relation.name) as statement
            from pg_policy where polrelid = relation.oid
            union all
            select format('drop trigger %I on %s', tgname, relation.name)
            from pg_trigger where tgrelid = relation.oid and not tgisinternal
            union all
            select format('drop rule %I on %s', rulename, relation.name)
            from pg_rewrite where ev_class = relation.oid and rulename <> '_RETURN'
            union all
            select format('alter table %s alter column %I drop default', relation.name, attname)
            from pg_attribute
            where attrelid = relation.oid and atthasdef and attgenerated = ''
        loop
            execute part.statement;
        end loop;
        if relation.relkind <> 'v' then
            execute format('alter table %s disable row level security', relation.name);
        end if;
        execute format('alter table %s owner to chotso_keeper', relation.name);
    end loop;

    -- schemas of builds: theirs is what stands in them, the schemas themselves are the keeper's
    for relation in
        select nspname
        from pg_namespace
        where nspname in ('landing', 'marts_build', 'marts_store', 'marts')
            or nspowner = 'chotso_loader'::regrole
            and obj_description(oid, 'pg_namespace') like 'chotso: scratch build %'
    loop
        execute format('alter schema %I owner to chotso_keeper', relation.nspname);
        if relation.nspname not in ('marts', 'marts_store') then
            execute format('grant usage, create on schema %I to chotso_loader', relation.nspname);
        end if;
    end loop;
end
$$;

grant usage on schema marts, marts_store to chotso_loader;
grant usage on schema ops, guard to chotso_keeper;
grant select on ops.exposed to chotso_keeper;
alter default privileges for role chotso_loader in schema marts, marts_store
revoke select on tables from chotso_reader, chotso_auditor;

-- `frozen.make_way` ends the session that holds up a seal; nothing else of the owner's signals.
grant pg_signal_backend to chotso_owner;
