select * from {{ ref('int_funds') }}
