with source as (
    select * from {{ source('raw', 'employers') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        ma_don_vi as employer_code,
        normalize(ten, nfc) as employer_name,
        ma_khoi as management_group_code,
        ma_co_quan as agency_code,
        ngan_sach as is_state_budget,
        chu_ky_dong as payment_cycle_months_count,
        trang_thai as source_status_code,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        employer_code,
        employer_name,
        management_group_code,
        agency_code,
        is_state_budget,
        payment_cycle_months_count,
        {{ employer_status('source_status_code') }} as employer_status_code,
        batch_id,
        known_at
    from cleaned
)

select * from final
