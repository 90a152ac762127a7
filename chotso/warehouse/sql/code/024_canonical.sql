-- The forms of SPEC.md in SQL: canonical JSON, records of a file, Merkle roots.

create or replace function sealing.canonical_json(content jsonb, depth integer default 1)
returns text
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    shown text;
begin
    if jsonb_typeof(content) not in ('object', 'array') then
        return content::text;
    end if;
    if depth > 64 then
        raise exception 'more than 64 arrays and objects stand within one another';
    end if;
    if jsonb_typeof(content) = 'array' then
        select string_agg(
            case
                when jsonb_typeof(item) in ('object', 'array')
                    then sealing.canonical_json(item, depth + 1)
                else item::text
            end, ',' order by place
        ) into shown
        from jsonb_array_elements(content) with ordinality as listed (item, place);
        return '[' || coalesce(shown, '') || ']';
    end if;
    select string_agg(
        to_json(key)::text || ':' || case
            when jsonb_typeof(value) in ('object', 'array')
                then sealing.canonical_json(value, depth + 1)
            else value::text
        end, ',' order by key collate "C"
    ) into shown
    from jsonb_each(content);
    return '{' || coalesce(shown, '') || '}';
end
$$;
comment on function sealing.canonical_json is
'JSON ở dạng chuẩn, không có dòng cuối — the canonical form of JSON, without its newline';

create or replace function sealing.is_canonical(octets bytea) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        octets = convert_to(sealing.canonical_json(convert_from(octets, 'UTF8')::jsonb), 'UTF8')
        || '\x0a'::bytea
        and convert_from(octets, 'UTF8') is nfc normalized
        and not exists (
            select from jsonb_path_query(
                convert_from(octets, 'UTF8')::jsonb, 'strict $.** ? (@.type() == "number")'
            ) as number
            where scale(number::numeric) > 0 or abs(number::numeric) > 9007199254740991
        )
$$;
comment on function sealing.is_canonical is
'Tệp JSON có ở dạng chuẩn không — whether bytes are canonical JSON';

-- The encoding `escape` keeps newlines, so that each line between them can be decoded by itself.
create or replace function sealing.leaf_hashes(octets bytea) returns bytea[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(
        sha256('\x00'::bytea || decode(line, 'escape') || case
            when place < line_count then '\x0a'::bytea else ''::bytea
        end) order by place
    ), '{}')
    from (
        select line, place, count(*) over () as line_count
        from string_to_table(encode(octets, 'escape'), E'\n') with ordinality as cut (line, place)
    ) as lines
    where place < line_count or line <> ''
$$;
comment on function sealing.leaf_hashes is
'Mã băm từng dòng của tệp — leaf hashes of the lines of a file, in order';

create or replace function sealing.merkle_root(leaves bytea[]) returns bytea
language plpgsql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
    level bytea[] := leaves;
begin
    if cardinality(level) = 0 then
        return sha256('');
    end if;
    while cardinality(level) > 1 loop
        select array_agg(
            case when right_one is null then left_one
                else sha256('\x01'::bytea || left_one || right_one) end
            order by place
        ) into level
        from (
            select node as left_one, lead(node) over (order by place) as right_one, place
            from unnest(level) with ordinality as nodes (node, place)
        ) as pairs
        where place % 2 = 1;
    end loop;
    return level[1];
end
$$;
comment on function sealing.merkle_root is
'Gốc cây Merkle — the Merkle root over leaf hashes';

-- A record ends at a newline after an even number of quotes. The first record is the header.
create or replace function sealing.record_count(octets bytea) returns bigint
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select greatest(coalesce(sum(length(piece) - length(replace(piece, E'\n', ''))), 0) - 1, 0)
    from string_to_table(encode(octets, 'escape'), '"') with ordinality as cut (piece, place)
    where place % 2 = 1
$$;
comment on function sealing.record_count is
'Số bản ghi của tệp CSV, không kể dòng đầu — records of a CSV file, without its header';

create or replace function sealing.instant_text(instant timestamptz) returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
    select to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
comment on function sealing.instant_text is 'Thời điểm như trong bản chốt — an instant as written';
