-- The preconditions of a seal, as the warehouse finds them in its own tables.

create or replace function ops.built_figures(of_release text)
returns table (
    unclassified_count bigint, unexplained_vnd numeric, set_aside_vnd numeric, allowed_vnd numeric
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    begun ops."freeze";
    share numeric;
    collected numeric;
begin
    select * into strict begun from ops."freeze" as made where made.release_id = of_release;
    select (period -> 'limits' ->> 'quarantined_money_share_of_collection')::numeric into share
    from ops.build as build,
        jsonb_array_elements(build.config -> 'periods' -> 'periods') as period
    where build.target_schema = begun.target_schema and period ->> 'id' = begun.period_id
    order by build.build_id desc
    limit 1;
    execute format(
        'select count(*) filter (where category_code is null), '
        'coalesce(sum(paid_vnd - allocated_vnd - difference_vnd), 0) from %I.fct_reconciliation',
        begun.target_schema
    ) into unclassified_count, unexplained_vnd;
    -- both sums are to date: of each province, at the cutoff's month and at the end of each earlier
    -- year, because the release has those months, too
    execute format(
        'select coalesce(aside.at_stake_vnd, 0) as at_stake_vnd, fact.actual_to_date '
        'from %1$I.fct_monthly_attainment as fact '
        'left join ( '
        'select stake.agency_code, stake.month, sum(stake.at_stake_vnd) as at_stake_vnd '
        'from %1$I.int_money_at_stake as stake group by stake.agency_code, stake.month '
        ') as aside on fact.agency_code = aside.agency_code and fact.month = aside.month '
        'where fact.metric_code = ''collection_total'' and fact.month <= $1 '
        'and (fact.month = $1 or extract(month from fact.month) = 12) and exists ( '
        'select from %1$I.dim_agency as agency where agency.agency_key = fact.agency_key '
        'and agency.level_number = 1) '
        'order by coalesce(aside.at_stake_vnd, 0) > coalesce($2 * fact.actual_to_date, 0) desc, '
        'coalesce(aside.at_stake_vnd, 0) desc limit 1',
        begun.target_schema
    ) into set_aside_vnd, collected
    using date_trunc('month', begun.cutoff_at at time zone 'Asia/Ho_Chi_Minh')::date, share;
    set_aside_vnd := coalesce(set_aside_vnd, 0);
    allowed_vnd := coalesce(share * collected, 0);
    return next;
end
$$;
comment on function ops.built_figures is
'Số liệu của bản dựng mà điều kiện cần — what the preconditions need to know of the build';
alter function ops.built_figures owner to chotso_checker;
revoke execute on function ops.built_figures from public;
grant execute on function ops.built_figures to chotso_owner, chotso_loader, chotso_auditor;

create or replace function ops.uncounted_facts(of_release text)
returns table (fact_count bigint, money_vnd numeric, agencies text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    build_schema text;
begin
    select made.target_schema into strict build_schema
    from ops."freeze" as made where made.release_id = of_release;
    execute format(
        'select coalesce(sum(fact.fact_count), 0)::bigint, coalesce(sum(fact.money_vnd), 0), '
        'string_agg(distinct coalesce(fact.agency_code, ''no document''), '', '') '
        'from %I.int_uncounted_facts as fact',
        build_schema
    ) into fact_count, money_vnd, agencies;
    return next;
end
$$;
comment on function ops.uncounted_facts is
'Số liệu không thuộc tỉnh nào trong bản dựng — accepted facts that count at no province';
alter function ops.uncounted_facts owner to chotso_checker;
revoke execute on function ops.uncounted_facts from public;
grant execute on function ops.uncounted_facts to chotso_owner, chotso_loader, chotso_auditor;

create or replace function ops.freeze_stopped(of_release text)
returns table (feed text, named text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select stopped.feed, coalesce(stopped.delivery_name, stopped.feed)
    from ops.batch as stopped
    where stopped.final_of = of_release and stopped.status in ('blocked', 'refused')
        and not exists (
            select from ops.batch as later
            where later.feed = stopped.feed and later.status = 'published'
                and later.started_at > stopped.started_at
                and later.delivery_name is not distinct from stopped.delivery_name
        )
        and not (stopped.status = 'refused' and exists (
            select from ops.drop_entry as entry
            where entry.name = stopped.delivery_name
                and (entry.gone_at is not null or entry.kind = 'near_name')
        ))
        and not (stopped.status = 'refused' and exists (
            select from ops.operator_act as act
            where act.kind = 'waive_file' and act.subject ->> 'batch_id' = stopped.batch_id
        ))

    union all

    select entry.feed, entry.name
    from ops.drop_entry as entry
    where entry.kind = 'unreadable' and entry.gone_at is null
$$;
comment on function ops.freeze_stopped is
'Các tệp của lần đọc cuối bị dừng — what the final extract lacks because it was stopped';
alter function ops.freeze_stopped owner to chotso_owner;
revoke execute on function ops.freeze_stopped from public;
grant execute on function ops.freeze_stopped to chotso_loader, chotso_auditor;

-- Every feed of the warehouse was read at or after the cutoff.
create or replace function ops.feeds_behind(needed timestamptz, known timestamptz)
returns table (named text, counted bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select string_agg(feed.relname, ', ' order by feed.relname), count(*)
    from pg_class as feed
    where feed.relnamespace = 'raw'::regnamespace and feed.relkind = 'r'
        and not exists (
            select from ops.batch as batch
            where batch.feed = feed.relname and batch.status = 'published'
                and batch.read_mode <> 'replay'
                and batch.known_at between needed and known
        )
$$;
comment on function ops.feeds_behind is
'Nguồn chưa được đọc sau giờ chốt — feeds that were not read between two instants';
alter function ops.feeds_behind owner to chotso_owner;
revoke execute on function ops.feeds_behind from public;
grant execute on function ops.feeds_behind to chotso_loader, chotso_auditor;

-- The newest comparison of each month with the source's control total.
create or replace function ops.months_different(known timestamptz)
returns table (named text, counted bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        string_agg(
            differing.feed || ' ' || to_char(differing.month, 'YYYY-MM'), ', '
            order by differing.feed, differing.month
        ),
        count(*)
    from (
        select distinct on (total.feed, total.month) total.feed, total.month, total.status
        from ops.control_total as total
        where total.known_at <= known
        order by total.feed asc, total.month asc, total.entry desc
    ) as differing
    where differing.status = 'different'
$$;
comment on function ops.months_different is
'Tháng lệch số kiểm soát — months that differ from the source''s control totals, as known';
alter function ops.months_different owner to chotso_owner;
revoke execute on function ops.months_different from public;
grant execute on function ops.months_different to chotso_loader, chotso_auditor;

-- Register rows that a full read lacked; only a recorded act proves that they have ended.
create or replace function ops.rows_missing(known timestamptz)
returns table (named text, counted bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select
        string_agg(absent.row_name, ', ' order by absent.row_name)
            filter (where absent.place <= 5)
        || case when count(*) > 5 then ' and ' || count(*) - 5 || ' more' else '' end,
        count(*)
    from (
        select
            missing.feed || ' ' || missing.row_key as row_name,
            row_number() over (order by missing.feed || ' ' || missing.row_key) as place
        from ops.missing_row as missing
        where missing.missing_since <= known
            and (missing.ended_at is null or missing.ended_at > known)
    ) as absent
$$;
comment on function ops.rows_missing is
'Dòng danh mục thiếu ở lần đọc toàn bộ — register rows that a full read lacked, as known';
alter function ops.rows_missing owner to chotso_owner;
revoke execute on function ops.rows_missing from public;
grant execute on function ops.rows_missing to chotso_loader, chotso_auditor;

create or replace function ops.freeze_ledger_checks(of_release text)
returns table (check_code text, is_met boolean, observed text, wanted text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    begun ops."freeze";
    needed timestamptz;
begin
    select * into strict begun from ops."freeze" as made where made.release_id = of_release;
    needed := case when begun.is_rehearsal then begun.as_known_at else begun.cutoff_at end;

    return query
    select
        'feeds_extracted', counted = 0, coalesce('behind: ' || named, 'all feeds'), 'all feeds'
    from ops.feeds_behind(needed, begun.as_known_at);

    return query
    select
        'control_totals_equal', counted = 0,
        coalesce('different: ' || named, '0 months differ'), '0 months differ'
    from ops.months_different(begun.as_known_at);

    return query
    select
        'no_register_row_missing', counted = 0,
        coalesce('missing: ' || named, '0 rows missing'), '0 rows missing'
    from ops.rows_missing(begun.as_known_at);

    -- a delivery of the final extract that was stopped or is unreadable, and did not come again
    -- complete. A refused file is ignored if it was removed, if its name is not that of a delivery,
    -- or if a person declared that it is no delivery
    return query
    select
        'no_blocking_rule_failed', count(*) = 0,
        coalesce(
            'stopped: ' || string_agg(stopped.named, ', ' order by stopped.feed, stopped.named),
            '0 deliveries stopped'
        ),
        '0 deliveries stopped'
    from ops.freeze_stopped(of_release) as stopped;
end
$$;
comment on function ops.freeze_ledger_checks is
'Các điều kiện niêm phong theo sổ vận hành — the preconditions that the run ledger answers';
alter function ops.freeze_ledger_checks owner to chotso_owner;
revoke execute on function ops.freeze_ledger_checks from public;
grant execute on function ops.freeze_ledger_checks to chotso_loader, chotso_auditor;

create or replace function ops.freeze_build_checks(of_release text)
returns table (check_code text, is_met boolean, observed text, wanted text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    counted bigint;
    unexplained numeric;
    set_aside numeric;
    allowed numeric;
    uncounted bigint;
    uncounted_vnd numeric;
    outside text;
begin
    select build.unclassified_count, build.unexplained_vnd, build.set_aside_vnd, build.allowed_vnd
    into counted, unexplained, set_aside, allowed
    from ops.built_figures(of_release) as build;
    select build.fact_count, build.money_vnd, build.agencies
    into uncounted, uncounted_vnd, outside
    from ops.uncounted_facts(of_release) as build;
    -- code that ran there must not change which functions are found below
    if pg_catalog.current_setting('search_path') operator(pg_catalog.<>) 'pg_catalog, pg_temp' then
        raise exception 'the build of % changed the session that read it', of_release;
    end if;

    -- every account and payment has a category, and the categories add up to all đồng
    check_code := 'reconciliation_classified';
    is_met := counted = 0 and unexplained = 0;
    observed := counted || ' rows without a category, ' || abs(unexplained) || ' đồng unexplained';
    wanted := '0 rows without a category, 0 đồng unexplained';
    return next;

    -- all accepted rows count at a province
    check_code := 'everything_counts';
    is_met := uncounted = 0;
    observed := uncounted || ' facts of ' || uncounted_vnd || ' đồng count at no province'
        || coalesce(': ' || outside, '');
    wanted := '0 facts count at no province';
    return next;

    -- per province: money set aside that could change a figure, as a share of the collection
    check_code := 'quarantined_money_below_limit';
    is_met := set_aside <= allowed;
    observed := set_aside || ' đồng';
    wanted := 'at most ' || trunc(allowed) || ' đồng';
    return next;
end
$$;
comment on function ops.freeze_build_checks is
'Các điều kiện niêm phong theo bản dựng — the preconditions that the build answers';
alter function ops.freeze_build_checks owner to chotso_owner;
revoke execute on function ops.freeze_build_checks from public;
grant execute on function ops.freeze_build_checks to chotso_loader, chotso_auditor;

-- The ledger is read first: reading the build may run code that the loader made.
create or replace function ops.freeze_checks(of_release text)
returns table (check_code text, is_met boolean, observed text, wanted text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
    build_schema text;
begin
    select made.target_schema into build_schema
    from ops."freeze" as made where made.release_id = of_release;
    if not found then
        raise exception 'No freeze of % was begun.', of_release
        using hint = 'Releases that were begun are the release_id of ops."freeze".';
    end if;
    if to_regnamespace(build_schema) is null then
        raise exception 'The build of % is not there, which its checks look at.', of_release
        using hint = 'A sealed release has its checks in data/checks.csv; run `chotso freeze` '
            'again for one that is not sealed.';
    end if;
    return query select * from ops.freeze_ledger_checks(of_release);
    return query select * from ops.freeze_build_checks(of_release);
end
$$;
comment on function ops.freeze_checks is
'Các điều kiện niêm phong của một bản chốt — the preconditions of a seal, met or not';
alter function ops.freeze_checks owner to chotso_owner;
revoke execute on function ops.freeze_checks from public;
grant execute on function ops.freeze_checks to chotso_loader, chotso_auditor;

create or replace function ops.freeze_unmet(of_release text) returns text
language sql stable
set search_path = pg_catalog
as $$
    select string_agg(checked.check_code, ', ')
    from ops.freeze_checks(of_release) as checked
    inner join ops."freeze" as made on made.release_id = of_release
    where not checked.is_met and not exists (
        select from ops.freeze_override as override
        where override.release_id = of_release and override.check_code = checked.check_code
            and override.as_known_at = made.as_known_at
    )
$$;
comment on function ops.freeze_unmet is
'Điều kiện chưa đạt và không được cho qua — checks that are neither met nor overridden';
alter function ops.freeze_unmet owner to chotso_owner;
revoke execute on function ops.freeze_unmet from public;
grant execute on function ops.freeze_unmet to chotso_loader, chotso_auditor;
