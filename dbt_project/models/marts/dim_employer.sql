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

final as (
    select
        employer_code,
        employer_name,
        management_group_code,
        agency_code,
        is_state_budget,
        payment_cycle_months_count,
        employer_status_code,
        false as is_inferred
    from employers
    union all
    select
        employer_code,
        null as employer_name,
        null as management_group_code,
        null as agency_code,
        null as is_state_budget,
        null as payment_cycle_months_count,
        null as employer_status_code,
        true as is_inferred
    from inferred
)

select * from final
