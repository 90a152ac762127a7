-- The versions of an employer's name, agency and status: one row per version.
with versions as (
    select * from {{ ref('stg_employer_versions') }}
),

{{ validity_ranges('versions', 'employer_code', 'employer_key', [
    'employer_name', 'management_group_code', 'agency_code', 'is_state_budget',
    'payment_cycle_months_count', 'employer_status_code'
], 'null::date') }}

select * from final
