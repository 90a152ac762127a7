-- Changed accounts of the agency, of the year to the month.
select explain_accounts.*
from explain_accounts
where
    (before_agency_code = any(%(members)s) or after_agency_code = any(%(members)s))
    and group_code = any(%(groups)s)
    and month between %(year_start)s and %(month)s
order by month, employer_code collate "C", group_code
