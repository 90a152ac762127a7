select * from {{ ref('int_officers') }}
