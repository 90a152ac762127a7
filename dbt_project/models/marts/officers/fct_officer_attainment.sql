select
    figures.*,
    agencies.is_province
from {{ ref('int_officer_attainment') }} as figures
inner join {{ ref('int_agencies') }} as agencies on figures.agency_key = agencies.agency_key
