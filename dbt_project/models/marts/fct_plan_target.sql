with plans as (
    select * from {{ ref('stg_plans') }}
    where metric_code is not null and object_type_code is not null
),

final as (
    select
        object_type_code,
        object_code,
        metric_code,
        plan_year,
        effective_from_date,
        signed_date,
        decision_code,
        assigner_name,
        plan_value,
        row_number() over (
            partition by object_type_code, object_code, metric_code, plan_year
            order by effective_from_date, signed_date, decision_code collate "C"
        ) = 1 as is_original
    from plans
)

select * from final
