-- Plan lines of known measures and objects, in the order in which a year's decisions replace each
-- other. Numbers sort in code point order on every machine ('b' after 'Z', 'QĐ' after 'QD').
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
        row_number() over revisions as revision_number,
        lead(plan_year) over revisions is null as is_final,
        known_at,
        -- a decision takes effect when its first day begins in Vietnam
        known_at > effective_from_date::timestamp at time zone 'Asia/Ho_Chi_Minh' as is_late,
        batch_id
    from plans
    window revisions as (
        partition by object_type_code, object_code, metric_code, plan_year
        order by effective_from_date, signed_date, decision_code collate "C"
    )
)

select * from final
