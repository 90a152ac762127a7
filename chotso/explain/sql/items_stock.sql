-- Spells that make persons active in the month: a person counts once, whatever number stands here.
select
    spells.person_id,
    spells.spell_id,
    spells.agency_code,
    spells.employer_code,
    spells.health_group_number,
    spells.from_month,
    spells.to_month,
    spells.recorded_at,
    spells.batch_id
from {state}.stg_participations as spells
inner join {state}.int_agency_members as members
    on spells.agency_code = members.member_agency_code
where
    members.agency_code = {agency_code}
    and spells.scheme_code = {scheme_code}
    and spells.is_valid
    and ({event_cutoff}::timestamptz is null or spells.recorded_at < {event_cutoff}::timestamptz)
    and spells.from_month <= {month}
    and (spells.to_month is null or spells.to_month >= {month})
order by spells.person_id, spells.from_month, spells.spell_id
