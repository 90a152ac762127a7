-- What a login of one agency reads.

-- current_user is whoever asks, in a policy and in a view alike.
create or replace function guard.own_agencies() returns text[]
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(substr(rolname, length('chotso_reader_') + 1)), '{}')
    from pg_roles
    where rolname like 'chotso\_reader\_%' and pg_has_role(current_user, oid, 'member')
    having pg_has_role(current_user, 'chotso_agency_reader', 'member')
        and not exists (
            select from pg_roles
            where rolname in (
                'chotso_reader', 'chotso_auditor', 'chotso_loader', 'chotso_owner',
                'pg_read_all_data'
            ) and pg_has_role(current_user, oid, 'member')
        )
$$;
comment on function guard.own_agencies is
'Cơ quan mà người đọc được xem; trống là mọi cơ quan — a reader''s agencies; null is all of them';

-- As guard.protect(), which calls it: it puts what is missing, for tables of later scripts too.
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
            to_regclass('frozen.current_' || class.relname) as current_view
        from pg_class as class
        inner join pg_attribute as field on field.attrelid = class.oid
        where class.relnamespace = 'frozen'::regnamespace and class.relkind in ('r', 'p')
            and field.attname = 'agency_code' and not field.attisdropped
    loop
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
        execute format('grant select on %s to chotso_agency_reader', relation.name);
        if relation.current_view is not null then
            execute format('grant select on %s to chotso_agency_reader', relation.current_view);
        end if;
    end loop;
end
$$;
comment on function guard.limit_readers is
'Giới hạn người đọc của từng cơ quan — limits agencies'' readers to their own rows';
revoke execute on function guard.limit_readers from public;

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
