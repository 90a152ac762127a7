-- Every account is in fct_employer_debt once, and its principal is the sum of its fund groups.
with debts as (
    select
        agency_code,
        month,
        sum(arrears_vnd) as arrears_vnd,
        sum(interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        sum(arrears_vnd) - sum(surplus_vnd) as closing_vnd
    from {{ ref('fct_employer_debt') }}
    group by agency_code, month
),

accounts as (
    select
        agency_code,
        month,
        sum(arrears_vnd) as arrears_vnd,
        sum(interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        sum(closing_at_cutoff_vnd) as closing_vnd
    from {{ ref('fct_employer_account') }}
    group by agency_code, month
)

select
    coalesce(debts.agency_code, accounts.agency_code) as agency_code,
    coalesce(debts.month, accounts.month) as month
from debts
full join accounts
    on
        debts.agency_code = accounts.agency_code
        and debts.month = accounts.month
where
    debts.arrears_vnd is distinct from accounts.arrears_vnd
    or debts.interest_bearing_arrears_vnd is distinct from accounts.interest_bearing_arrears_vnd
    or debts.closing_vnd is distinct from accounts.closing_vnd
