-- Changed lines that could count for a figure before, after, or at a step between.
select explain_lines.*
from explain_lines
where
    (before_agency_code = any(%(members)s) or after_agency_code = any(%(members)s))
    and (before_fund_code = any(%(funds)s) or after_fund_code = any(%(funds)s))
    and (
        before_credited_month between %(year_start)s and %(month)s
        or after_credited_month between %(year_start)s and %(month)s
    )
order by document_code collate "C", line_number
