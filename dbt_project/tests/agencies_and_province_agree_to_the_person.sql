-- The agencies' sum minus the province is the number of persons that the sum counts again.
select
    agency_code,
    month,
    scheme_code
from {{ ref('fct_participation_reconciliation') }}
where agencies_sum_count + own_count - counted_again_count <> province_count
