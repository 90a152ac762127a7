select
    agency_key,
    agency_code,
    agency_name,
    parent_agency_code,
    level_number,
    district_code,
    valid_from_date,
    valid_to_date
from {schema}.dim_agency
