-- Đồng set aside that could belong to a row of the universe, per agency × month × metric.
with universe as (
    select
        agency_code,
        month,
        is_province
    from {{ ref('int_agency_months') }}
),

members as (
    select * from {{ ref('int_agency_members') }}
),

line_items as (
    select
        lines.agency_code,
        lines.month,
        metrics.metric_code,
        sum(lines.set_aside_vnd) as set_aside_vnd
    from {{ ref('int_quarantined_lines') }} as lines
    inner join {{ ref('dim_metric') }} as metrics on metrics.kind_code = 'flow'
    where
        lines.fund_code is null
        or exists (
            select 1 from {{ ref('int_metric_funds') }} as metric_funds
            where
                metric_funds.metric_code = metrics.metric_code
                and metric_funds.fund_code = lines.fund_code
        )
    group by lines.agency_code, lines.month, metrics.metric_code
),

account_items as (
    select
        accounts.agency_code,
        accounts.month,
        metrics.metric_code,
        sum(greatest(accounts.closing_vnd, 0)) as set_aside_vnd
    from {{ ref('stg_quarantined_accounts') }} as accounts
    inner join {{ ref('dim_metric') }} as metrics
        on
            metrics.kind_code = 'ratio'
            and metrics.group_code in (accounts.group_code, 'total')
    group by accounts.agency_code, accounts.month, metrics.metric_code
),

items as (
    select
        agency_code,
        month,
        metric_code,
        set_aside_vnd
    from line_items
    union all
    select
        agency_code,
        month,
        metric_code,
        set_aside_vnd
    from account_items
),

judged as (
    select
        items.agency_code,
        items.month,
        items.metric_code,
        items.set_aside_vnd,
        agencies.agency_code is not null as is_registered
    from items
    left join {{ ref('stg_agencies') }} as agencies on items.agency_code = agencies.agency_code
),

final as (
    select
        universe.agency_code,
        universe.month,
        judged.metric_code,
        sum(judged.set_aside_vnd) as quarantined_money
    from universe
    inner join judged on judged.month is null or universe.month = judged.month
    left join members
        on
            universe.agency_code = members.agency_code
            and judged.agency_code = members.member_agency_code
    where
        judged.agency_code is null
        or members.agency_code is not null
        -- a code that the register does not know is no other agency's, but may be the province's
        or (not judged.is_registered and universe.is_province)
    group by universe.agency_code, universe.month, judged.metric_code
)

select * from final
