with source as (
    select * from {{ source('raw', 'assignments') }}
),

known as (
    select * from source
    where {{ is_known() }}
),

cleaned as (
    select
        ma_don_vi as employer_code,
        tu_ngay as assigned_from_date,
        den_ngay as assigned_to_date,
        ma_can_bo as officer_code,
        batch_id,
        known_from as known_at
    from known
),

final as (
    select
        employer_code,
        assigned_from_date,
        assigned_to_date,
        officer_code,
        batch_id,
        known_at
    from cleaned
)

select * from final
