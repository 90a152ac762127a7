-- Checks an inserted bundle piece by piece; each function returns what is wrong, or null.

create or replace function sealing.manifest_of(octets bytea, of_release text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if sealing.is_canonical(octets) then
        return convert_from(octets, 'UTF8')::jsonb;
    end if;
    raise exception 'not canonical';
exception
    when others then
        raise exception 'the manifest of % is no canonical JSON: it could never verify',
            of_release;
end
$$;
comment on function sealing.manifest_of is
'Nội dung manifest.json ở dạng chuẩn — a manifest''s content, if its bytes are canonical';

create or replace function sealing.kind_of(begun ops."freeze") returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select case
        when begun.is_rehearsal then 'rehearsal'
        when begun.corrects is null then 'original'
        else 'corrigendum'
    end
$$;
comment on function sealing.kind_of is 'Loại bản chốt — what kind of release a freeze makes';

create or replace function sealing.is_manifest_of(manifest jsonb, begun ops."freeze")
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select (manifest @> jsonb_build_object(
        'format', 'chotso-bundle/1',
        'release_id', begun.release_id,
        'period_id', begun.period_id,
        'kind', sealing.kind_of(begun),
        'corrects', begun.corrects,
        'cutoff_at', sealing.instant_text(begun.cutoff_at),
        'as_known_at', sealing.instant_text(begun.as_known_at),
        'business_date', to_char(begun.business_date, 'YYYY-MM-DD')
    ) and manifest -> 'correction' = case
        when begun.corrects is null then 'null'::jsonb
        else jsonb_build_object(
            'reason', begun.correction_reason,
            'author', begun.correction_author,
            'corrected_root', (
                select release.root_sha256 from frozen.release as release
                where release.release_id = begun.corrects
            )
        )
    end) is true
$$;
comment on function sealing.is_manifest_of is
'manifest.json có phải của lần chốt này không — whether a manifest is that of a freeze';

-- The manifest lists every file with its exact size and hash, in order, and no other file.
create or replace function sealing.file_problem(manifest jsonb) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with staged as materialized (
        select
            file.path,
            jsonb_build_object(
                'path', file.path,
                'bytes', length(file.content),
                'rows', case
                    when file.path like '%.csv' then sealing.record_count(file.content)
                end,
                'sha256', encode(sha256(file.content), 'hex'),
                'merkle_root',
                encode(sealing.merkle_root(sealing.leaf_hashes(file.content)), 'hex')
            ) as entry
        from sealing.file as file
        where file.path <> 'manifest.json'
    ),

    listed as (
        select value ->> 'path' as path, value as entry
        from jsonb_array_elements(
            case jsonb_typeof(manifest -> 'files') when 'array' then manifest -> 'files'
                else '[]' end
        )
    )

    select coalesce(
        (
            select string_agg(coalesce(listed.path, staged.path), ', ')
            from listed
            full join staged on staged.path = listed.path
            where listed.entry is distinct from staged.entry
        ),
        case
            when manifest -> 'files' is distinct from (
                select jsonb_agg(entry order by path collate "C") from staged
            ) then 'they are not in order'
            when manifest ->> 'data_root' is distinct from (
                select encode(sealing.merkle_root(array_agg(
                    sha256('\x00'::bytea || convert_to(path, 'UTF8') || '\x00'::bytea
                    || decode(entry ->> 'merkle_root', 'hex'))
                    order by path collate "C"
                )), 'hex')
                from staged
                where path like 'data/%'
            ) then 'the data root is another'
        end
    )
$$;
comment on function sealing.file_problem is
'Tệp khác với manifest.json — what of the files is not as the manifest lists it';

create or replace function sealing.identity_problem(begun ops."freeze", at_instant timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when begun.release_id !~ (
            '^' || case sealing.kind_of(begun)
                when 'original' then begun.period_id
                when 'rehearsal' then 'rehearsal-' || begun.period_id || '-[1-9][0-9]*'
                else begun.period_id || '-c' || (
                    select 1 + count(*) from frozen.release
                    where period_id = begun.period_id and kind = 'corrigendum'
                )
            end || '$'
        ) then 'its id is not the next one of ' || begun.period_id
        when begun.corrects is not null and not exists (
            select from frozen.current_release as corrected
            where corrected.release_id = begun.corrects and corrected.period_id = begun.period_id
        ) then begun.corrects || ' is not the current release of ' || begun.period_id
        when not exists (
            select from ops.batch where status = 'published' and known_at = begun.as_known_at
            union all
            select from ops.operator_act where known_at = begun.as_known_at
        ) then 'nothing was published at ' || begun.as_known_at
        -- clocks differ a little, and known_at may come from another server
        when at_instant is null or not begun.is_rehearsal and at_instant < greatest(
            begun.cutoff_at,
            (select sealed_at from frozen.release where release_id = begun.corrects)
        ) then 'it would be sealed before its cutoff, or before what it corrects'
        when at_instant > interval '1 day' + greatest(clock_timestamp(), (
            select max(known_at) from ops.batch where status = 'published'
        )) then 'it would be sealed in the future'
    end
$$;
comment on function sealing.identity_problem is
'Vì sao không thể là bản chốt này — why a freeze cannot be the release that it says';

create or replace function sealing.signer_problem(signers jsonb) returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    signer jsonb;
    point numeric[];
begin
    if jsonb_typeof(signers) <> 'array' then
        return 'its signers are no list';
    end if;
    for signer in select value from jsonb_array_elements(signers)
    loop
        if jsonb_typeof(signer) <> 'object' or (
            select array_agg(key order by key) from jsonb_each(signer)
        ) <> array['id', 'name', 'public_key'] or exists (
            select from jsonb_each(signer) where jsonb_typeof(value) <> 'string'
        ) or signer ->> 'id' !~ '^[a-z0-9][a-z0-9-]{0,62}$'
            or signer ->> 'public_key' !~ '^[0-9a-f]{64}$'
        then
            return 'a signer is not well-formed';
        end if;
        point := ed25519.point(decode(signer ->> 'public_key', 'hex'));
        if point is null or mod((ed25519.times(8, point))[1], ed25519.p()) = 0 then
            return 'the public key of ' || (signer ->> 'id') || ' is no Ed25519 key';
        end if;
    end loop;
    if exists (
        select from jsonb_array_elements(signers) as listed,
            lateral (values ('id'), ('public_key')) as fields (name)
        group by fields.name, listed ->> fields.name
        having count(*) > 1
    ) then
        return 'two signers have one id or key';
    end if;
    return null;
end
$$;
comment on function sealing.signer_problem is
'Điều sai trong danh sách người ký — what is wrong with the signers of a manifest';

create or replace function sealing.manifest_problem(manifest jsonb, begun ops."freeze")
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when not manifest ?& array[
            'format', 'release_id', 'period_id', 'kind', 'corrects', 'correction', 'previous_root',
            'cutoff_at', 'as_known_at', 'business_date', 'files', 'data_root', 'inputs',
            'final_extract', 'signers', 'configuration', 'rules', 'code', 'lock_sha256'
        ] then 'its manifest lacks a key'
        when begun.is_rehearsal and manifest ->> 'previous_root' is not null
            then 'a rehearsal stands outside the chain'
        when manifest -> 'inputs' is distinct from (
            select coalesce(
                jsonb_agg(entry order by sealing.canonical_json(entry) collate "C"), '[]'
            )
            from ops.release_inputs(begun.as_known_at) as entry
        ) then 'its inputs are not the batches published until ' || begun.as_known_at
        when manifest -> 'final_extract' is distinct from (
            select coalesce(
                jsonb_agg(entry order by sealing.canonical_json(entry) collate "C"), '[]'
            )
            from ops.newest_deliveries(begun.as_known_at) as entry
        ) then 'its final extract is not the newest of each feed'
        when begun.inputs_sha256 is distinct from encode(sha256(convert_to(
            sealing.canonical_json(jsonb_build_object(
                'code', manifest -> 'code',
                'lock_sha256', manifest -> 'lock_sha256',
                'configuration', manifest -> 'configuration',
                'rules', manifest -> 'rules'
            )) || E'\n', 'UTF8'
        )), 'hex') then 'code or configuration are not those of its build'
        else sealing.signer_problem(manifest -> 'signers')
    end
$$;
comment on function sealing.manifest_problem is
'Điều sai trong manifest.json — what in a manifest is not as the ledger has it';

-- The set of files: those of every release, each data file with its row index, configuration.
create or replace function sealing.bundle_problem(begun ops."freeze") returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with manifest as (
        select convert_from(content, 'UTF8')::jsonb as content
        from sealing.file where path = 'manifest.json'
    ),

    wanted as (
        select 'data/' || name || '.csv' as path
        from sealing.data_file where statement is not null or begun.corrects is not null
        union all
        select 'rows/' || name || '.txt'
        from sealing.data_file where statement is not null or begun.corrects is not null
        union all
        select path from sealing.document
        union all
        select unnest(array['report.pdf', 'report.xlsx', 'manifest.json'])
        union all
        select entry ->> 'path'
        from manifest, jsonb_array_elements(manifest.content -> 'configuration') as entry
        where entry ->> 'path' like 'config/%'
    )

    select coalesce(
        (
            select 'a file is missing, or is none of a release: '
                || string_agg(coalesce(wanted.path, file.path), ', ')
            from wanted
            full join sealing.file as file on file.path = wanted.path
            where wanted.path is null or file.path is null
        ),
        (
            select 'a path is no plain path: ' || string_agg(path, ', ')
            from sealing.file
            where path !~ '^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$'
                or exists (
                    select from sealing.file as other
                    where other.path <> file.path and lower(other.path) = lower(file.path)
                )
        ),
        (
            select 'a document is not that of this version (run `chotso migrate`): '
                || string_agg(file.path, ', ')
            from sealing.file as file
            inner join sealing.document as document on document.path = file.path
            where encode(sha256(file.content), 'hex') <> document.sha256
        ),
        (
            select 'its configuration is not that of its files: ' || string_agg(file.path, ', ')
            from manifest
            cross join jsonb_array_elements(manifest.content -> 'configuration') as entry
            inner join sealing.file as file on file.path = entry ->> 'path'
            where encode(sha256(file.content), 'hex') is distinct from entry ->> 'sha256'
        ),
        (
            select 'a row index is not that of its file: ' || string_agg(file.path, ', ')
            from sealing.data_file as known
            inner join sealing.file as file on file.path = 'data/' || known.name || '.csv'
            inner join sealing.file as index on index.path = 'rows/' || known.name || '.txt'
            where index.content is distinct from (
                select convert_to(
                    string_agg(left(encode(leaf, 'hex'), 16) || E'\n', '' order by place), 'UTF8'
                )
                from unnest(sealing.leaf_hashes(file.content)) with ordinality as t (leaf, place)
            )
        )
    )
$$;
comment on function sealing.bundle_problem is
'Tệp thừa, thiếu hoặc sai — a file too many, missing, or not what every release has';
