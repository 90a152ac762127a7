-- The versions of an agency's name, level and parent: one row per version.
with versions as (
    select * from {{ ref('stg_agency_versions') }}
),

{{ validity_ranges('versions', 'agency_code', 'agency_key', [
    'agency_name', 'parent_agency_code', 'level_number', 'district_code'
], 'in_force_from_date') }}

select * from final
