-- How many persons the spells of a head-count are.
select
    count(distinct person_id) as item_count,
    count(distinct person_id) as first_amount,
    count(distinct person_id) as second_amount,
    0 as account_count
from {kept_items} as kept
