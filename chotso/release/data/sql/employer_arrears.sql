with employers as (
    select
        employer_key,
        employer_name,
        coalesce(management_group_code = any({personal_groups}), false) as is_personal
    from {schema}.dim_employer
),

by_group as (
    select
        employer_code,
        month,
        sum(arrears_vnd) filter (where group_code = 'si') as arrears_si_vnd,
        sum(arrears_vnd) filter (where group_code = 'ui') as arrears_ui_vnd,
        sum(arrears_vnd) filter (where group_code = 'hi') as arrears_hi_vnd
    from {schema}.fct_employer_account
    group by employer_code, month
)

select
    fact.employer_code,
    -- a household or a person who employs bears a person's name: it stays in the warehouse
    case when not employers.is_personal then employers.employer_name end as employer_name,
    employers.is_personal as is_name_withheld,
    fact.agency_code,
    fact.agency_key,
    fact.month,
    fact.stated_at,
    by_group.arrears_si_vnd,
    by_group.arrears_ui_vnd,
    by_group.arrears_hi_vnd,
    fact.arrears_vnd,
    fact.interest_bearing_arrears_vnd,
    fact.surplus_vnd,
    fact.interest_closing_vnd,
    fact.months_owed_count,
    fact.debt_class_code,
    fact.employer_status_code
from {schema}.fct_employer_debt as fact
inner join by_group on fact.employer_code = by_group.employer_code and fact.month = by_group.month
inner join employers on fact.employer_key = employers.employer_key
