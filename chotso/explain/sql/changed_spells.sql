-- All spells of persons with a spell whose version, or whose agency's parents, differ.
with spells as (
    select
        coalesce(before_spells.spell_id, after_spells.spell_id) as spell_id,
        before_spells.person_id as before_person_id,
        before_spells.scheme_code as before_scheme_code,
        before_spells.agency_code as before_agency_code,
        before_spells.employer_code as before_employer_code,
        before_spells.from_month as before_from_month,
        before_spells.to_month as before_to_month,
        before_spells.is_valid as is_valid_before,
        before_spells.recorded_at as before_recorded_at,
        before_spells.batch_id as before_batch_id,
        after_spells.person_id as after_person_id,
        after_spells.scheme_code as after_scheme_code,
        after_spells.agency_code as after_agency_code,
        after_spells.employer_code as after_employer_code,
        after_spells.from_month as after_from_month,
        after_spells.to_month as after_to_month,
        after_spells.is_valid as is_valid_after,
        after_spells.recorded_at as after_recorded_at,
        after_spells.batch_id as after_batch_id,
        (
            before_spells.known_at is distinct from after_spells.known_at
            or before_spells.batch_id is distinct from after_spells.batch_id
        ) as is_changed
    from {before}.stg_participations as before_spells
    full join {after}.stg_participations as after_spells
        on before_spells.spell_id = after_spells.spell_id
),

touched as (
    select
        before_person_id,
        after_person_id
    from spells
    where is_changed or after_agency_code = any({moved})
),

persons as (
    select before_person_id as person_id from touched
    union
    select after_person_id from touched
),

-- two equality joins: one condition with `or` would compare every spell with every person
chosen as (
    select spells.spell_id
    from spells
    inner join persons on spells.before_person_id = persons.person_id
    union
    select spells.spell_id
    from spells
    inner join persons on spells.after_person_id = persons.person_id
)

select spells.*
from spells
inner join chosen on spells.spell_id = chosen.spell_id
