select
    agency_code,
    month
from {{ ref('fct_monthly_attainment') }}
where metric_code like 'collection~_%' escape '~'
group by agency_code, month
having
    sum(actual_to_date) filter (where metric_code = 'collection_total')
    <> sum(actual_to_date) filter (where metric_code <> 'collection_total')
