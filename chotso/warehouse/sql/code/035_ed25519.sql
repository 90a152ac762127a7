-- Ed25519 after RFC 8032: numbers are numeric, points (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
create or replace function ed25519.p() returns numeric
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return 57896044618658097711785492504343953926634992332820282019728792003956564819949;

create or replace function ed25519.number(octets bytea) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
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

create or replace function ed25519.power(base numeric, exponent numeric) returns numeric
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
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

create or replace function ed25519.plus(one numeric[], two numeric[]) returns numeric[]
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
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

create or replace function ed25519.times(factor numeric, point numeric[]) returns numeric[]
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
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

create or replace function ed25519.point(octets bytea) returns numeric[]
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
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

create or replace function ed25519.is_signed(public_key bytea, message bytea, signature bytea)
returns boolean
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
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
