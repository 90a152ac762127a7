-- Tables and views that the loader asks for and the keeper makes, each in one fixed form.

-- Checks the same as chotso/build/scratch.py, which has messages for people. No role may have the
-- name, because some sessions search "$user" first.
create or replace function ops.make_scratch_schema(wanted text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if wanted !~ '^[a-z_][a-z0-9_]{0,62}$' or wanted ~ (
        '^(pg_.*|information_schema|public|raw|ops|quarantine|frozen|rehearsal|landing|marts.*|'
        'sealing|guard|ed25519|chotso_.*)$'
    ) or exists (select from pg_roles where rolname = wanted) then
        raise exception using errcode = 'invalid_schema_name',
            message = format('%I cannot be a scratch schema', wanted);
    end if;
    execute format('create schema %I', wanted);
    execute format('grant usage, create on schema %I to chotso_loader', wanted);
    execute format(
        'comment on schema %I is %L', wanted,
        'chotso: scratch build — may be overwritten by any `chotso build --schema`'
    );
end
$$;
comment on function ops.make_scratch_schema is
'Tạo lược đồ nháp cho một bản dựng — makes a schema that a build may write';

create or replace function ops.drop_scratch_schema(unwanted text) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from pg_namespace
        where nspname = unwanted and nspowner = 'chotso_keeper'::regrole
            and obj_description(oid, 'pg_namespace') like 'chotso: scratch build %'
    ) then
        return false;
    end if;
    execute format('drop schema %I cascade', unwanted);
    return true;
end
$$;
comment on function ops.drop_scratch_schema is
'Bỏ lược đồ nháp — drops a schema that make_scratch_schema made; false where there is none';

