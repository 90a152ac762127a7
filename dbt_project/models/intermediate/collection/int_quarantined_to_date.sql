-- Đồng set aside that could change a figure to date, per agency × month × metric, each đồng once.
-- An account has a closing in every month, so only the largest since January counts: each month has
-- the growth of this largest closing.
with universe as (
    select
        agency_code,
        month,
        year_start_month
    from {{ ref('int_agency_months') }}
),

years as (
    select distinct year_start_month from universe
),

members as (
    select * from {{ ref('int_agency_members') }}
),

accounts as (
    select
        agencies.agency_code,
        accounts.group_code,
        accounts.closing_vnd,
        years.year_start_month,
        coalesce(accounts.employer_code, 'row ' || accounts.quarantine_id) as account_key,
        coalesce(accounts.month, years.year_start_month) as month
    from {{ ref('stg_quarantined_accounts') }} as accounts
    inner join years
        on
            accounts.month is null
            or date_trunc('year', accounts.month::timestamp)::date = years.year_start_month
    left join {{ ref('stg_agencies') }} as agencies
        on accounts.agency_code = agencies.agency_code
    where accounts.closing_vnd > 0
),

-- an agency that is unreadable or not in the register can be any agency
accounts_of_agencies as (
    select
        members.agency_code,
        accounts.account_key,
        accounts.group_code,
        accounts.year_start_month,
        accounts.month,
        max(accounts.closing_vnd) as closing_vnd
    from accounts
    inner join members
        on accounts.agency_code is null or accounts.agency_code = members.member_agency_code
    group by
        members.agency_code, accounts.account_key, accounts.group_code,
        accounts.year_start_month, accounts.month
),

largest as (
    select
        agency_code,
        account_key,
        group_code,
        year_start_month,
        month,
        max(closing_vnd) over so_far as largest_vnd
    from accounts_of_agencies
    window so_far as (
        partition by agency_code, account_key, group_code, year_start_month
        order by month
    )
),

growths as (
    select
        agency_code,
        group_code,
        month,
        largest_vnd - coalesce(
            lag(largest_vnd) over (
                partition by agency_code, account_key, group_code, year_start_month
                order by month
            ), 0
        ) as growth_vnd
    from largest
),

growths_of_months as (
    select
        agency_code,
        group_code,
        month,
        sum(growth_vnd) as growth_vnd
    from growths
    group by agency_code, group_code, month
),

arrears as (
    select
        universe.agency_code,
        universe.month,
        metrics.metric_code,
        sum(growths_of_months.growth_vnd) as quarantined_to_date
    from universe
    inner join growths_of_months
        on
            universe.agency_code = growths_of_months.agency_code
            and growths_of_months.month between universe.year_start_month and universe.month
    inner join {{ ref('int_metrics') }} as metrics
        on
            metrics.kind_code = 'ratio'
            and metrics.group_code in (growths_of_months.group_code, 'total')
    group by universe.agency_code, universe.month, metrics.metric_code
),

credits as (
    select
        universe.agency_code,
        universe.month,
        metrics.metric_code,
        sum(credits.set_aside_vnd) as quarantined_to_date
    from universe
    inner join {{ ref('int_quarantined_credits') }} as credits
        on
            credits.month is null
            or credits.month between universe.year_start_month and universe.month
    inner join {{ ref('int_metrics') }} as metrics on metrics.kind_code = 'flow'
    left join members
        on
            universe.agency_code = members.agency_code
            and credits.agency_code = members.member_agency_code
    where
        (credits.agency_code is null or members.agency_code is not null)
        and (
            credits.fund_code is null
            or exists (
                select 1 from {{ ref('int_metric_funds') }} as metric_funds
                where
                    metric_funds.metric_code = metrics.metric_code
                    and metric_funds.fund_code = credits.fund_code
            )
        )
    group by universe.agency_code, universe.month, metrics.metric_code
),

final as (
    select * from credits
    union all
    select * from arrears
)

select * from final
