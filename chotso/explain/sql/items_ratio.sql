-- Accounts of the year to the month: arrears of the month's own, receivable of all.
select
    accounts.employer_code,
    accounts.month,
    accounts.group_code,
    accounts.agency_code,
    accounts.stated_at,
    accounts.closing_vnd,
    accounts.payable_vnd,
    accounts.arrears_vnd,
    accounts.interest_bearing_arrears_vnd,
    accounts.receivable_vnd,
    accounts.batch_id
from {state}.fct_employer_account as accounts
inner join {state}.int_agency_members as members
    on accounts.agency_code = members.member_agency_code
where
    members.agency_code = {agency_code}
    and accounts.group_code = any({groups})
    and accounts.month between {year_start} and {month}
order by accounts.month, accounts.employer_code collate "C", accounts.group_code
