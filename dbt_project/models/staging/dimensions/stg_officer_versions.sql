with source as (
    select * from {{ source('raw', 'officers') }}
),

known as (
    select * from source
    where known_from <= {{ as_known_at() }}
),

final as (
    select
        ma_can_bo as officer_code,
        normalize(ho_ten, nfc) as officer_name,
        ma_co_quan as agency_code,
        known_from as known_at
    from known
)

select * from final
