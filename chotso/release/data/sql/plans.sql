select
    fact.object_type_code,
    fact.object_code,
    fact.plan_year,
    fact.metric_code,
    fact.effective_from_date,
    fact.signed_date,
    fact.decision_code,
    fact.assigner_name,
    metric.unit_code,
    metric.kind_code,
    fact.plan_value
from {schema}.fct_plan_target as fact
left join {schema}.dim_metric as metric on fact.metric_code = metric.metric_code
-- a plan of a year after the cutoff's is of no figure here, whenever it became known
where fact.plan_year <= extract(year from {cutoff_month}::date)
