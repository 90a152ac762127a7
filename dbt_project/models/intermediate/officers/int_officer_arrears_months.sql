-- Arrears and receivable of the month per agency × officer × month × group, and for group `total`.
-- Each account belongs to the officer of its own month.
with accounts as (
    select
        accounts.agency_code,
        coalesce(employer_months.officer_code, 'unassigned') as officer_code,
        accounts.month,
        accounts.group_code,
        sum(accounts.arrears_vnd) as arrears_vnd,
        sum(accounts.interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        sum(accounts.receivable_vnd) as receivable_vnd
    from {{ ref('int_employer_accounts') }} as accounts
    inner join {{ ref('int_months') }} as months on accounts.month = months.month
    left join {{ ref('int_officer_employer_months') }} as employer_months
        on
            accounts.employer_code = employer_months.employer_code
            and accounts.month between employer_months.from_month and employer_months.to_month
    group by
        accounts.agency_code,
        coalesce(employer_months.officer_code, 'unassigned'),
        accounts.month,
        accounts.group_code
),

over_groups as (
    select
        agency_code,
        officer_code,
        month,
        'total' as group_code,
        sum(arrears_vnd) as arrears_vnd,
        sum(interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        sum(receivable_vnd) as receivable_vnd
    from accounts
    group by agency_code, officer_code, month
),

final as (
    select
        agency_code,
        officer_code,
        month,
        group_code,
        arrears_vnd,
        interest_bearing_arrears_vnd,
        receivable_vnd
    from accounts
    union all
    select
        agency_code,
        officer_code,
        month,
        group_code,
        arrears_vnd,
        interest_bearing_arrears_vnd,
        receivable_vnd
    from over_groups
)

select * from final
