-- Who may read which rows. Views of `marts` and `frozen` ask this before they read any row.

-- True only for known readers of all rows. A view that an agency made may be queried by somebody
-- who is in no group.
create or replace function guard.reads_all(reader name) returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select from pg_roles
        where rolname in (
            'chotso_reader', 'chotso_auditor', 'chotso_loader', 'chotso_owner', 'chotso_checker',
            'chotso_keeper', 'pg_read_all_data'
        ) and pg_has_role(reader, oid, 'member')
    )
$$;
comment on function guard.reads_all is
'Người đọc có được xem mọi cơ quan — whether a reader reads every agency''s rows';

-- It is declared immutable, although it is not: so the planner evaluates it first and removes the
-- half of a view that the reader may not see. That half is not estimated, scanned or shown in a
-- plan.
create or replace function guard.reads_all_at_planning() returns boolean
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select guard.reads_all(current_user)
$$;
comment on function guard.reads_all_at_planning is
'Như guard.reads_all, hỏi khi lập kế hoạch — the same, asked when a query is planned';

-- Evaluated again when the query runs: a plan that was made before SET ROLE, or before a right was
-- revoked, fails.
create or replace function guard.reads_all_still() returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
    if not guard.reads_all(current_user) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format(
                'Kế hoạch truy vấn lập cho người đọc khác — this plan was made for a reader of all '
                'agencies, and %s is none', current_user
            ),
            hint = 'DISCARD PLANS, or a new session';
    end if;
    return true;
end
$$;
comment on function guard.reads_all_still is
'Như guard.reads_all, hỏi khi chạy — the same, asked when a query runs';

-- For functions that run as their owner. The connected login must have the right, too: the name of
-- a role alone gives nobody another agency's rows.
create or replace function guard.agencies_of(reader name) returns text[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with connected as (
        select coalesce(
            nullif(current_setting('role'), 'none')::name, session_user
        ) as role_name
    )

    select coalesce(array_agg(substr(agency.rolname, length('chotso_reader_') + 1)), '{}')
    from pg_roles as agency
    cross join connected
    where agency.rolname like 'chotso\_reader\_%'
        and pg_has_role(reader, agency.oid, 'member')
        and (
            pg_has_role(connected.role_name, agency.oid, 'member')
            or guard.reads_all(connected.role_name)
        )
$$;
comment on function guard.agencies_of is
'Các cơ quan của một người đọc — the agencies whose rows a reader may have';

-- current_user is the user who runs the query, in a policy as in a view.
create or replace function guard.own_agencies() returns text[]
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(substr(rolname, length('chotso_reader_') + 1)), '{}')
    from pg_roles
    where rolname like 'chotso\_reader\_%' and pg_has_role(current_user, oid, 'member')
    having not guard.reads_all(current_user)
$$;
comment on function guard.own_agencies is
'Cơ quan mà người đọc được xem; trống là mọi cơ quan — a reader''s agencies; null is all of them';

-- Makes a table's function for agencies, which returns only their own rows, whatever the query asks
-- for. The planner cannot look into it. It is made if it is missing or different. A view selects
-- from its result, so no view depends on the table's own columns.
create or replace function guard.give_own_rows(
    stored regclass, own_name name, columns name[], condition text
) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    place constant text := (
        select relnamespace::regnamespace::text from pg_class where oid = stored
    );
    giving constant text := format('%s.%I(name)', place, own_name);
    list text;
    definitions text;
    body text;
begin
    select
        string_agg('stored.' || quote_ident(field.attname), ', ' order by wanted.place),
        string_agg(
            quote_ident(field.attname) || ' ' || format_type(field.atttypid, field.atttypmod), ', '
            order by wanted.place
        )
    into list, definitions
    from unnest(columns) with ordinality as wanted (name, place)
    inner join pg_attribute as field
        on field.attrelid = stored and field.attname = wanted.name and not field.attisdropped;
    body := format(
        '
#variable_conflict use_variable
declare
    agencies constant text[] := guard.agencies_of(reader);
begin
    return query
    select %s
    from %s as stored
    where stored.agency_code = any(agencies) and %s;
end
', list, stored, condition
    );
    if not exists (
        select from pg_proc
        where oid = to_regprocedure(giving) and prosrc = body and prosecdef
            and proowner = (select relowner from pg_class where oid = stored)
            and has_function_privilege('chotso_agency_reader', oid, 'execute')
            and not has_function_privilege('public', oid, 'execute')
    ) then
        execute format(
            'create or replace function %s.%I(reader name) returns setof record '
            -- not unsafe, which would also prevent parallel plans for full readers
            'language plpgsql stable parallel restricted security definer '
            'set search_path = pg_catalog, pg_temp '
            'set standard_conforming_strings = on as %L', place, own_name, body
        );
        execute format(
            'alter function %s owner to %s', giving,
            (select relowner::regrole::text from pg_class where oid = stored)
        );
        execute format('revoke execute on function %s from public', giving);
        execute format('grant execute on function %s to chotso_agency_reader', giving);
        execute format(
            'comment on function %s is %L', giving,
            'Dòng của riêng cơ quan người đọc — the rows of the reader''s own agencies'
        );
    end if;
    return format('%s.%I(current_user) as shown (%s)', place, own_name, definitions);
end
$$;
comment on function guard.give_own_rows is
'Hàm trả dòng của riêng cơ quan — makes the function that gives an agency its own rows';
revoke execute on function guard.give_own_rows from public;
grant execute on function guard.give_own_rows to chotso_keeper;
