-- What the accounts of a ratio add up to.
select
    count(*) as item_count,
    coalesce(sum(
        case when {is_interest_bearing} then interest_bearing_arrears_vnd else arrears_vnd end
    ) filter (where month = {month}), 0) as first_amount,
    coalesce(sum(case when {is_by_plan} then 0 else receivable_vnd end), 0) as second_amount,
    count(*) filter (where month = {month}) as account_count
from {kept_items} as kept
