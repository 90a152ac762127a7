with source as (
    select * from {{ source('ops', 'statement') }}
    where feed = 'c12'
),

known as (
    select * from source
    where known_at <= {{ as_known_at() }}
),

final as (
    select
        scope_key,
        stated_at
    from known
)

select * from final
