-- Persons with one spell in a scheme, as most have, are only counted; their ids are not needed.
with spells as (
    select
        *,
        count(*) over (partition by sign, person_id, scheme_code) as spell_count
    from {{ ref('int_valid_spells') }}
),

final as (
    select
        agency_code,
        scheme_code,
        health_group_number,
        null::text as person_id,
        from_month,
        to_month,
        sign,
        count(*) as person_count
    from spells
    where spell_count = 1
    group by agency_code, scheme_code, health_group_number, from_month, to_month, sign
    union all
    select
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        from_month,
        to_month,
        sign,
        1 as person_count
    from spells
    where spell_count > 1
)

select * from final
