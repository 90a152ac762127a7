-- The greatest debts of the month, then the greatest receivables.
select kept.*
from {kept_items} as kept
order by
    case
        when month <> {month} then 0
        when {is_interest_bearing} then interest_bearing_arrears_vnd
        else arrears_vnd
    end desc,
    abs(receivable_vnd) desc,
    month desc,
    employer_code collate "C" asc,
    group_code asc
limit {lines}
