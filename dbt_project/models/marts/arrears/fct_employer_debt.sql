with accounts as (
    select
        employer_code,
        month,
        max(agency_key) as agency_key,
        max(employer_key) as employer_key,
        bool_or(is_province) as is_province,
        sum(arrears_vnd) as arrears_vnd,
        sum(interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        -- a surplus of one fund or employer has its own column and never reduces the debt
        sum(greatest(-closing_at_cutoff_vnd, 0)) as surplus_vnd
    from {{ ref('fct_employer_account') }}
    group by employer_code, month
),

totals as (
    select * from {{ ref('int_account_totals') }}
),

classes as (
    select * from {{ ref('dim_debt_class') }}
),

aged as (
    select
        accounts.employer_code,
        accounts.month,
        accounts.agency_key,
        accounts.employer_key,
        accounts.is_province,
        accounts.arrears_vnd,
        accounts.interest_bearing_arrears_vnd,
        accounts.surplus_vnd,
        employers.employer_status_code,
        totals.agency_code,
        totals.stated_at,
        totals.interest_opening_vnd,
        totals.interest_accrued_vnd,
        totals.interest_allocated_vnd,
        totals.interest_closing_vnd,
        totals.months_owed_count,
        totals.employee_count,
        totals.ui_employee_count,
        totals.si_wage_fund_vnd,
        totals.ui_wage_fund_vnd,
        totals.hi_wage_fund_vnd,
        totals.batch_id,
        case
            when accounts.arrears_vnd = 0 then 'none'
            when
                {{ is_hard_to_collect('accounts.month', 'employers.employer_status_code') }}
                then 'hard_to_collect'
            else coalesce(by_age.debt_class_code, 'unknown_age')
        end as debt_class_code
    from accounts
    inner join totals
        on
            accounts.employer_code = totals.employer_code
            and accounts.month = totals.month
    left join {{ ref('int_employer_versions') }} as employers
        on accounts.employer_key = employers.employer_key
    left join classes as by_age
        on
            by_age.is_by_age
            and accounts.month between by_age.valid_from_month
            and coalesce(by_age.valid_to_month, date 'infinity')
            and totals.months_owed_count >= by_age.from_months_count
            and (
                by_age.to_months_count is null
                or totals.months_owed_count < by_age.to_months_count
            )
),

final as (
    select
        aged.employer_code,
        aged.month,
        aged.agency_code,
        aged.stated_at,
        aged.arrears_vnd,
        aged.interest_bearing_arrears_vnd,
        aged.surplus_vnd,
        aged.interest_opening_vnd,
        aged.interest_accrued_vnd,
        aged.interest_allocated_vnd,
        aged.interest_closing_vnd,
        aged.months_owed_count,
        classes.debt_class_code,
        classes.debt_class_key,
        aged.employer_status_code,
        aged.employee_count,
        aged.ui_employee_count,
        aged.si_wage_fund_vnd,
        aged.ui_wage_fund_vnd,
        aged.hi_wage_fund_vnd,
        aged.agency_key,
        aged.employer_key,
        aged.batch_id,
        aged.is_province
    from aged
    -- months before the first configuration have no classes
    left join classes
        on
            aged.debt_class_code = classes.debt_class_code
            and aged.month between classes.valid_from_month
            and coalesce(classes.valid_to_month, date 'infinity')
)

select * from final
