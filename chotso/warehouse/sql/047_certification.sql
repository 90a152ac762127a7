-- A release is certified by two distinct persons, each with a key and a login of their own. The
-- database checks the signatures itself: whoever writes here without the key certifies nothing.
create table frozen.certification (
    release_id text not null references frozen.release,
    signer_id text not null,
    signer_name text not null,
    public_key text not null check (public_key ~ '^[0-9a-f]{64}$'),
    root_sha256 text not null references frozen.release (root_sha256),
    certified_at text not null,
    signature text not null check (signature ~ '^[0-9a-f]{128}$'),
    recorded_by name not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (release_id, signer_id),
    constraint one_key_one_person unique (release_id, public_key),
    constraint one_login_one_person unique (release_id, recorded_by)
);
comment on table frozen.certification is
'Xác nhận bản chốt số — one row per release × person who signed its root';
comment on column frozen.certification.release_id is 'Mã bản chốt — the release';
comment on column frozen.certification.signer_id is
'Mã người xác nhận, như trong bản kê của bản chốt — the signer, as the manifest lists them';
comment on column frozen.certification.signer_name is 'Họ tên, chức danh — name and office';
comment on column frozen.certification.public_key is 'Khóa công khai Ed25519 — their public key';
comment on column frozen.certification.root_sha256 is 'Mã gốc đã ký — the root that was signed';
comment on column frozen.certification.certified_at is
'Thời điểm ký (giờ UTC của máy người ký) — when, by the signer''s machine; part of what is signed';
comment on column frozen.certification.signature is 'Chữ ký Ed25519 — the signature';
comment on column frozen.certification.recorded_by is 'Tài khoản đã ghi — login that recorded it';
comment on column frozen.certification.recorded_at is
'Thời điểm ghi (giờ máy chủ) — when it was recorded, by the server''s clock';
alter table frozen.certification owner to chotso_owner;
grant select on frozen.certification
to chotso_loader, chotso_reader, chotso_auditor, chotso_certifier;
grant usage on schema frozen to chotso_certifier;
grant select on frozen.release to chotso_certifier;

