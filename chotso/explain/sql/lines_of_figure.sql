-- Changed lines that could count for a figure before, after, or at a step between.
select kept.*
from {kept_lines} as kept
where
    (before_agency_code = any({members}) or after_agency_code = any({members}))
    and (before_fund_code = any({funds}) or after_fund_code = any({funds}))
    and (
        before_credited_month between {year_start} and {month}
        or after_credited_month between {year_start} and {month}
    )
order by document_code collate "C", line_number
