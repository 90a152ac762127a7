-- Compares the figures inserted for a seal with `raw`; each function returns the first difference.
set local check_function_bodies = off;

create or replace function sealing.other_collection(known timestamptz, cutoff timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with collected as materialized (select * from sealing.collected(known, cutoff)),

    expected as (
        select
            laid.agency_code, laid.month, laid.metric_code, laid.actual_month, laid.actual_to_date,
            coalesce(sum(collected.collected_vnd) filter (where collected.month = laid.month), 0)
                as of_month,
            coalesce(sum(collected.collected_vnd), 0) as to_date
        from sealing.attainment as laid
        left join collected
            on collected.agency_code = laid.agency_code
            and collected.metric_code = laid.metric_code
            and collected.month between date_trunc('year', laid.month)::date and laid.month
        where laid.kind_code = 'flow'
        group by 1, 2, 3, 4, 5
    )

    select format(
        '%s of %s, %s: %s and %s to date, by what was published %s and %s', metric_code,
        agency_code, to_char(month, 'YYYY-MM'), actual_month, actual_to_date, of_month, to_date
    )
    from expected
    where actual_month is distinct from of_month or actual_to_date is distinct from to_date
    order by month desc, agency_code, metric_code
    limit 1
$$;
comment on function sealing.other_collection is
'Số thu khác với dữ liệu gốc — a collection that does not follow from raw; null: none';

create or replace function sealing.other_arrears(known timestamptz, cutoff timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with owed as materialized (select * from sealing.owed(known, cutoff)),

    expected as (
        select
            laid.agency_code, laid.month, laid.group_code, laid.variant_code, laid.numerator,
            laid.denominator, laid.ratio, owed.smallest, owed.largest,
            laid.variant_code like '%~_receivable' escape '~' as is_by_receivable,
            case when owed.agency_code is not null then (
                select sum(before.receivable) from owed as before
                where before.agency_code = laid.agency_code and before.group_code = laid.group_code
                    and not before.is_interest_bearing
                    and before.month between date_trunc('year', laid.month)::date and laid.month
            ) end as receivable
        from sealing.arrears_ratio as laid
        left join owed
            on owed.agency_code = laid.agency_code and owed.month = laid.month
            and owed.group_code = laid.group_code
            and owed.is_interest_bearing = (laid.variant_code like 'interest~_%' escape '~')
    )

    select format(
        'arrears %s (%s) of %s, %s: %s of %s, by what was published %s of %s', group_code,
        variant_code, agency_code, to_char(month, 'YYYY-MM'), numerator, denominator,
        smallest, receivable
    )
    from expected
    where coalesce(numerator not between smallest and largest, numerator is not null)
        or numerator is null and smallest is not null
        or is_by_receivable and denominator is distinct from receivable
        or ratio is distinct from sealing.exact_ratio(numerator, denominator)
    order by month desc, agency_code, group_code
    limit 1
$$;
comment on function sealing.other_arrears is
'Nợ khác với dữ liệu gốc — arrears that do not follow from raw; null: none';

-- Single employers' accounts: amounts are within the limits of a correction to the cutoff, and no
-- employer of a month is missing.
create or replace function sealing.other_account(known timestamptz, cutoff timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with stated as materialized (
        select
            account.madvi as employer_code, account.thang as month,
            account.ma_co_quan as agency_code, account.stated_at,
            account.sothang as months_owed_count,
            coalesce(account.ck_lai, 0)::numeric as interest_closing_vnd
        from raw.c12 as account
        where account.known_from <= known
            and (account.known_to is null or account.known_to > known)
            and account.thang in (
                select month from sealing.attainment union select month from sealing.employer_arrears
            )
    ),

    bounds as materialized (
        select
            employer_code, month,
            max(greatest(closing + taken, 0)) filter (where group_code = 'si') as least_si,
            max(greatest(closing + given, 0)) filter (where group_code = 'si') as most_si,
            max(greatest(closing + taken, 0)) filter (where group_code = 'ui') as least_ui,
            max(greatest(closing + given, 0)) filter (where group_code = 'ui') as most_ui,
            max(greatest(closing + taken, 0)) filter (where group_code = 'hi') as least_hi,
            max(greatest(closing + given, 0)) filter (where group_code = 'hi') as most_hi,
            sum(greatest(closing + taken - payable, 0)) as least_bearing,
            sum(greatest(closing + given - payable, 0)) as most_bearing,
            sum(greatest(-closing - given, 0)) as least_surplus,
            sum(greatest(-closing - taken, 0)) as most_surplus
        from sealing.accounts(known, cutoff)
        group by employer_code, month
    )

    select format(
        'the account of %s in %s: it is %s', coalesce(laid.employer_code, stated.employer_code),
        to_char(coalesce(laid.month, stated.month), 'YYYY-MM'),
        case
            when laid.employer_code is null then 'left out'
            when stated.employer_code is null then 'of nothing that was published'
            else 'not the one that was published'
        end
    )
    from sealing.employer_arrears as laid
    full join stated
        on stated.employer_code = laid.employer_code and stated.month = laid.month
    left join bounds
        on bounds.employer_code = stated.employer_code and bounds.month = stated.month
    where (
        laid.agency_code = stated.agency_code
        and laid.stated_at = stated.stated_at
        and laid.months_owed_count is not distinct from round(stated.months_owed_count, 9)
        and laid.interest_closing_vnd = stated.interest_closing_vnd
        and laid.arrears_si_vnd between bounds.least_si and bounds.most_si
        and laid.arrears_ui_vnd between bounds.least_ui and bounds.most_ui
        and laid.arrears_hi_vnd between bounds.least_hi and bounds.most_hi
        and laid.arrears_vnd = laid.arrears_si_vnd + laid.arrears_ui_vnd + laid.arrears_hi_vnd
        and laid.interest_bearing_arrears_vnd between bounds.least_bearing and bounds.most_bearing
        and laid.surplus_vnd between bounds.least_surplus and bounds.most_surplus
    ) is not true
    order by coalesce(laid.month, stated.month) desc,
        coalesce(laid.employer_code, stated.employer_code)
    limit 1
$$;
comment on function sealing.other_account is
'Sổ của đơn vị khác với dữ liệu gốc — an account that does not follow from raw; null: none';

create or replace function sealing.other_plan(known timestamptz, cutoff timestamptz)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select format(
        'the plan of %s of %s, %s: %s (first %s, last %s, %s), by what was published %s (%s, %s)',
        laid.metric_code, laid.agency_code, to_char(laid.month, 'YYYY-MM'), laid.plan_in_force,
        laid.plan_original, laid.plan_final, laid.plan_status_code, plan.in_force, plan.original,
        plan.final
    )
    from sealing.attainment as laid
    cross join lateral sealing.plans_of(
        known, cutoff, laid.agency_code, laid.month, laid.metric_code
    ) as plan
    where (laid.plan_original, laid.plan_in_force, laid.plan_final, laid.plan_status_code)
        is distinct from (
            plan.original, plan.in_force, plan.final,
            case
                when plan.original is null then 'none'
                when plan.in_force is null then 'not_yet'
                when plan.in_force = 0 then 'zero'
                else 'in_force'
            end
        )
    order by laid.month desc, laid.agency_code, laid.metric_code
    limit 1
$$;
comment on function sealing.other_plan is
'Kế hoạch khác với dữ liệu gốc — a plan that does not follow from raw; null: none';

-- Whether a target is met is computed from the figures; for a ratio, from the official variant.
create or replace function sealing.other_verdict() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with metrics as (
        select
            metric ->> 'code' as code, metric ->> 'kind' as kind,
            metric ->> 'direction' = 'below' as is_below, metric ->> 'group' as group_code
        from ops.configuration, jsonb_array_elements(content -> 'metrics') as metric
        where name = 'metrics'
    ),

    -- the official variant comes from the configuration, not from the build
    official as (
        select laid.*
        from sealing.arrears_ratio as laid
        where laid.variant_code = (
            select entry ->> 'value'
            from ops.configuration,
                jsonb_array_elements(content -> 'official_arrears_variant') as entry
            where name = 'measures' and ((entry ->> 'from') || '-01')::date <= laid.month
            order by entry ->> 'from' desc
            limit 1
        )
    ),

    judged as (
        select
            laid.*, metrics.kind, metrics.is_below,
            metrics.kind = 'ratio' and (
                (laid.numerator, laid.denominator, laid.actual_to_date) is distinct from
                (official.numerator, official.denominator, official.ratio)
            ) as is_unofficial,
            case
                when metrics.kind <> 'ratio' then
                    case when metrics.is_below then laid.actual_to_date < laid.plan_in_force
                        else laid.actual_to_date >= laid.plan_in_force end
                when laid.denominator > 0 then
                    laid.numerator < laid.plan_in_force * laid.denominator
                when laid.denominator < 0 then
                    laid.numerator > laid.plan_in_force * laid.denominator
            end as is_so
        from sealing.attainment as laid
        left join metrics on metrics.code = laid.metric_code
        left join official
            on metrics.kind = 'ratio' and official.is_official
            and official.agency_code = laid.agency_code and official.month = laid.month
            and official.group_code = metrics.group_code
    )

    select format(
        '%s of %s, %s: its kind, ratio or verdict is not that of its figures', metric_code,
        agency_code, to_char(month, 'YYYY-MM')
    )
    from judged
    where kind_code is distinct from kind or is_unofficial
        or is_met is distinct from case
            when kind = 'ratio' and not is_below then not is_so else is_so
        end
        or attainment_ratio is distinct from case
            when kind = 'ratio'
                then sealing.exact_ratio(numerator, denominator * plan_in_force)
            else sealing.exact_ratio(actual_to_date, plan_in_force)
        end
    order by month desc, agency_code, metric_code
    limit 1
$$;
comment on function sealing.other_verdict is
'Kết luận không theo số liệu — a verdict that does not follow from its figures; null: none';

create or replace function sealing.other_agency(known timestamptz) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    with shown as (select agency_code, month, metric_code from sealing.attainment),

    registered as (
        select ma_co_quan as code, hieu_luc_tu as since, hieu_luc_den as until
        from raw.agencies
        where known_from <= known and (known_to is null or known_to > known)
    ),

    -- all registered metrics, so that a metric without any row is found missing, too
    metrics as (
        select metric ->> 'code' as metric_code
        from ops.configuration, jsonb_array_elements(content -> 'metrics') as metric
        where name = 'metrics'
        union
        select metric_code from shown
    ),

    in_force as (
        select registered.code as agency_code, months.month, metrics.metric_code
        from registered
        inner join (select distinct month from shown) as months
            on (registered.since is null
                or (months.month + interval '1 month' - interval '1 day')::date >= registered.since)
            and (registered.until is null or months.month <= registered.until)
        cross join metrics
    )

    select format(
        '%s in %s is %s', coalesce(shown.agency_code, in_force.agency_code),
        to_char(coalesce(shown.month, in_force.month), 'YYYY-MM'),
        case
            when shown.agency_code is null then 'left out of ' || in_force.metric_code
            else 'no agency in force'
        end
    )
    from shown
    full join in_force
        on in_force.agency_code = shown.agency_code and in_force.month = shown.month
        and in_force.metric_code = shown.metric_code
    where shown.agency_code is null or in_force.agency_code is null
    order by 1
    limit 1
$$;
comment on function sealing.other_agency is
'Cơ quan thừa hoặc thiếu — an agency not in force, or left out of a metric; null: none';
set local check_function_bodies = on;
