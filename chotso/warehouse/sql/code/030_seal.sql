-- The one way into frozen and rehearsal.

-- The one way in which a release stops being current: another one that corrects it is sealed.
create or replace function frozen.supersede() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not new.is_current then
        raise exception using errcode = 'check_violation', constraint = 'corrects_the_current_one',
            message = format('the corrigendum %s must become current', new.release_id);
    end if;
    update frozen.release as corrected
    set is_current = false
    where corrected.release_id = new.corrects
        and corrected.is_current
        and corrected.period_id = new.period_id
        and corrected.cutoff_at = new.cutoff_at
        and corrected.as_known_at <= new.as_known_at;
    if not found then
        raise exception using errcode = 'check_violation', constraint = 'corrects_the_current_one',
            message = format(
                '%s is not the current release of %s, or has another cutoff or newer knowledge',
                new.corrects, new.period_id
            );
    end if;
    return new;
end
$$;
comment on function frozen.supersede is
'Bản bị đính chính thôi hiệu lực — the corrected release is current no more';
alter function frozen.supersede owner to chotso_owner;
revoke execute on function frozen.supersede from public;

create or replace function frozen.seal(of_release text, at_instant timestamptz) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
as $$
declare
    begun ops."freeze";
    target text;
    raw bytea;
    manifest jsonb;
    problem text;
    root text;
    relation text;
    columns text;
    counted bigint;
    listed bigint;
    file text;
    fields text;
    laid text;
