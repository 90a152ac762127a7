-- Accounts and receivable of every agency × month × fund group, at provinces too.
select
    members.agency_code,
    accounts.month,
    accounts.group_code,
    count(*) as account_count,
    sum(accounts.receivable_vnd) as receivable_vnd
from {base}.fct_employer_account as accounts
inner join {base}.int_agency_members as members
    on accounts.agency_code = members.member_agency_code
group by members.agency_code, accounts.month, accounts.group_code
