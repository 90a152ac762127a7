-- First, last and in-force plan of the year, per agency × month × metric.
with universe as (
    select
        agency_code,
        month,
        plan_year,
        plan_limit_date
    from {{ ref('int_agency_months') }}
),

plans as (
    select
        object_code as agency_code,
        metric_code,
        plan_year,
        effective_from_date,
        decision_code,
        plan_value,
        -- code point order: 'b' after 'Z', and 'QĐ' after 'QD', on every machine
        row_number() over (
            partition by object_code, metric_code, plan_year
            order by effective_from_date, signed_date, decision_code collate "C"
        ) as decision_rank
    from {{ ref('stg_plans') }}
    where object_type_code = 'agency' and metric_code is not null
),

candidates as (
    select
        universe.agency_code,
        universe.month,
        plans.metric_code,
        plans.plan_value,
        plans.decision_code,
        plans.decision_rank,
        max(plans.decision_rank) over (
            partition by universe.agency_code, universe.month, plans.metric_code
        ) as last_rank,
        max(plans.decision_rank) filter (
            where plans.effective_from_date <= universe.plan_limit_date
        ) over (
            partition by universe.agency_code, universe.month, plans.metric_code
        ) as rank_in_force
    from universe
    inner join plans
        on
            universe.agency_code = plans.agency_code
            and universe.plan_year = plans.plan_year
),

final as (
    select
        agency_code,
        month,
        metric_code,
        max(plan_value) filter (where decision_rank = 1) as plan_original,
        max(plan_value) filter (where decision_rank = rank_in_force) as plan_in_force,
        max(plan_value) filter (where decision_rank = last_rank) as plan_final,
        max(decision_code) filter (
            where decision_rank = rank_in_force
        ) as decision_in_force_code
    from candidates
    group by agency_code, month, metric_code
)

select * from final
