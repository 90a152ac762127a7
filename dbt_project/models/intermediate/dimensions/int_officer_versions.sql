-- The versions of an officer's name and agency: one row per version.
with versions as (
    select * from {{ ref('stg_officer_versions') }}
),

{{ validity_ranges('versions', 'officer_code', 'officer_key', [
    'officer_name', 'agency_code'
], 'null::date') }}

select * from final
