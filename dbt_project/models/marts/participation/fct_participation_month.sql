select * from {{ ref('int_participation_months') }}
