select * from {{ ref('int_agencies') }}
