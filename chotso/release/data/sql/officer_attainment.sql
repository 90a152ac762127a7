select
    fact.agency_code,
    fact.agency_key,
    fact.officer_code,
    officer.officer_name,
    fact.is_own_agency,
    fact.month,
    fact.metric_code,
    metric.unit_code,
    metric.kind_code,
    metric.direction_code,
    fact.actual_month,
    fact.actual_to_date,
    fact.numerator,
    fact.denominator,
    fact.plan_original,
    fact.plan_in_force,
    fact.plan_final,
    fact.plan_status_code,
    fact.attainment_ratio,
    fact.is_met
from {schema}.fct_officer_attainment as fact
left join {schema}.dim_officer as officer on fact.officer_key = officer.officer_key
left join {schema}.dim_metric as metric on fact.metric_code = metric.metric_code
