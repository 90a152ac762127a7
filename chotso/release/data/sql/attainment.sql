select
    fact.*,
    metric.metric_name_vi,
    metric.metric_name_en,
    metric.unit_code,
    metric.kind_code,
    metric.direction_code
from {schema}.fct_monthly_attainment as fact
left join {schema}.dim_metric as metric on fact.metric_code = metric.metric_code
