{{ config(materialized='table', unlogged=true) }}

-- A table, not a view, so that the planner knows the number of rows set aside.
with source as (
    select * from {{ source('quarantine', 'row') }}
    where feed = 'allocations'
),

known as (
    select
        id,
        first_seen,
        "row" as quarantined_row
    from source
    where {{ was_set_aside() }}
),

cleaned as (
    select
        id as quarantine_id,
        {{ readable_code("quarantined_row ->> 'so_chung_tu'") }} as document_code,
        {{ readable_code("quarantined_row ->> 'so_dong'") }} as line_number_text,
        {{ readable_code("quarantined_row ->> 'quy'") }} as fund_code,
        {{ readable_amount("(quarantined_row ->> 'tien_goc')") }} as principal_vnd,
        {{ readable_amount("(quarantined_row ->> 'tien_goc')") }}
        + {{ readable_amount("(quarantined_row ->> 'tien_lai')") }} as set_aside_vnd
    from known
),

final as (
    select
        quarantine_id,
        document_code,
        line_number_text,
        fund_code,
        principal_vnd,
        set_aside_vnd
    from cleaned
)

select * from final
