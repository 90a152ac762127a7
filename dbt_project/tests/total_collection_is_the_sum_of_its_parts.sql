-- Each fund is in exactly one part. A metric of a single fund within a part is no part itself.
select
    agency_code,
    month
from {{ ref('fct_monthly_attainment') }}
where
    metric_code in (
        'collection_total', 'collection_si_compulsory', 'collection_si_voluntary',
        'collection_ui', 'collection_hi'
    )
group by agency_code, month
having
    sum(actual_to_date) filter (where metric_code = 'collection_total')
    <> sum(actual_to_date) filter (where metric_code <> 'collection_total')
