select
    agency_code,
    month
from {{ ref('fct_arrears_ratio') }}
group by agency_code, month, group_code
having count(*) filter (where is_official) <> 1 or count(*) <> 4
