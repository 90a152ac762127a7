-- Accounts of a figure's month, and the receivable of its year to the month.
select
    coalesce(sum(account_count) filter (where month = {month}), 0)::int as account_count,
    coalesce(sum(receivable_vnd), 0) as receivable_vnd
from {kept_account_sums} as kept
where
    agency_code = {agency_code}
    and group_code = any({groups})
    and month between {year_start} and {month}
