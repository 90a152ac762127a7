select * from {{ ref('int_employers') }}
