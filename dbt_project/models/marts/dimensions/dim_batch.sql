select * from {{ ref('int_batches') }}
