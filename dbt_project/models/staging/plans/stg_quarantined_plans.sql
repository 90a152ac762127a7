{{ config(materialized='table', unlogged=true) }}

-- A table, not a view, so that the planner knows the number of rows set aside.
with source as (
    select * from {{ source('quarantine', 'row') }}
    where feed = 'plans'
),

known as (
    select
        id,
        "row" as quarantined_row
    from source
    where {{ was_set_aside() }}
),

cleaned as (
    select
        id as quarantine_id,
        case quarantined_row ->> 'loai_doi_tuong'
            when 'CO_QUAN' then 'agency'
            when 'CAN_BO' then 'officer'
        end as object_type_code,
        {{ readable_code("quarantined_row ->> 'ma_doi_tuong'") }} as object_code,
        {{ readable_code("quarantined_row ->> 'chi_tieu'") }} as plan_code,
        case
            when quarantined_row ->> 'nam' ~ '^[1-9][0-9]{3}$'
                then (quarantined_row ->> 'nam')::integer
        end as plan_year,
        {{ readable_amount("(quarantined_row ->> 'gia_tri')") }} as plan_value
    from known
),

final as (
    select
        quarantine_id,
        object_type_code,
        object_code,
        {{ metric_of_plan('plan_code') }} as metric_code,
        plan_code,
        plan_year,
        plan_value
    from cleaned
)

select * from final
