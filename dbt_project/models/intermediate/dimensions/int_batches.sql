{{ config(materialized='view') }}

with batches as (
    select * from {{ ref('stg_batches') }}
),

final as (
    select
        batch_id,
        feed as feed_code,
        business_date,
        read_mode_code,
        file_name,
        landing_path,
        content_sha256,
        known_at
    from batches
)

select * from final
