-- The first persons in the order of their pseudonyms, each with all spells.
with persons as (
    select person_id
    from {kept_items} as kept
    group by person_id
    order by person_id
    limit {lines}
)

select kept.*
from {kept_items} as kept
inner join persons on kept.person_id = persons.person_id
order by kept.person_id, kept.from_month, kept.spell_id
