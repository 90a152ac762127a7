-- Per month and group, the reconciliation's categories add up to the accounts' allocations and to
-- the lines' payments: no đồng is there twice or missing.
with accounts as (
    select
        month,
        group_code,
        sum(allocated_vnd) as allocated_vnd
    from {{ ref('stg_accounts') }}
    group by month, group_code
),

lines as (
    select
        contributions.credited_month as month,
        coalesce(funds.group_code, 'voluntary') as group_code,
        sum(contributions.principal_vnd) as paid_vnd
    from {{ ref('fct_contribution') }} as contributions
    inner join {{ ref('dim_fund') }} as funds on contributions.fund_code = funds.fund_code
    group by contributions.credited_month, coalesce(funds.group_code, 'voluntary')
),

by_category as (
    select
        month,
        group_code,
        category_code,
        sum(allocated_vnd) as allocated_vnd,
        sum(paid_vnd) as paid_vnd,
        sum(difference_vnd) as difference_vnd
    from {{ ref('fct_reconciliation') }}
    group by month, group_code, category_code
),

over_categories as (
    select
        month,
        group_code,
        sum(allocated_vnd) as allocated_vnd,
        sum(paid_vnd) as paid_vnd,
        sum(difference_vnd) as difference_vnd
    from by_category
    group by month, group_code
)

select
    coalesce(over_categories.month, accounts.month, lines.month) as month,
    coalesce(over_categories.group_code, accounts.group_code, lines.group_code) as group_code
from over_categories
full join accounts
    on
        over_categories.month = accounts.month
        and over_categories.group_code = accounts.group_code
full join lines
    on
        coalesce(over_categories.month, accounts.month) = lines.month
        and coalesce(over_categories.group_code, accounts.group_code) = lines.group_code
where
    coalesce(over_categories.allocated_vnd, 0) <> coalesce(accounts.allocated_vnd, 0)
    or coalesce(over_categories.paid_vnd, 0) <> coalesce(lines.paid_vnd, 0)
    or coalesce(over_categories.difference_vnd, 0)
    <> coalesce(lines.paid_vnd, 0) - coalesce(accounts.allocated_vnd, 0)
