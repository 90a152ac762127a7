select
    metric_code,
    metric_name_vi,
    metric_name_en,
    unit_code,
    kind_code,
    direction_code,
    additivity_code
from {schema}.dim_metric
