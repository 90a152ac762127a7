-- The last known business date, and the instant of the last known batch.
with batches as (
    select * from {{ ref('stg_batches') }}
),

newest as (
    select
        max(business_date) as business_date,
        max(known_at) as known_at
    from batches
),

final as (
    select
        newest.business_date,
        newest.known_at,
        -- a freeze's own reads are no night, either
        bool_or(batches.is_refresh)
        and bool_and(batches.is_refresh or batches.is_final) as is_refresh
    from newest
    inner join batches on newest.business_date = batches.business_date
    group by newest.business_date, newest.known_at
)

select * from final
