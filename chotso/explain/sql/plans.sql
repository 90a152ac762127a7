-- Every agency's plan lines, in the order of revisions.
select
    plans.object_code as agency_code,
    plans.metric_code,
    plans.plan_year,
    plans.decision_code,
    plans.signed_date,
    plans.effective_from_date,
    plans.assigner_name,
    plans.plan_value,
    plans.known_at,
    plans.batch_id
from {state}.stg_plans as plans
where plans.object_type_code = 'agency' and plans.metric_code is not null
order by
    plans.object_code, plans.metric_code, plans.plan_year,
    plans.effective_from_date, plans.signed_date, plans.decision_code collate "C"
