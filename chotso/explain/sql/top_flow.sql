-- The greatest lines, those of the month first.
select kept.*
from {kept_items} as kept
order by
    case when credited_month = {month} then abs(collected_vnd) else 0 end desc,
    abs(collected_vnd) desc,
    document_code collate "C" asc,
    line_number asc
limit {lines}
