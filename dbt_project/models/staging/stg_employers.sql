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
        trang_thai as source_status_code
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
        case source_status_code
            when 'HOAT_DONG' then 'active'
            when 'TAM_DUNG' then 'suspended'
            when 'GIAI_THE' then 'dissolved'
            when 'PHA_SAN' then 'bankrupt'
        end as employer_status_code
    from cleaned
)

select * from final
