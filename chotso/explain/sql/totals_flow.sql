-- What the items of a collection figure add up to.
select
    count(*) as item_count,
    coalesce(sum(collected_vnd) filter (where credited_month = {month}), 0) as first_amount,
    coalesce(sum(collected_vnd), 0) as second_amount,
    0 as account_count
from {kept_items} as kept
