-- The first persons in the order of their pseudonyms, each with all spells.
with persons as (
    select person_id
    from explain_items
    group by person_id
    order by person_id
    limit {lines}
)

select explain_items.*
from explain_items
inner join persons on explain_items.person_id = persons.person_id
order by explain_items.person_id, explain_items.from_month, explain_items.spell_id
