-- A person's signature under a release.

create or replace function frozen.certify(
    certified_release text, certified_root text, by_signer text, at_instant text, signed text
) returns frozen.certification
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '1min'
as $$
declare
    release frozen.release;
    signer jsonb;
    kept frozen.certification;
begin
    select * into release from frozen.release where release_id = certified_release for update;
    if not found then
        raise exception 'there is no sealed release %', certified_release;
    end if;
    if release.root_sha256 <> certified_root then
        raise exception 'the root of % is %, not %',
            certified_release, release.root_sha256, certified_root;
    end if;
    select * into kept from frozen.certification
    where release_id = certified_release and signer_id = by_signer;
    if found then
        return kept;
    end if;
    select listed into signer
    from frozen.bundle_file as file,
        jsonb_array_elements(convert_from(file.content, 'UTF8')::jsonb -> 'signers') as listed
    where file.release_id = certified_release and file.path = 'manifest.json'
        and sha256(file.content) = decode(certified_root, 'hex')
        and listed ->> 'id' = by_signer;
    if not found then
        raise exception '% is none of the signers that % lists', by_signer, certified_release;
    end if;
    if at_instant !~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$' or signed !~ '^[0-9a-f]{128}$' then
        raise exception 'the instant or the signature is not well-formed';
    end if;
    if not ed25519.is_signed(
        decode(signer ->> 'public_key', 'hex'),
        convert_to(
            'chotso-certification/1' || E'\n' || certified_release || E'\n' || certified_root
            || E'\n' || by_signer || E'\n' || at_instant || E'\n',
            'UTF8'
        ),
        decode(signed, 'hex')
    ) then
        raise exception 'the signature is not that of the key of %', by_signer;
    end if;
    if exists (
        select from frozen.certification
        where release_id = certified_release and recorded_by = session_user
    ) then
        raise exception 'the login % has certified % for another person',
            session_user, certified_release;
    end if;
    insert into frozen.certification (release_id, signer_id, signer_name, public_key, root_sha256,
        certified_at, signature, recorded_by)
    values (certified_release, by_signer, signer ->> 'name', signer ->> 'public_key',
        certified_root, at_instant, signed, session_user)
    returning * into kept;
    if (select count(*) from frozen.certification where release_id = certified_release) >= 2 then
        update frozen.release set status = 'certified' where release_id = certified_release;
    end if;
    return kept;
end
$$;
comment on function frozen.certify is
'Ghi chữ ký của một người — records a person''s signature under a root; two certify a release';
alter function frozen.certify owner to chotso_owner;
revoke execute on function frozen.certify from public;
grant execute on function frozen.certify to chotso_certifier;
