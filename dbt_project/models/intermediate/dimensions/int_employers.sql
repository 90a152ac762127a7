with employers as (
    select * from {{ ref('stg_employers') }}
),

named_elsewhere as (
    select employer_code from {{ ref('stg_payments') }}
    group by employer_code
    union
    select employer_code from {{ ref('stg_accounts') }}
    group by employer_code
    union
    select employer_code from {{ ref('stg_assignments') }}
    group by employer_code
    union
    select employer_code from {{ ref('stg_participations') }}
    group by employer_code
),

inferred as (
    select named_elsewhere.employer_code
    from named_elsewhere
    left join employers on named_elsewhere.employer_code = employers.employer_code
    where named_elsewhere.employer_code is not null and employers.employer_code is null
),

versions as (
    select * from {{ ref('int_employer_versions') }}
),

final as (
    select
        employer_key,
        employer_code,
        employer_name,
        management_group_code,
        agency_code,
        is_state_budget,
        payment_cycle_months_count,
        employer_status_code,
        valid_from_date,
        valid_to_date,
        is_current,
        false as is_inferred
    from versions
    union all
    select
        employer_code || '|first' as employer_key,
        employer_code,
        null as employer_name,
        null as management_group_code,
        null as agency_code,
        null as is_state_budget,
        null as payment_cycle_months_count,
        null as employer_status_code,
        null as valid_from_date,
        null as valid_to_date,
        true as is_current,
        true as is_inferred
    from inferred
)

select * from final
