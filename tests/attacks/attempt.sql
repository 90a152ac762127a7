-- Tries statements as whoever calls it, and undoes them; says what became of them.
create schema attack;
grant usage on schema attack to public;

create function attack.state() returns text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    guarded constant name[] := array[
        'frozen', 'rehearsal', 'sealing', 'guard', 'ed25519', 'ops', 'raw'
    ];
    relation record;
    rows text;
    found text := '';
begin
    for relation in
        select class.oid::regclass as name
        from pg_class as class
        inner join pg_namespace as schema on schema.oid = class.relnamespace
        where class.relkind = 'r' and (
            schema.nspname in ('frozen', 'rehearsal', 'sealing')
            or class.oid = to_regclass('ops.freeze_override')
        )
        order by schema.nspname, class.relname
    loop
        execute format(
            'select md5(string_agg(row::text, chr(10) order by row::text)) from %s as row',
            relation.name
        ) into rows;
        found := found || relation.name || coalesce(rows, '');
    end loop;
    return md5(found || concat_ws('|',
        (select string_agg(concat_ws(',', relname, relnamespace, relowner,
            coalesce(relacl, acldefault('r', relowner)), relkind,
            relrowsecurity, relforcerowsecurity, relhasrules, reloptions, relpersistence,
            relreplident), ';' order by nspname, relname)
        from pg_class as c inner join pg_namespace as n on n.oid = relnamespace
        where nspname = any(guarded)),
        (select string_agg(concat_ws(',', relname, attnum, attname, atttypid, attacl, attnotnull,
            atthasdef, attisdropped), ';' order by nspname, relname, attnum)
        from pg_attribute inner join pg_class as c on c.oid = attrelid
        inner join pg_namespace as n on n.oid = relnamespace where nspname = any(guarded)),
        (select string_agg(concat_ws(',', oid, tgname, tgenabled, tgfoid), ';' order by oid)
        from pg_trigger where not tgisinternal
            and not exists (select from pg_class where oid = tgrelid
                and relnamespace = 'marts_store'::regnamespace)),
        (select string_agg(concat_ws(',', oid, ev_class, ev_enabled, md5(ev_action::text)), ';'
            order by oid) from pg_rewrite where ev_class >= 16384 and ev_class in (
            select c.oid from pg_class as c inner join pg_namespace as n on n.oid = relnamespace
            where nspname = any(guarded))),
        (select string_agg(concat_ws(',', oid, polrelid, polcmd, polroles, polqual::text), ';'
            order by oid) from pg_policy where not exists (select from pg_class
                where oid = polrelid and relnamespace = 'marts_store'::regnamespace)),
        (select string_agg(concat_ws(',', oid, conname, conrelid), ';' order by oid)
        from pg_constraint where conrelid in (
            select c.oid from pg_class as c inner join pg_namespace as n on n.oid = relnamespace
            where nspname = any(guarded))),
        (select string_agg(inhparent::text, ';') from pg_inherits where inhparent in (
            select c.oid from pg_class as c inner join pg_namespace as n on n.oid = relnamespace
            where nspname = any(guarded) and relkind = 'r')),
        (select count(*) from pg_publication_rel), (select count(*) from pg_publication_namespace),
        (select string_agg(concat_ws(',', p.oid, proname, pronamespace, proowner, prosecdef,
            coalesce(proacl, acldefault('f', proowner)),
            proconfig, md5(prosrc)), ';' order by p.oid)
        from pg_proc as p inner join pg_namespace as n on n.oid = pronamespace
        inner join pg_roles as r on r.oid = proowner
        where nspname = any(guarded) or rolname in ('chotso_owner', 'chotso_checker')
            or nspname = 'pg_catalog' and proname ~ 'advisory'),
        (select string_agg(concat_ws(',', oid, nspname, nspowner,
            coalesce(nspacl, acldefault('n', nspowner))), ';' order by oid)
        from pg_namespace where nspname = any(guarded)),
        (select string_agg(concat_ws(',', evtname, evtenabled, evtowner, evtfoid), ';'
            order by evtname) from pg_event_trigger),
        (select string_agg(concat_ws(',', roleid, member, admin_option), ';'
            order by roleid, member) from pg_auth_members),
        (select string_agg(concat_ws(',', rolname, rolsuper, rolcanlogin, rolcreaterole), ';'
            order by rolname) from pg_roles),
        (select string_agg(concat_ws(',', objoid, objsubid, description), ';'
            order by objoid, objsubid) from pg_description where objoid >= 16384 and (
            objoid in (select oid from pg_namespace where nspname = any(guarded))
            or objoid in (select oid from pg_class where relnamespace in (
                select oid from pg_namespace where nspname = any(guarded)))
            or objoid in (select oid from pg_proc where pronamespace in (
                select oid from pg_namespace where nspname = any(guarded))))),
        (select string_agg(concat_ws(',', oid, defaclacl), ';' order by oid) from pg_default_acl
        where defaclnamespace = any(
            select oid from pg_namespace where nspname = any(guarded)
        )),
        (select string_agg(concat_ws(',', t.oid), ';' order by t.oid)
        from pg_type as t inner join pg_namespace as n on n.oid = typnamespace
        where nspname = any(guarded)),
        (select string_agg(concat_ws(',', o.oid), ';' order by o.oid)
        from pg_operator as o inner join pg_namespace as n on n.oid = oprnamespace
        where nspname = any(guarded || name 'pg_catalog') and o.oid >= 16384),
        (select string_agg(concat_ws(',', oid, castfunc), ';' order by oid)
        from pg_cast where oid >= 16384 and castsource < 16384 and casttarget < 16384)
    ));
end
$$;

-- 'done': it was let, and nothing of what is guarded is other than before. 'CHANGES': it is.
create function attack.attempt(statements text[], before text) returns text
language plpgsql
as $$
declare
    statement text;
    code text;
    mark text;
begin
    begin
        foreach statement in array statements loop
            execute statement;
        end loop;
        if pg_catalog.pg_current_xact_id_if_assigned() is not null
            and attack.state() operator(pg_catalog.<>) before
        then
            raise exception using errcode = 'AT002';
        end if;
        raise exception using errcode = 'AT001';
    exception
        when sqlstate 'AT001' then
            return 'done';
        when sqlstate 'AT002' then
            return 'CHANGES';
        when others then
            get stacked diagnostics code = returned_sqlstate, mark = constraint_name;
            return case
                when code = '42501' and mark = 'sealed' then 'sealed'
                when code = '42501' then 'denied'
                else 'fails'
            end;
    end;
end
$$;
