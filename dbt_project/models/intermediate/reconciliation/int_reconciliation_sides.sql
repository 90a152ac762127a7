-- Both sides of the reconciliation: the allocations in the C12 sheets, and the payments, per
-- employer × month × fund group. Voluntary insurance is in no account.
with accounts as (
    select
        employer_code,
        month,
        group_code,
        agency_code,
        allocated_vnd,
        adjusted_up_vnd - adjusted_down_vnd as net_adjustment_vnd,
        added_back_vnd
    from {{ ref('int_employer_accounts') }}
),

payments as (
    select
        lines.employer_code,
        lines.credited_month as month,
        coalesce(funds.group_code, 'voluntary') as group_code,
        -- a month's documents may belong to several agencies; always choose the same one
        min(lines.agency_code collate "C") collate "default" as agency_code,
        sum(lines.principal_vnd)::numeric as paid_vnd,
        count(*) as line_count,
        coalesce(sum(lines.principal_vnd) filter (
            where funds.group_code is not null and lines.recorded_at > statements.newest_stated_at
        ), 0)::numeric as recorded_after_statement_vnd
    from {{ ref('int_contributions') }} as lines
    inner join {{ ref('int_funds') }} as funds on lines.fund_code = funds.fund_code
    left join {{ ref('int_account_statements') }} as statements
        on
            lines.employer_code = statements.employer_code
            and lines.credited_month = statements.month
    group by
        lines.employer_code, lines.credited_month, coalesce(funds.group_code, 'voluntary')
),

final as (
    select
        coalesce(accounts.employer_code, payments.employer_code) as employer_code,
        coalesce(accounts.month, payments.month) as month,
        coalesce(accounts.group_code, payments.group_code) as group_code,
        coalesce(accounts.agency_code, payments.agency_code) as agency_code,
        accounts.employer_code is not null as is_account_known,
        accounts.allocated_vnd,
        coalesce(payments.paid_vnd, 0) as paid_vnd,
        coalesce(payments.paid_vnd, 0) - coalesce(accounts.allocated_vnd, 0) as difference_vnd,
        coalesce(payments.line_count, 0) as line_count,
        coalesce(payments.recorded_after_statement_vnd, 0) as recorded_after_statement_vnd,
        coalesce(accounts.added_back_vnd, 0) as added_back_vnd,
        coalesce(accounts.net_adjustment_vnd, 0) as net_adjustment_vnd
    from accounts
    full join payments
        on
            accounts.employer_code = payments.employer_code
            and accounts.month = payments.month
            and accounts.group_code = payments.group_code
)

select * from final