begin
    -- one seal at a time: the end of the chain must not move under our feet
    perform frozen.make_way();
    select * into begun from ops."freeze" as made where made.release_id = of_release for update;
    if not found or begun.state <> 'checked' then
        raise exception '% has not been checked: there is nothing to seal', of_release;
    end if;
    target := case when begun.is_rehearsal then 'rehearsal' else 'frozen' end;

    -- a view or a policy of the loader's would run its code with the owner's rights
    select string_agg(relname, ', ') into problem
    from pg_class
    where relnamespace = to_regnamespace(begun.target_schema)
        and relname in (
            'fct_reconciliation', 'fct_monthly_attainment', 'dim_agency', 'int_money_at_stake'
        )
        and (relkind <> 'r' or relrowsecurity or relhasrules);
    if problem is not null then
        raise exception '% of % is no plain table', problem, begun.target_schema;
    end if;
    problem := ops.freeze_unmet(of_release);
    if problem is not null then
        raise exception '% is not sealed; not met: %', of_release, problem;
    end if;

    select content into raw from sealing.file where path = 'manifest.json';
    if not found then
        raise exception '% has no manifest', of_release;
    end if;
    root := encode(sha256(raw), 'hex');
    manifest := convert_from(raw, 'UTF8')::jsonb;
    if manifest ->> 'release_id' is distinct from of_release
        or manifest ->> 'period_id' is distinct from begun.period_id
        or (manifest ->> 'kind' = 'rehearsal') is distinct from begun.is_rehearsal
        or (manifest ->> 'cutoff_at')::timestamptz is distinct from begun.cutoff_at
        or (manifest ->> 'as_known_at')::timestamptz is distinct from begun.as_known_at
        or manifest ->> 'corrects' is distinct from begun.corrects
        or manifest -> 'correction' ->> 'reason' is distinct from begun.correction_reason
        or manifest -> 'correction' ->> 'author' is distinct from begun.correction_author
        or manifest -> 'correction' ->> 'corrected_root' is distinct from (
            select release.root_sha256
            from frozen.release as release
            where release.release_id = begun.corrects
        )
    then
        raise exception 'the manifest is not that of the freeze of %', of_release;
    end if;

    -- every file listed is there, to the byte, and no other
    select string_agg(coalesce(listed.path, staged.path), ', ') into problem
    from (
        select
            entry ->> 'path' as path,
            entry ->> 'sha256' as sha256,
            (entry ->> 'bytes')::bigint as size
        from jsonb_array_elements(manifest -> 'files') as entry
    ) as listed
    full outer join (
        select file.path, encode(sha256(file.content), 'hex') as sha256, length(file.content) as size
        from sealing.file as file
        where file.path <> 'manifest.json'
    ) as staged on listed.path = staged.path
    where listed.sha256 is distinct from staged.sha256 or listed.size is distinct from staged.size;
    if problem is not null then
        raise exception 'the files of % are not those of its manifest: %', of_release, problem;
    end if;

    if target = 'frozen' and manifest ->> 'previous_root' is distinct from (
        select release.root_sha256
        from frozen.release as release
        where not exists (
            select from frozen.release as later
            where later.previous_root = release.root_sha256
        )
    ) then
        raise exception 'the chain has grown since % was written', of_release
        using errcode = 'unique_violation';
    end if;

    execute format(
        'insert into %I.release (release_id, period_id, kind, corrects, is_current, cutoff_at, '
        'as_known_at, root_sha256, previous_root, data_root, sealed_at, code_version, status, '
        'correction_reason, correction_author) '
        'values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ''sealed'', $13, $14)',
        target
    ) using
        of_release, begun.period_id, manifest ->> 'kind', manifest ->> 'corrects',
        target = 'frozen', begun.cutoff_at, begun.as_known_at, root,
        manifest ->> 'previous_root', manifest ->> 'data_root', at_instant,
        manifest -> 'code' ->> 'version', begun.correction_reason, begun.correction_author;

    foreach relation in array array[
        'attainment', 'arrears_ratio', 'employer_arrears', 'officer_attainment', 'ranking'
    ]
    loop
        select string_agg(quote_ident(attname), ', ' order by attnum) into columns
        from pg_attribute
        where attrelid = format('sealing.%I', relation)::regclass
            and attnum > 0 and not attisdropped;
        execute format(
            'insert into %I.%I (release_id, %s) select $1, %s from sealing.%I',
            target, relation, columns, columns, relation
        ) using of_release;
        get diagnostics counted = row_count;
        select (entry ->> 'rows')::bigint into listed
        from jsonb_array_elements(manifest -> 'files') as entry
        where entry ->> 'path' = 'data/' || relation || '.csv';

        -- what readers will see is what the file says, line by line
        select convert_from(content, 'UTF8') into file
        from sealing.file
        where path = 'data/' || relation || '.csv';
        select string_agg(
            format(
                case field.atttypid
                    when 'text'::regtype then
                        'coalesce(case when %1$I ~ E''[,"\r\n]'' or %1$I in (''\N'', ''\.'') '
                        'then ''"'' || replace(%1$I, ''"'', ''""'') || ''"'' else %1$I end, ''\N'')'
                    when 'timestamptz'::regtype then
                        'coalesce(to_char(%1$I at time zone ''UTC'', '
                        '''YYYY-MM-DD"T"HH24:MI:SS.US"Z"''), ''\N'')'
                    else 'coalesce(%1$I::text, ''\N'')'
                end, field.attname
            ), ' || '','' || ' order by header.place
        ) into fields
        from string_to_table(split_part(file, E'\n', 1), ',')
            with ordinality as header (name, place)
        full outer join (
            select attname, atttypid
            from pg_attribute
            where attrelid = format('sealing.%I', relation)::regclass
                and attnum > 0 and not attisdropped
        ) as field on header.name = field.attname;
        execute format('select string_agg(%s, E''\n'') || E''\n'' from sealing.%I', fields, relation)
        into laid;
        laid := coalesce(laid, '');
        file := substr(file, strpos(file, E'\n') + 1);
        if counted is distinct from listed
            or exists (
                select string_to_table(file, E'\n')
                except all
                select string_to_table(laid, E'\n')
            )
            or exists (
                select string_to_table(laid, E'\n')
                except all
                select string_to_table(file, E'\n')
            )
        then
            raise exception 'the rows of % are not those of its file: % of them',
                relation, counted;
        end if;
        execute format('delete from sealing.%I', relation);
    end loop;
    execute format(
        'insert into %I.bundle_file (release_id, path, content) '
        'select $1, path, content from sealing.file', target
    ) using of_release;
    delete from sealing.file;

    update ops."freeze" set
        state = 'sealed', root_sha256 = root, changed_at = clock_timestamp()
    where release_id = of_release;
    return root;
end
$$;
comment on function frozen.seal is
'Niêm phong hồ sơ đã đặt — seals the bundle that was laid down, if all that must hold does';
alter function frozen.seal owner to chotso_owner;
revoke execute on function frozen.seal from public;
grant execute on function frozen.seal to chotso_loader;
