select * from {{ ref('int_agency_attainment') }}
