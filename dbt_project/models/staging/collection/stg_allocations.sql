with source as (
    select * from {{ source('raw', 'allocations') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        so_chung_tu as document_code,
        so_dong as line_number,
        quy as fund_code,
        thang as paid_for_month,
        coalesce(tien_goc, 0) as principal_vnd,
        coalesce(tien_lai, 0) as interest_vnd,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        document_code,
        line_number,
        fund_code,
        paid_for_month,
        principal_vnd,
        interest_vnd,
        batch_id,
        known_at
    from cleaned
)

select * from final
