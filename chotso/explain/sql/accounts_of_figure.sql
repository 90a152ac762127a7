-- Changed accounts of the agency, of the year to the month.
select kept.*
from {kept_accounts} as kept
where
    (before_agency_code = any({members}) or after_agency_code = any({members}))
    and group_code = any({groups})
    and month between {year_start} and {month}
order by month, employer_code collate "C", group_code
