-- What the agencies' sum is more than the province are the persons that it counts again.
select
    agency_code,
    month,
    scheme_code
from {{ ref('fct_participation_reconciliation') }}
where agencies_sum_count + own_count - counted_again_count <> province_count
