select * from {{ ref('int_officer_attainment') }}
