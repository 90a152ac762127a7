-- First, last and in-force plan of the year, per officer × month × metric.
with months as (
    select
        month,
        plan_year,
        plan_limit_date
    from {{ ref('int_months') }}
),

plans as (
    select
        object_code as officer_code,
        metric_code,
        plan_year,
        effective_from_date,
        plan_value,
        -- code point order: 'b' after 'Z', and 'QĐ' after 'QD', on every machine
        row_number() over (
            partition by object_code, metric_code, plan_year
            order by effective_from_date, signed_date, decision_code collate "C"
        ) as decision_rank
    from {{ ref('stg_plans') }}
    where object_type_code = 'officer' and metric_code is not null
),

candidates as (
    select
        plans.officer_code,
        months.month,
        plans.metric_code,
        plans.plan_value,
        plans.decision_rank,
        max(plans.decision_rank) over by_month as last_rank,
        max(plans.decision_rank) filter (
            where plans.effective_from_date <= months.plan_limit_date
        ) over by_month as rank_in_force
    from months
    inner join plans on months.plan_year = plans.plan_year
    window by_month as (partition by plans.officer_code, months.month, plans.metric_code)
),

final as (
    select
        officer_code,
        month,
        metric_code,
        max(plan_value) filter (where decision_rank = 1) as plan_original,
        max(plan_value) filter (where decision_rank = rank_in_force) as plan_in_force,
        max(plan_value) filter (where decision_rank = last_rank) as plan_final
    from candidates
    group by officer_code, month, metric_code
)

select * from final
