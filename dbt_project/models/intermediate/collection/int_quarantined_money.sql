-- Đồng set aside that could belong to a row of the universe, per agency × month × metric.
with universe as (
    select
        agency_code,
        month
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
    inner join {{ ref('int_metrics') }} as metrics on metrics.kind_code = 'flow'
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
        agencies.agency_code,
        accounts.month,
        metrics.metric_code,
        sum(greatest(accounts.closing_vnd, 0)) as set_aside_vnd
    from {{ ref('stg_quarantined_accounts') }} as accounts
    inner join {{ ref('int_metrics') }} as metrics
        on
            metrics.kind_code = 'ratio'
            and metrics.group_code in (accounts.group_code, 'total')
    left join {{ ref('stg_agencies') }} as agencies
        on accounts.agency_code = agencies.agency_code
    group by agencies.agency_code, accounts.month, metrics.metric_code
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

final as (
    select
        universe.agency_code,
        universe.month,
        items.metric_code,
        sum(items.set_aside_vnd) as quarantined_money
    from universe
    inner join items on items.month is null or universe.month = items.month
    left join members
        on
            universe.agency_code = members.agency_code
            and items.agency_code = members.member_agency_code
    -- an agency that is unreadable or not in the register can be any agency
    where items.agency_code is null or members.agency_code is not null
    group by universe.agency_code, universe.month, items.metric_code
)

select * from final
