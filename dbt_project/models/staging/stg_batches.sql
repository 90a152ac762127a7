with source as (
    select * from {{ source('ops', 'batch') }}
),

known as (
    select * from source
    where status = 'published' and known_at <= {{ as_known_at() }}
),

final as (
    select
        batch_id,
        feed,
        business_date,
        known_at
    from known
)

select * from final
