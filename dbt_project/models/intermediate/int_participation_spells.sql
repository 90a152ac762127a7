-- Spells that count, cut to the months shown and the one before them (movements look back at it).
-- Who has one spell in a scheme, as most do, is only counted: nobody has to ask who that is.
with bounds as (
    select
        (min(month) - interval '1 month')::date as prior_month,
        max(month) as last_month
    from {{ ref('int_months') }}
),

valid_spells as (
    select
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        -- a month counts where the spell covers its first day
        (
            date_trunc('month', (from_month - 1)::timestamp) + interval '1 month'
        )::date as from_month,
        date_trunc('month', to_month::timestamp)::date as to_month
    from {{ ref('stg_participations') }}
    where
        is_valid
        and recorded_at < {{ event_cutoff() }}
),

spells as (
    select
        valid_spells.agency_code,
        valid_spells.scheme_code,
        valid_spells.health_group_number,
        valid_spells.person_id,
        greatest(valid_spells.from_month, bounds.prior_month) as from_month,
        least(valid_spells.to_month, bounds.last_month) as to_month
    from valid_spells
    inner join bounds
        on
            valid_spells.from_month <= bounds.last_month
            and coalesce(valid_spells.to_month, bounds.last_month) >= bounds.prior_month
    where coalesce(valid_spells.to_month, bounds.last_month) >= valid_spells.from_month
),

persons as (
    select
        scheme_code,
        person_id,
        count(*) as spell_count,
        min(agency_code) as agency_code,
        min(health_group_number) as health_group_number,
        min(from_month) as from_month,
        min(to_month) as to_month
    from spells
    group by scheme_code, person_id
),

final as (
    select
        agency_code,
        scheme_code,
        health_group_number,
        null::text as person_id,
        from_month,
        to_month,
        count(*) as person_count
    from persons
    where spell_count = 1
    group by agency_code, scheme_code, health_group_number, from_month, to_month
    union all
    select
        spells.agency_code,
        spells.scheme_code,
        spells.health_group_number,
        spells.person_id,
        spells.from_month,
        spells.to_month,
        1 as person_count
    from spells
    inner join persons
        on
            spells.scheme_code = persons.scheme_code
            and spells.person_id = persons.person_id
    where persons.spell_count > 1
)

select * from final
