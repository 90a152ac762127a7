select
    points.participant_type,
    points.participant_code,
    points.metric_code,
    metric.metric_name_vi,
    metric.kind_code,
    points.measured_month,
    points.actual_to_date,
    points.plan_in_force,
    points.attainment_ratio,
    points.weight_points,
    points.is_gate,
    points.result_code,
    points.excess_ratio,
    points.leader_codes,
    points.leader_excess_ratio,
    points.points,
    points.explanation_vi,
    points.explanation_en
from {schema}.rpt_emulation_points as points
left join {schema}.dim_metric as metric on points.metric_code = metric.metric_code
where points.period_id = {period_id}
