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
        read_mode as read_mode_code,
        delivery_name as file_name,
        landing_path,
        sha256 as content_sha256,
        known_at,
        coalesce(is_refresh, false) as is_refresh,
        final_of is not null as is_final
    from known
)

select * from final
