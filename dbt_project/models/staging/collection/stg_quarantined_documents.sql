{{ config(materialized='table', unlogged=true) }}

-- A table, not a view, so that the planner knows the number of rows set aside.
with source as (
    select * from {{ source('quarantine', 'row') }}
    where feed = 'payments'
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
        {{ readable_code("quarantined_row ->> 'ma_don_vi'") }} as employer_code,
        {{ readable_code("quarantined_row ->> 'ma_co_quan'") }} as agency_code,
        {{ readable_instant("(quarantined_row ->> 'ngay_ghi_co')") }} as credited_at,
        {{ readable_amount("(quarantined_row ->> 'so_tien')") }} as amount_vnd,
        first_seen as first_seen_at
    from known
),

final as (
    select
        quarantine_id,
        document_code,
        employer_code,
        agency_code,
        credited_at,
        amount_vnd,
        first_seen_at
    from cleaned
)

select * from final
