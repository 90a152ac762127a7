with source as (
    select * from {{ source('raw', 'agencies') }}
),

known as (
    select * from source
    where known_from <= {{ as_known_at() }}
),

final as (
    select
        ma_co_quan as agency_code,
        normalize(ten, nfc) as agency_name,
        nullif(ma_cap_tren, '') as parent_agency_code,
        cap as level_number,
        ma_huyen as district_code,
        hieu_luc_tu as in_force_from_date,
        known_from as known_at
    from known
)

select * from final
