-- Accounts × groups whose sheet, arrears or receivable, or whose agency's parents, differ.
with accounts as (
    select
        coalesce(before_accounts.employer_code, after_accounts.employer_code) as employer_code,
        coalesce(before_accounts.month, after_accounts.month) as month,
        coalesce(before_accounts.group_code, after_accounts.group_code) as group_code,
        before_accounts.agency_code as before_agency_code,
        before_accounts.stated_at as before_stated_at,
        before_accounts.arrears_vnd as before_arrears_vnd,
        before_accounts.interest_bearing_arrears_vnd as before_interest_bearing_arrears_vnd,
        before_accounts.receivable_vnd as before_receivable_vnd,
        before_accounts.batch_id as before_batch_id,
        after_accounts.agency_code as after_agency_code,
        after_accounts.stated_at as after_stated_at,
        after_accounts.arrears_vnd as after_arrears_vnd,
        after_accounts.interest_bearing_arrears_vnd as after_interest_bearing_arrears_vnd,
        after_accounts.receivable_vnd as after_receivable_vnd,
        after_accounts.batch_id as after_batch_id
    from {before}.fct_employer_account as before_accounts
    full join {after}.fct_employer_account as after_accounts
        on
            before_accounts.employer_code = after_accounts.employer_code
            and before_accounts.month = after_accounts.month
            and before_accounts.group_code = after_accounts.group_code
)

select accounts.*
from accounts
where
    row(
        before_agency_code, before_arrears_vnd,
        before_interest_bearing_arrears_vnd, before_receivable_vnd
    ) is distinct from row(
        after_agency_code, after_arrears_vnd,
        after_interest_bearing_arrears_vnd, after_receivable_vnd
    )
    or after_agency_code = any({moved})
