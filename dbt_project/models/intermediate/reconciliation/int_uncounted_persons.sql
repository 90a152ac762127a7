-- Spells are expanded to months only where their agency is outside all provinces.
{%- set keys = ['metric_code', 'agency_code', 'month'] %}
with months as (
    select month from {{ ref('int_months') }}
),

spells as (
    select * from {{ ref('int_participation_spells') }}
),

counted as (
    select
        members.member_agency_code as agency_code,
        shown.month
    from {{ ref('int_agency_months') }} as shown
    inner join {{ ref('int_agency_members') }} as members
        on shown.agency_code = members.agency_code
    where shown.is_province
    group by members.member_agency_code, shown.month
),

spell_places as (
    select
        agencies.agency_code,
        months.month
    from (select distinct agency_code from spells) as agencies
    cross join months
    left join counted
        on
            agencies.agency_code = counted.agency_code
            and months.month = counted.month
    where counted.agency_code is null
),

changes as (
    select
        'participants_' || spells.scheme_code as metric_code,
        spell_places.agency_code,
        spell_places.month,
        sum(spells.sign * spells.person_count) as fact_count
    from spell_places
    inner join spells
        on
            spell_places.agency_code = spells.agency_code
            and spell_places.month between spells.from_month and spells.to_month
    group by spells.scheme_code, spell_places.agency_code, spell_places.month
),

final as (
    {{ added_to_kept('changes', keys, ['fact_count'], 'int_uncounted_persons') }}
)

select * from final
