-- The last known business date, and the instant of the last known batch.
select
    max(business_date) as business_date,
    max(known_at) as known_at
from {{ ref('stg_batches') }}
