-- The only way to insert into frozen and rehearsal.

-- A release stops being current only if a release that corrects it is sealed.
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
create or replace trigger supersede before insert on frozen.release
for each row when (new.kind = 'corrigendum') execute function frozen.supersede();
alter table frozen.release enable always trigger supersede;

create or replace function frozen.chain_end() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select release.root_sha256
    from frozen.release as release
    where not exists (
        select from frozen.release as later where later.previous_root = release.root_sha256
    )
$$;
comment on function frozen.chain_end is
'Mã gốc cuối chuỗi — the root that no release follows yet; null before the first';
alter function frozen.chain_end owner to chotso_owner;
revoke execute on function frozen.chain_end from public;

create or replace function sealing.insert_release(
    target text, begun ops."freeze", manifest jsonb, root text, at_instant timestamptz
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    execute format(
        'insert into %I.release (release_id, period_id, kind, corrects, is_current, cutoff_at, '
        'as_known_at, root_sha256, previous_root, data_root, sealed_at, code_version, status, '
        'correction_reason, correction_author) '
        'values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, ''sealed'', $13, $14)',
        target
    ) using
        begun.release_id, begun.period_id, manifest ->> 'kind', manifest ->> 'corrects',
        target = 'frozen', begun.cutoff_at, begun.as_known_at, root,
        manifest ->> 'previous_root', manifest ->> 'data_root', at_instant,
        manifest -> 'code' ->> 'version', begun.correction_reason, begun.correction_author;
end
$$;
comment on function sealing.insert_release is
'Ghi bản chốt vào danh sách — enters the release that a manifest describes';
alter function sealing.insert_release owner to chotso_owner;
revoke execute on function sealing.insert_release from public;

create or replace function frozen.seal(of_release text, at_instant timestamptz) returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set datestyle = 'ISO, YMD'
as $$
declare
    begun ops."freeze";
    target text;
    octets bytea;
    manifest jsonb;
    problem text;
    root text;
begin
    -- one seal at a time, because the end of the chain of releases must not change meanwhile
    perform frozen.make_way();
    select * into begun from ops."freeze" as made where made.release_id = of_release for update;
    if not found or begun.state <> 'checked' then
        raise exception '% has not been checked: there is nothing to seal', of_release;
    end if;
    target := case when begun.is_rehearsal then 'rehearsal' else 'frozen' end;
    problem := sealing.odd_relations(begun.target_schema);
    if problem is not null then
        raise exception '% of % is no plain table', problem, begun.target_schema;
    end if;
    problem := ops.freeze_unmet(of_release);
    if problem is not null then
        raise exception '% is not sealed; not met: %', of_release, problem;
    end if;
    select content into octets from sealing.file where path = 'manifest.json';
    if not found then
        raise exception '% has no manifest', of_release;
    end if;
    root := encode(sha256(octets), 'hex');
    manifest := sealing.manifest_of(octets, of_release);
    if not sealing.is_manifest_of(manifest, begun) then
        raise exception 'the manifest is not that of the freeze of %', of_release;
    end if;
    problem := sealing.file_problem(manifest);
    if problem is not null then
        raise exception 'the files of % are not those of its manifest: %', of_release, problem;
    end if;
    if target = 'frozen' and manifest ->> 'previous_root' is distinct from frozen.chain_end() then
        raise exception 'the chain has grown since % was written', of_release
        using errcode = 'unique_violation';
    end if;
    problem := coalesce(
        sealing.identity_problem(begun, at_instant),
        sealing.manifest_problem(manifest, begun),
        sealing.build_problem(begun, manifest -> 'code' ->> 'version'),
        sealing.bundle_problem(begun)
    );
    if problem is not null then
        raise exception '% is not sealed: %', of_release, problem;
    end if;
    perform sealing.check_rows(manifest);
    problem := sealing.figure_problem(begun);
    if problem is not null then
        raise exception '% is not sealed; it does not follow from the warehouse: %',
            of_release, problem;
    end if;

    perform sealing.insert_release(target, begun, manifest, root, at_instant);
    perform sealing.move_into(target, of_release);
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