-- Ed25519 after RFC 8032: numbers are numeric, points (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
create schema ed25519 authorization chotso_owner;
comment on schema ed25519 is 'Kiểm tra chữ ký Ed25519 — verification after RFC 8032';

create function ed25519.p() returns numeric
language sql immutable parallel safe
set search_path = pg_catalog
return 57896044618658097711785492504343953926634992332820282019728792003956564819949;

create function ed25519.number(octets bytea) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    found numeric := 0;
begin
    for place in reverse length(octets) - 1 .. 0 loop
        found := found * 256 + get_byte(octets, place);
    end loop;
    return found;
end
$$;
comment on function ed25519.number is
'Số từ các byte, byte thấp trước — number of octets, lowest first';

create function ed25519.power(base numeric, exponent numeric) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    prime constant numeric := ed25519.p();
    found numeric := 1;
    square numeric := mod(base, prime);
    rest numeric := exponent;
begin
    while rest > 0 loop
        if mod(rest, 2) = 1 then
            found := mod(found * square, prime);
        end if;
        square := mod(square * square, prime);
        rest := div(rest, 2);
    end loop;
    return found;
end
$$;
comment on function ed25519.power is 'Lũy thừa theo môđun p — power modulo p';

create function ed25519.plus(one numeric[], two numeric[]) returns numeric[]
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    prime constant numeric := ed25519.p();
    d constant numeric :=
        37095705934669439343138083508754565189542113879843219016388785533085940283555;
    a constant numeric := mod((one[2] - one[1]) * (two[2] - two[1]), prime);
    b constant numeric := mod((one[2] + one[1]) * (two[2] + two[1]), prime);
    c constant numeric := mod(mod(2 * one[4] * two[4], prime) * d, prime);
    e constant numeric := mod(2 * one[3] * two[3], prime);
begin
    return array[
        mod((b - a) * (e - c), prime),
        mod((e + c) * (b + a), prime),
        mod((e - c) * (e + c), prime),
        mod((b - a) * (b + a), prime)
    ];
end
$$;
comment on function ed25519.plus is 'Cộng hai điểm — sum of two points';

create function ed25519.times(factor numeric, point numeric[]) returns numeric[]
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    found numeric[] := array[0, 1, 1, 0];
    doubled numeric[] := point;
    rest numeric := factor;
begin
    while rest > 0 loop
        if mod(rest, 2) = 1 then
            found := ed25519.plus(found, doubled);
        end if;
        doubled := ed25519.plus(doubled, doubled);
        rest := div(rest, 2);
    end loop;
    return found;
end
$$;
comment on function ed25519.times is 'Nhân điểm với số — multiple of a point';

create function ed25519.point(octets bytea) returns numeric[]
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    prime constant numeric := ed25519.p();
    d constant numeric :=
        37095705934669439343138083508754565189542113879843219016388785533085940283555;
    half constant numeric := prime + 19;
    whole constant numeric := ed25519.number(octets);
    sign constant numeric := div(whole, half);
    y constant numeric := mod(whole, half);
    square numeric;
    x numeric;
begin
    if length(octets) <> 32 or y >= prime then
        return null;
    end if;
    square := mod(
        (y * y - 1 + prime) * ed25519.power(mod(d * y, prime) * y + 1, prime - 2), prime
    );
    x := ed25519.power(square, div(prime + 3, 8));
    if mod(x * x - square, prime) <> 0 then
        x := mod(x * ed25519.power(2, div(prime - 1, 4)), prime);
    end if;
    if mod(x * x - square, prime) <> 0 or (x = 0 and sign = 1) then
        return null;
    end if;
    if mod(x, 2) <> sign then
        x := prime - x;
    end if;
    return array[x, y, 1, mod(x * y, prime)];
end
$$;
comment on function ed25519.point is
'Điểm từ 32 byte; trống nếu không phải cách ghi duy nhất — the point of 32 octets, or null';

create function ed25519.is_signed(public_key bytea, message bytea, signature bytea) returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog
as $$
declare
    prime constant numeric := ed25519.p();
    ordinal constant numeric :=
        7237005577332262213973186563042994240857116359379907606001950938285454250989;
    base constant numeric[] := ed25519.point(decode('58' || repeat('66', 31), 'hex'));
    key constant numeric[] := ed25519.point(public_key);
    wanted constant numeric[] := ed25519.point(substr(signature, 1, 32));
    factor constant numeric := ed25519.number(substr(signature, 33, 32));
    challenge constant numeric := mod(
        ed25519.number(sha512(substr(signature, 1, 32) || public_key || message)), ordinal
    );
    small numeric[];
    found numeric[];
begin
    if key is null or wanted is null or length(signature) <> 64 or factor >= ordinal then
        return false;
    end if;
    small := ed25519.times(8, key);
    if mod(small[1], prime) = 0 then
        return false;
    end if;
    found := ed25519.plus(
        ed25519.times(factor, base),
        ed25519.times(challenge, array[prime - key[1], key[2], 1, prime - key[4]])
    );
    return mod(found[1] - wanted[1] * found[3], prime) = 0
        and mod(found[2] - wanted[2] * found[3], prime) = 0;
end
$$;
comment on function ed25519.is_signed is
'Chữ ký có đúng của khóa không — whether 64 octets are the key''s signature of a message';

create function frozen.certify(
    certified_release text, certified_root text, by_signer text, at_instant text, signed text
) returns frozen.certification
language plpgsql security definer
set search_path = pg_catalog, pg_temp
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

do $$
declare
    routine regprocedure;
begin
    for routine in select oid::regprocedure from pg_proc where pronamespace = 'ed25519'::regnamespace
    loop
        execute format('alter function %s owner to chotso_owner', routine);
    end loop;
end
$$;
grant usage on schema ed25519 to chotso_auditor;
