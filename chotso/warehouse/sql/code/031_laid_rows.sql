-- Compares the inserted rows, which readers will see, with the files, the build and `raw`.

-- An SQL expression that makes the line of the file from a row of a table in `sealing`. The file's
-- header gives the columns.
create or replace function sealing.line_of(relation text, header text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(
        format(
            case field.atttypid
                when 'text'::regtype then
                    'coalesce(case when %1$I ~ E''[,"\r\n]'' or %1$I in (''\N'', ''\.'') '
                    'then ''"'' || replace(%1$I, ''"'', ''""'') || ''"'' else %1$I end, ''\N'')'
                when 'timestamptz'::regtype then 'coalesce(sealing.instant_text(%1$I), ''\N'')'
                else 'coalesce(%1$I::text, ''\N'')'
            end, field.attname
        ), ' || '','' || ' order by header.place
    )
    from string_to_table(line_of.header, ',') with ordinality as header (name, place)
    full outer join (
        select attname, atttypid
        from pg_attribute
        where attrelid = format('sealing.%I', relation)::regclass
            and attnum > 0 and not attisdropped
    ) as field on header.name = field.attname
$$;
comment on function sealing.line_of is
'Biểu thức ghi một dòng như trong tệp — a row as its line in the file, as an SQL expression';

create or replace function sealing.row_tables() returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select array['attainment', 'arrears_ratio', 'employer_arrears', 'officer_attainment', 'ranking']
$$;
comment on function sealing.row_tables is
'Các tệp cũng là bảng của frozen — the data files that are also tables of frozen';

-- A seal inserts its bundle and seals it in one transaction. So rows that are there before it
-- belong to no seal; if they stayed, every later seal would fail. Nothing else takes rows away. So
-- it waits for a seal that runs: what a seal has looked at stays until it ends.
create or replace function sealing.clear_leftovers(of_release text) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    relation text;
    counted bigint;
    found jsonb := '{}';
begin
    perform frozen.make_way();
    foreach relation in array array_append(sealing.row_tables(), 'file') loop
        execute format('delete from sealing.%I', relation);
        get diagnostics counted = row_count;
        if counted > 0 then
            found := found || jsonb_build_object(relation, counted);
        end if;
    end loop;
    if found <> '{}' then
        update ops."freeze" set leftovers = found where release_id = of_release;
        raise warning 'what was laid down and never sealed has been taken away: %', found;
    end if;
    return found;
end
$$;
comment on function sealing.clear_leftovers is
'Xóa những gì đã đặt mà chưa niêm phong — empties sealing before a seal, and notes what lay there';

-- Records, not lines, are compared: a record may have newlines within quotes, so equal lines could
-- belong to different records.
create or replace function sealing.records_of(lines text) returns setof text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    with cut as (
        select
            line, place,
            sum(length(line) - length(replace(line, '"', ''))) over (order by place) % 2 = 0
                as is_last
        from string_to_table(lines, E'\n') with ordinality as t (line, place)
    ),

    dealt as (
        select line, place, count(*) filter (where is_last) over (
            order by place rows between unbounded preceding and 1 preceding
        ) as record_number
        from cut
    )

    select string_agg(line, E'\n' order by place)
    from dealt
    group by record_number
$$;
comment on function sealing.records_of is
'Các bản ghi CSV, không có dòng cuối trống — records of CSV text that ends without a newline';

create or replace function sealing.check_rows(manifest jsonb) returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
as $$
declare
    relation text;
    file text;
    counted bigint;
    listed bigint;
    is_other boolean;
begin
    foreach relation in array sealing.row_tables() loop
        select convert_from(content, 'UTF8') into file
        from sealing.file
        where path = 'data/' || relation || '.csv';
        select (entry ->> 'rows')::bigint into listed
        from jsonb_array_elements(manifest -> 'files') as entry
        where entry ->> 'path' = 'data/' || relation || '.csv';
        execute format(
            'with laid as materialized (select %s as record from sealing.%I), '
            'filed as materialized (select record from sealing.records_of($1) as record) '
            'select (select count(*) from laid), exists ('
            '(select record from filed except all select record from laid) union all '
            '(select record from laid except all select record from filed))',
            sealing.line_of(relation, split_part(file, E'\n', 1)), relation
        ) into counted, is_other
        using regexp_replace(substr(file, strpos(file, E'\n') + 1), E'\n$', '');
        if counted is distinct from listed or is_other then
            raise exception 'the rows of % are not those of its file: % of them',
                relation, counted;
        end if;
    end loop;
end
$$;
comment on function sealing.check_rows is
'Đối chiếu các dòng đã đặt với tệp — refuses rows that are not those of their files';

-- A corrigendum without any difference is refused: it would only replace a certified release.
create or replace function sealing.is_another(corrected text) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    relation text;
    columns text;
    is_other boolean := false;
begin
    foreach relation in array sealing.row_tables() loop
        exit when is_other;
        select string_agg(quote_ident(attname), ', ' order by attnum) into columns
        from pg_attribute
        where attrelid = format('sealing.%I', relation)::regclass and attnum > 0
            and not attisdropped and attname not in ('known_at', 'stated_at');
        execute format(
            'select exists ((select %1$s from sealing.%2$I) except all '
            '(select %1$s from frozen.%2$I where release_id = $1)) or exists ('
            '(select %1$s from frozen.%2$I where release_id = $1) except all '
            '(select %1$s from sealing.%2$I))', columns, relation
        ) into is_other using corrected;
    end loop;
    return is_other;
end
$$;
comment on function sealing.is_another is
'Bản đính chính có đổi số liệu nào không — whether a corrigendum changes any figure';

create or replace function sealing.figure_problem(begun ops."freeze") returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    known sealing.data_file;
    withheld text[];
    last_month date;
begin
    select array(
        select jsonb_array_elements_text(period -> 'withheld_employer_groups')
    ) into withheld
    from ops.configuration, jsonb_array_elements(content -> 'periods') as period
    where name = 'periods' and period ->> 'id' = begun.period_id;
    select max(month) into last_month from frozen.attainment where release_id = begun.corrects;
    for known in select * from sealing.data_file where statement is not null order by name
    loop
        if not exists (
            select from sealing.file
            where path = 'data/' || known.name || '.csv' and content = convert_to(
                sealing.built_file(begun.release_id, known.name, withheld, last_month), 'UTF8'
            )
        ) then
            return format(
                'data/%s.csv is not made from %I', known.name, begun.target_schema
            );
        end if;
    end loop;
    if current_setting('search_path') <> 'pg_catalog, pg_temp' then
        return 'its build changed the session that read it';
    end if;
    if (
        select count(distinct month) from sealing.attainment
        where month <= date_trunc('month', begun.cutoff_at at time zone 'Asia/Ho_Chi_Minh')
    ) is distinct from (
        select 1 + 12 * extract(year from until.span) + extract(month from until.span)
        from (
            -- A rehearsal may come before the cutoff's month: it goes as far as its figures do.
            select age(
                least(
                    date_trunc('month', begun.cutoff_at at time zone 'Asia/Ho_Chi_Minh'),
                    case when begun.is_rehearsal then max(month)::timestamp end
                ),
                min(month)::timestamp
            ) as span
            from sealing.attainment
        ) as until
    ) then
        return 'a month until the cutoff is left out';
    end if;
    if begun.corrects is not null and not sealing.is_another(begun.corrects) then
        return 'it corrects nothing of ' || begun.corrects;
    end if;
    return coalesce(
        sealing.other_agency(begun.as_known_at),
        sealing.other_collection(begun.as_known_at, begun.cutoff_at),
        sealing.other_arrears(begun.as_known_at, begun.cutoff_at),
        sealing.other_account(begun.as_known_at, begun.cutoff_at),
        sealing.other_plan(begun.as_known_at, begun.cutoff_at),
        sealing.other_verdict()
    );
end
$$;
comment on function sealing.figure_problem is
'Số liệu không theo bản dựng hay dữ liệu gốc — a figure that is not the build''s, or not raw''s';

-- Another session of the loader may have inserted more rows or files after the checks. They can
-- only be added, so if their number is the manifest's, they are the checked ones.
create or replace function sealing.move_into(target text, of_release text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    relation text;
    columns text;
    moved bigint;
    listed bigint;
    manifest constant jsonb := (
        select convert_from(content, 'UTF8')::jsonb from sealing.file where path = 'manifest.json'
    );
begin
    foreach relation in array sealing.row_tables() loop
        select string_agg(quote_ident(attname), ', ' order by attnum) into columns
        from pg_attribute
        where attrelid = format('sealing.%I', relation)::regclass
            and attnum > 0 and not attisdropped;
        select (entry ->> 'rows')::bigint into listed
        from jsonb_array_elements(manifest -> 'files') as entry
        where entry ->> 'path' = 'data/' || relation || '.csv';
        execute format(
            'insert into %I.%I (release_id, %s) select $1, %s from sealing.%I',
            target, relation, columns, columns, relation
        ) using of_release;
        get diagnostics moved = row_count;
        if moved is distinct from listed then
            raise exception 'the rows of % are not those that were checked: % of them',
                relation, moved;
        end if;
        execute format('delete from sealing.%I', relation);
    end loop;
    execute format(
        'insert into %I.bundle_file (release_id, path, content) '
        'select $1, path, content from sealing.file', target
    ) using of_release;
    get diagnostics moved = row_count;
    if moved is distinct from 1 + jsonb_array_length(manifest -> 'files') then
        raise exception 'the files of % are not those that were checked: % of them',
            of_release, moved;
    end if;
    delete from sealing.file;
end
$$;
comment on function sealing.move_into is
'Chuyển hồ sơ vào nơi niêm phong — moves what was laid down to where it stays';

do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = 'sealing'::regnamespace and proname <> 'instant_text'
    loop
        execute format(
            'alter function %s owner to %I', routine,
            case when routine::text like '%built_file(%' then 'chotso_checker'
                else 'chotso_owner' end
        );
        execute format('revoke execute on function %s from public', routine);
    end loop;
end
$$;
grant execute on function sealing.built_file to chotso_owner;
grant execute on function sealing.clear_leftovers to chotso_loader;