-- Makes the view of a mart, which shows the generation in ops.exposed. If the mart has rows of
-- agencies, full readers read the table, and agencies' readers a function with their own rows. The
-- half for other readers is left out of the plan. A dimension without agencies is everybody's; any
-- other mart without agencies is empty for agencies' readers. The loader writes no part of the SQL.
create or replace function ops.show_mart(mart text, wanted name[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    is_exposed constant text := format(
        'generation %s (select exposed.generation from ops.exposed)',
        -- marts that keep the rows of every night, or of each refresh within the day
        case
            when mart in ('fct_nightly_attainment', 'fct_intraday_attainment', 'rpt_pace') then '<='
            else '='
        end
    );
    shown name[];
    ordered name[];
    columns text;
    body text;
    is_same boolean;
begin
    select coalesce(array_agg(field.attname order by field.attnum), '{}') into shown
    from pg_class as class
    inner join pg_attribute as field on field.attrelid = class.oid
    where class.relnamespace = 'marts'::regnamespace and class.relname = mart
        and field.attnum > 0;
    -- `create or replace view` only adds columns at the end, which also suits a reader's `select *`
    select
        array_agg(field.name order by array_position(shown, field.name) asc nulls last, field.place)
    into ordered
    from unnest(wanted) with ordinality as field (name, place);
    select string_agg('shown.' || quote_ident(field.name), ', ' order by field.place) into columns
    from unnest(ordered) with ordinality as field (name, place);
    body := format(
        'select %s from marts_store.%I as shown where shown.%s', columns, mart, is_exposed
    );
    if 'agency_code' = any(wanted) or mart not like 'dim\_%' then
        body := body || ' and guard.reads_all_still() and guard.reads_all_at_planning()';
    end if;
    if 'agency_code' = any(wanted) then
        body := format(
            '%s union all select %s from %s where not guard.reads_all_at_planning()',
            body, columns, guard.give_own_rows(
                format('marts_store.%I', mart)::regclass, ('own_' || mart)::name, ordered,
                'stored.' || is_exposed
            )
        );
    end if;

    if shown <> '{}' then
        execute format('create view marts_store.expected_view as %s', body);
        select
            pg_get_viewdef(class.oid) = pg_get_viewdef('marts_store.expected_view'::regclass)
            and class.reloptions = array['security_barrier=true']
        into is_same
        from pg_class as class
        where class.relnamespace = 'marts'::regnamespace and class.relname = mart;
        drop view marts_store.expected_view;
        if is_same then
            return;
        end if;
        if not wanted @> shown then
            execute format('drop view marts.%I', mart);
        end if;
    end if;
    -- so that a reader's own function sees only rows that the view returns
    execute format('create or replace view marts.%I with (security_barrier) as %s', mart, body);
    execute format(
        'grant select on marts.%I to '
        'chotso_loader, chotso_reader, chotso_auditor, chotso_agency_reader', mart
    );
end
$$;
comment on function ops.show_mart is
'Tạo khung nhìn của một bảng số liệu — makes the view that readers of a mart see';

create or replace function ops.fit_mart(build_schema text, mart text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    built oid;
    stored oid;
    field record;
    wanted name[];
begin
    select class.oid into built
    from pg_class as class
    inner join pg_namespace as schema on schema.oid = class.relnamespace
    where schema.nspname = build_schema and class.relname = mart and class.relkind = 'r';
    if built is null or mart !~ '^(dim|fct|rpt)_[a-z0-9_]+$' then
        raise exception '%.% is no mart', build_schema, mart;
    end if;
    select class.oid into stored
    from pg_class as class
    where class.relnamespace = 'marts_store'::regnamespace and class.relname = mart;
    if stored is null then
        execute format('create table marts_store.%I (generation bigint not null)', mart);
        execute format('grant select, insert, delete on marts_store.%I to chotso_loader', mart);
        if current_setting('server_version_num')::int >= 170000 then
            execute format('grant maintain on marts_store.%I to chotso_loader', mart);
        end if;
    end if;
    for field in
        select
            made.attname, format_type(made.atttypid, made.atttypmod) as kind,
            format_type(kept.atttypid, kept.atttypmod) as kept_kind,
            kind.typnamespace = 'pg_catalog'::regnamespace and kind.typtype = 'b' as is_plain
        from pg_attribute as made
        inner join pg_type as kind on kind.oid = made.atttypid
        left join pg_attribute as kept
            on kept.attrelid = stored and kept.attname = made.attname and not kept.attisdropped
        where made.attrelid = built and made.attnum > 0 and not made.attisdropped
        order by made.attnum
    loop
        wanted := wanted || field.attname;
        if not field.is_plain or field.kind <> field.kept_kind then
            raise exception using errcode = 'datatype_mismatch', message = format(
                'The mart %s changed the type of %s from %s to %s.',
                mart, field.attname, field.kept_kind, field.kind
            );
        elsif field.kept_kind is null then
            execute format(
                'alter table marts_store.%I add column %I %s', mart, field.attname, field.kind
            );
        end if;
    end loop;
    perform ops.fit_indexes(built, mart, stored is null);
    perform ops.show_mart(mart, wanted);
    perform ops.copy_comments(built, mart);
end
$$;
comment on function ops.fit_mart is
'Bảng và khung nhìn của một bảng số liệu — table and view of a mart, as a build has its columns';

-- If a mart's grain changed, it gets the new key; the old key would reject its rows.
create or replace function ops.fit_indexes(built oid, mart text, is_new boolean) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    index record;
    key text;
begin
    select entry.columns into key from ops.indexes_of(built) as entry where entry.is_primary;
    if not is_new then
        if exists (
            select from ops.indexes_of(format('marts_store.%I', mart)::regclass) as entry
            where entry.is_unique and entry.columns is not distinct from 'generation, ' || key
        ) then
            return;
        end if;
        for index in
            select entry.name
            from ops.indexes_of(format('marts_store.%I', mart)::regclass) as entry
            where entry.is_unique
        loop
            execute format('drop index marts_store.%I', index.name);
        end loop;
    end if;
    for index in
        select entry.is_primary, entry.columns from ops.indexes_of(built) as entry
        where is_new or entry.is_primary
        order by entry.columns
    loop
        execute format(
            'create %s index on marts_store.%I (generation, %s)',
            case when index.is_primary then 'unique' else '' end, mart, index.columns
        );
    end loop;
end
$$;
comment on function ops.fit_indexes is
'Khóa và chỉ mục của một bảng số liệu — key and indexes of a stored mart';

create or replace function ops.indexes_of(relation oid)
returns table (name name, is_primary boolean, is_unique boolean, columns text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        index.relname, entry.indisprimary, entry.indisunique,
        string_agg(quote_ident(field.attname), ', ' order by key.place)
    from pg_index as entry
    inner join pg_class as index on index.oid = entry.indexrelid
    cross join lateral unnest(entry.indkey) with ordinality as key (attnum, place)
    inner join pg_attribute as field
        on field.attrelid = entry.indrelid and field.attnum = key.attnum
    where entry.indrelid = relation
    group by index.relname, entry.indisprimary, entry.indisunique
$$;
comment on function ops.indexes_of is
'Chỉ mục của một bảng — indexes of a table, with their columns in order';

create or replace function ops.copy_comments(built oid, mart text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    shown constant oid := format('marts.%I', mart)::regclass;
    described record;
begin
    if obj_description(built, 'pg_class') is distinct from obj_description(shown, 'pg_class') then
        execute format(
            'comment on view marts.%I is %L', mart, obj_description(built, 'pg_class')
        );
    end if;
    for described in
        select field.attname, col_description(built, field.attnum) as text
        from pg_attribute as field
        inner join pg_attribute as seen on seen.attrelid = shown and seen.attname = field.attname
        where field.attrelid = built and field.attnum > 0 and not field.attisdropped
            and col_description(built, field.attnum)
            is distinct from col_description(shown, seen.attnum)
    loop
        execute format(
            'comment on column marts.%I.%I is %L', mart, described.attname, described.text
        );
    end loop;
end
$$;
comment on function ops.copy_comments is
'Chép mô tả sang khung nhìn — descriptions of a built mart, onto its view';

-- Before PostgreSQL 17, only a table's owner can analyse it.
create or replace function ops.analyze_mart(mart text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format('analyze marts_store.%I', mart);
end
$$;
comment on function ops.analyze_mart is
'Thu thập thống kê của một bảng số liệu — gathers statistics of a stored mart';

do $$
declare
    routine regprocedure;
    mart record;
begin
    for routine in
        select oid from pg_proc
        where pronamespace = 'ops'::regnamespace and proname in (
            'make_scratch_schema', 'drop_scratch_schema', 'fit_mart', 'show_mart', 'fit_indexes',
            'indexes_of', 'copy_comments', 'analyze_mart'
        )
    loop
        execute format('alter function %s owner to chotso_keeper', routine);
        execute format('revoke execute on function %s from public', routine);
    end loop;
    grant execute on function
    ops.make_scratch_schema, ops.drop_scratch_schema, ops.fit_mart, ops.analyze_mart
    to chotso_loader;

    -- views read with their owner's rights, so readers need none behind them
    revoke all on all tables in schema marts_store from chotso_reader, chotso_auditor;

    -- for marts of an earlier version: rights on their tables, and their views in the fixed form
    for mart in
        select
            stored.relname,
            array_agg(field.attname order by field.attnum) as columns
        from pg_class as stored
        inner join pg_class as shown
            on shown.relname = stored.relname and shown.relnamespace = 'marts'::regnamespace
        inner join pg_attribute as field on field.attrelid = shown.oid and field.attnum > 0
        where stored.relnamespace = 'marts_store'::regnamespace and stored.relkind = 'r'
            and shown.relkind = 'v' and shown.relowner = 'chotso_keeper'::regrole
            and exists (
                select from pg_attribute as kept
                where kept.attrelid = stored.oid and kept.attname = field.attname
            )
        group by stored.relname
    loop
        execute format(
            'grant select, insert, delete on marts_store.%I to chotso_loader', mart.relname
        );
        if current_setting('server_version_num')::int >= 170000 then
            execute format('grant maintain on marts_store.%I to chotso_loader', mart.relname);
        end if;
        perform ops.show_mart(mart.relname, mart.columns);
        execute format('alter view marts.%I owner to chotso_keeper', mart.relname);
    end loop;
end
$$;
