with final as (
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
        revision_number = 1 as is_original,
        is_final,
        known_at,
        is_late,
        batch_id
    from {{ ref('int_plan_revisions') }}
)

select * from final
