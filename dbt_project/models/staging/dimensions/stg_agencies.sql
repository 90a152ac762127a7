with source as (
    select * from {{ source('raw', 'agencies') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        ma_co_quan as agency_code,
        normalize(ten, nfc) as agency_name,
        nullif(ma_cap_tren, '') as parent_agency_code,
        cap as level_number,
        ma_huyen as district_code,
        hieu_luc_tu as valid_from_date,
        hieu_luc_den as valid_to_date,
        cap = 1 as is_province,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        agency_code,
        agency_name,
        parent_agency_code,
        level_number,
        district_code,
        valid_from_date,
        valid_to_date,
        is_province,
        batch_id,
        known_at
    from cleaned
)

select * from final
