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

final as (
    select
        officer_code,
        officer_name,
        agency_code,
        false as is_inferred
    from officers
    union all
    select
        officer_code,
        null as officer_name,
        null as agency_code,
        true as is_inferred
    from inferred
)

select * from final
