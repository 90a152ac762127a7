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
-- a unit, or a name of one, of after the cutoff's month stands at no figure here
where
    valid_from_date is null
    or valid_from_date < {cutoff_month}::date + interval '1 month'
