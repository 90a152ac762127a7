-- Accounts of the C12 sheets as of the cutoff, and the arrears of each.
with accounts as (
    select * from {{ ref('stg_accounts') }}
),

added_back as (
    select * from {{ ref('int_added_back') }}
),

at_cutoff as (
    select
        accounts.employer_code,
        accounts.month,
        accounts.group_code,
        accounts.agency_code,
        accounts.stated_at,
        accounts.months_owed_count,
        accounts.opening_vnd,
        accounts.payable_vnd,
        accounts.adjusted_up_vnd,
        accounts.adjusted_down_vnd,
        accounts.allocated_vnd,
        accounts.closing_vnd,
        accounts.interest_accrued_vnd,
        accounts.batch_id,
        coalesce(added_back.added_back_vnd, 0) as added_back_vnd,
        accounts.closing_vnd + coalesce(added_back.added_back_vnd, 0) as closing_at_cutoff_vnd
    from accounts
    left join added_back
        on
            accounts.employer_code = added_back.employer_code
            and accounts.month = added_back.month
            and accounts.group_code = added_back.group_code
),

final as (
    select
        employer_code,
        month,
        group_code,
        agency_code,
        stated_at,
        opening_vnd::numeric as opening_vnd,
        payable_vnd::numeric as payable_vnd,
        adjusted_up_vnd::numeric as adjusted_up_vnd,
        adjusted_down_vnd::numeric as adjusted_down_vnd,
        allocated_vnd::numeric as allocated_vnd,
        closing_vnd::numeric as closing_vnd,
        added_back_vnd::numeric as added_back_vnd,
        closing_at_cutoff_vnd::numeric as closing_at_cutoff_vnd,
        -- a surplus is no negative debt: it must not reduce the arrears of another employer or fund
        greatest(closing_at_cutoff_vnd, 0)::numeric as arrears_vnd,
        -- the month's own payable is not yet due
        greatest(closing_at_cutoff_vnd - payable_vnd, 0)::numeric as interest_bearing_arrears_vnd,
        (payable_vnd::numeric + adjusted_up_vnd - adjusted_down_vnd) as receivable_vnd,
        interest_accrued_vnd::numeric as interest_accrued_vnd,
        months_owed_count,
        batch_id
    from at_cutoff
)

select * from final
