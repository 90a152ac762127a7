-- The year's first plan, last plan and plan in force, per object (agency or officer) × month ×
-- metric.
with months as (
    select
        month,
        plan_year,
        plan_limit_date
    from {{ ref('int_months') }}
),

candidates as (
    select
        plans.object_type_code,
        plans.object_code,
        months.month,
        plans.metric_code,
        plans.plan_value,
        plans.decision_code,
        plans.revision_number,
        plans.is_final,
        max(plans.revision_number) filter (
            where plans.effective_from_date <= months.plan_limit_date
        ) over (
            partition by
                plans.object_type_code, plans.object_code, plans.metric_code, months.month
        ) as number_in_force
    from months
    inner join {{ ref('int_plan_revisions') }} as plans on months.plan_year = plans.plan_year
),

final as (
    select
        object_type_code,
        object_code,
        month,
        metric_code,
        max(plan_value) filter (where revision_number = 1) as plan_original,
        max(plan_value) filter (where revision_number = number_in_force) as plan_in_force,
        max(plan_value) filter (where is_final) as plan_final,
        max(decision_code) filter (
            where revision_number = number_in_force
        ) as decision_in_force_code
    from candidates
    group by object_type_code, object_code, month, metric_code
)

select * from final
