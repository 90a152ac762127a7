-- There is exactly one row per agency in force × month × metric, and no other row.
select
    expected.agency_code,
    expected.month,
    metrics.metric_code
from {{ ref('int_agency_months') }} as expected
cross join {{ ref('dim_metric') }} as metrics
full join {{ ref('fct_monthly_attainment') }} as shown
    on
        expected.agency_code = shown.agency_code
        and expected.month = shown.month
        and metrics.metric_code = shown.metric_code
where shown.agency_code is null or expected.agency_code is null
