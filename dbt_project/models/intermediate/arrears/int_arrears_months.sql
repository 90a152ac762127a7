-- Arrears, receivable of the month and number of accounts, per agency × month × group and `total`.
with accounts as (
    select
        agency_code,
        month,
        group_code,
        sum(arrears_vnd) as arrears_vnd,
        sum(interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        sum(receivable_vnd) as receivable_vnd
    from {{ ref('int_employer_accounts') }}
    group by agency_code, month, group_code
),

members as (
    select * from {{ ref('int_agency_members') }}
),

by_group as (
    select
        members.agency_code,
        accounts.month,
        accounts.group_code,
        sum(accounts.arrears_vnd) as arrears_vnd,
        sum(accounts.interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        sum(accounts.receivable_vnd) as receivable_vnd
    from accounts
    inner join members on accounts.agency_code = members.member_agency_code
    group by members.agency_code, accounts.month, accounts.group_code
),

over_groups as (
    select
        agency_code,
        month,
        'total' as group_code,
        sum(arrears_vnd) as arrears_vnd,
        sum(interest_bearing_arrears_vnd) as interest_bearing_arrears_vnd,
        sum(receivable_vnd) as receivable_vnd
    from by_group
    group by agency_code, month
),

final as (
    select
        agency_code,
        month,
        group_code,
        arrears_vnd,
        interest_bearing_arrears_vnd,
        receivable_vnd
    from by_group
    union all
    select
        agency_code,
        month,
        group_code,
        arrears_vnd,
        interest_bearing_arrears_vnd,
        receivable_vnd
    from over_groups
)

select * from final
