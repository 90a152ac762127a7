with source as (
    select * from {{ source('raw', 'officers') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        ma_can_bo as officer_code,
        normalize(ho_ten, nfc) as officer_name,
        ma_co_quan as agency_code,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        officer_code,
        officer_name,
        agency_code,
        batch_id,
        known_at
    from cleaned
)

select * from final
