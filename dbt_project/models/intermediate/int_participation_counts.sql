-- Distinct persons active per agency × month × scheme. No person × month is ever made: each spell
-- adds only the months that no earlier spell of the same person covers, as one start and one end.
with bounds as (
    select
        min(month) as first_month,
        max(month) as last_month
    from {{ ref('int_months') }}
),

spells as (
    select
        participations.agency_code,
        participations.scheme_code,
        participations.person_id,
        greatest(participations.from_month, bounds.first_month) as from_month,
        least(
            date_trunc('month', participations.to_month::timestamp)::date, bounds.last_month
        ) as to_month
    from {{ ref('stg_participations') }} as participations
    inner join bounds
        on
            participations.from_month <= bounds.last_month
            and coalesce(participations.to_month, bounds.last_month) >= bounds.first_month
    where
        participations.is_valid
        and participations.recorded_at < {{ event_cutoff() }}
        and coalesce(participations.to_month, bounds.last_month) >= participations.from_month
),

members as (
    select * from {{ ref('int_agency_members') }}
),

-- most persons have one spell, and need no sorting to be counted once
several as (
    select
        scheme_code,
        person_id
    from spells
    group by scheme_code, person_id
    having count(*) > 1
),

filed as (
    select
        members.agency_code,
        spells.scheme_code,
        spells.person_id,
        spells.from_month,
        spells.to_month,
        max(spells.to_month) over (
            partition by members.agency_code, spells.scheme_code, spells.person_id
            order by spells.from_month, spells.to_month
            rows between unbounded preceding and 1 preceding
        ) as reached_month
    from spells
    inner join several
        on
            spells.scheme_code = several.scheme_code
            and spells.person_id = several.person_id
    inner join members on spells.agency_code = members.member_agency_code
),

uncovered as (
    select
        agency_code,
        scheme_code,
        greatest(from_month, (reached_month + interval '1 month')::date) as from_month,
        to_month
    from filed
    where reached_month is null or reached_month < to_month
    union all
    select
        members.agency_code,
        spells.scheme_code,
        spells.from_month,
        spells.to_month
    from spells
    inner join members on spells.agency_code = members.member_agency_code
    where not exists (
        select 1 from several
        where
            several.scheme_code = spells.scheme_code
            and several.person_id = spells.person_id
    )
),

steps as (
    select
        agency_code,
        scheme_code,
        from_month as month,
        count(*) as person_change_count
    from uncovered
    group by agency_code, scheme_code, from_month
    union all
    select
        agency_code,
        scheme_code,
        (to_month + interval '1 month')::date as month,
        -count(*) as person_change_count
    from uncovered
    group by agency_code, scheme_code, to_month
),

final as (
    select
        months.month,
        steps.agency_code,
        steps.scheme_code,
        sum(steps.person_change_count) as participant_count
    from {{ ref('int_months') }} as months
    inner join steps on months.month >= steps.month
    group by months.month, steps.agency_code, steps.scheme_code
)

select * from final
