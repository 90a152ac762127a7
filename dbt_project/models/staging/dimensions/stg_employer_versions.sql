with source as (
    select * from {{ source('raw', 'employers') }}
),

known as (
    select * from source
    where known_from <= {{ as_known_at() }}
),

final as (
    select
        ma_don_vi as employer_code,
        normalize(ten, nfc) as employer_name,
        ma_khoi as management_group_code,
        ma_co_quan as agency_code,
        ngan_sach as is_state_budget,
        chu_ky_dong as payment_cycle_months_count,
        {{ employer_status('trang_thai') }} as employer_status_code,
        known_from as known_at
    from known
)

select * from final
