with officers as (
    select * from {{ ref('stg_officers') }}
),

named_elsewhere as (
    select officer_code from {{ ref('stg_assignments') }}
    union
    select object_code as officer_code from {{ ref('stg_plans') }}
    where object_type_code = 'officer'
),

inferred as (
    select named_elsewhere.officer_code
    from named_elsewhere
    left join officers on named_elsewhere.officer_code = officers.officer_code
    where named_elsewhere.officer_code is not null and officers.officer_code is null
),

versions as (
    select * from {{ ref('int_officer_versions') }}
),

final as (
    select
        officer_key,
        officer_code,
        officer_name,
        agency_code,
        valid_from_date,
        valid_to_date,
        is_current,
        false as is_inferred
    from versions
    union all
    select
        officer_code || '|first' as officer_key,
        officer_code,
        null as officer_name,
        null as agency_code,
        null as valid_from_date,
        null as valid_to_date,
        true as is_current,
        true as is_inferred
    from inferred
)

select * from final
