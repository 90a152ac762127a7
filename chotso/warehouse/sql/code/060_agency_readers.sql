-- What an agency's login can read of `frozen`: no table with other agencies' rows.

-- guard.protect() calls it. Like that, it creates what is missing, also for tables of later
-- scripts. `frozen.own_<table>` gives an agency its rows of every release, `frozen.current_<table>`
-- those of current ones; full readers find all rows in the tables, and in `current_<table>`.
create or replace function guard.limit_readers() returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation record;
begin
    for relation in
        select
            class.oid::regclass as name, class.relrowsecurity as is_limited,
            ('own_' || class.relname)::name as own_name,
            ('current_' || class.relname)::name as current_name
        from pg_class as class
        inner join pg_attribute as field on field.attrelid = class.oid
        where class.relnamespace = 'frozen'::regnamespace and class.relkind in ('r', 'p')
            and field.attname = 'agency_code' and not field.attisdropped
    loop
        -- a second protection: a login with a right on the table itself sees only its own rows
        if not relation.is_limited then
            execute format('alter table %s enable row level security', relation.name);
        end if;
        if not exists (
            select from pg_policy where polrelid = relation.name and polname = 'own_agency'
        ) then
            execute format(
                'create policy own_agency on %s for select using ('
                '(select guard.own_agencies()) is null '
                'or agency_code = any ((select guard.own_agencies())::text[]))', relation.name
            );
        end if;
        execute format('revoke all on %s from chotso_agency_reader', relation.name);
        perform guard.show_rows(
            relation.own_name, relation.name, relation.own_name, 'select %1$s from %2$s'
        );
        execute format(
            'comment on view frozen.%I is %L', relation.own_name,
            'Số liệu đã chốt của riêng cơ quan người đọc, mọi bản chốt — of '
            || relation.name || ', the rows of the reader''s own agencies'
        );
        if to_regclass('frozen.' || quote_ident(relation.current_name)) is not null then
            perform guard.show_rows(
                relation.current_name, relation.name, relation.own_name,
                'select %1$s from %3$s as shown '
                'inner join frozen.release on release.release_id = shown.release_id '
                'where release.is_current '
                'and guard.reads_all_still() and guard.reads_all_at_planning() '
                'union all select %1$s from %2$s '
                'inner join frozen.release on release.release_id = shown.release_id '
                'where release.is_current and not guard.reads_all_at_planning()'
            );
        end if;
    end loop;
end
$$;
comment on function guard.limit_readers is
'Giới hạn người đọc của từng cơ quan — limits agencies'' readers to their own rows';
revoke execute on function guard.limit_readers from public;

-- Makes a view of a frozen table if it is missing or different. In `query`, %1$s are its columns
-- (new ones at the end), %2$s is the function of own rows, %3$s the table.
create or replace function guard.show_rows(
    view_name name, stored regclass, own_name name, query text
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    shown constant text := format('frozen.%I', view_name);
    every name[];
    ordered name[];
    body text;
    is_same boolean;
    described record;
begin
    select
        array_agg(field.attname order by field.attnum),
        array_agg(field.attname order by known.attnum asc nulls last, field.attnum asc)
    into every, ordered
    from pg_attribute as field
    left join pg_attribute as known
        on known.attrelid = to_regclass(shown) and known.attname = field.attname
    where field.attrelid = stored and field.attnum > 0 and not field.attisdropped;
    body := format(
        query,
        (
            select string_agg(format('shown.%I', name), ', ' order by place)
            from unnest(ordered) with ordinality as field (name, place)
        ),
        guard.give_own_rows(stored, own_name, every, 'true'), stored
    );

    if to_regclass(shown) is not null then
        execute format('create temporary view expected_view as %s', body);
        select
            pg_get_viewdef(oid) = pg_get_viewdef('pg_temp.expected_view'::regclass)
            and reloptions = array['security_barrier=true']
            and relowner = 'chotso_owner'::regrole
        into is_same
        from pg_class where oid = shown::regclass;
        drop view pg_temp.expected_view;
    end if;
    if is_same is distinct from true then
        execute format('create or replace view %s with (security_barrier) as %s', shown, body);
        execute format('alter view %s owner to chotso_owner', shown);
    end if;
    execute format('grant select on %s to chotso_agency_reader', shown);
    for described in
        select field.attname, col_description(stored, field.attnum) as text
        from pg_attribute as field
        inner join pg_attribute as seen
            on seen.attrelid = shown::regclass and seen.attname = field.attname
        where field.attrelid = stored and field.attnum > 0 and not field.attisdropped
            and col_description(stored, field.attnum)
            is distinct from col_description(shown::regclass, seen.attnum)
    loop
        execute format(
            'comment on column %s.%I is %L', shown, described.attname, described.text
        );
    end loop;
end
$$;
comment on function guard.show_rows is
'Khung nhìn cho người đọc của từng cơ quan — a view that agencies'' readers may open';
revoke execute on function guard.show_rows from public;

create or replace function guard.add_agency_readers() returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    agency text;
    added text[] := '{}';
begin
    for agency in
        select distinct ma_co_quan
        from raw.agencies
        where known_to is null and ma_co_quan ~ '^[0-9A-Za-z]{1,32}$'
            and not exists (select from pg_roles where rolname = 'chotso_reader_' || ma_co_quan)
        order by ma_co_quan
    loop
        execute format(
            'create role %I nologin in role chotso_agency_reader', 'chotso_reader_' || agency
        );
        added := added || ('chotso_reader_' || agency);
    end loop;
    return added;
end
$$;
comment on function guard.add_agency_readers is
'Tạo nhóm người đọc cho cơ quan mới — makes chotso_reader_<agency> for agencies that lack it';
revoke execute on function guard.add_agency_readers from public;
