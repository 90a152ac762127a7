-- Each person once, wherever they are active: what the sums over places must not fall below.
{%- set keys = ['scheme_code', 'month'] %}
with newest as (
    select max(month) as month from {{ ref('int_months') }}
),

changes as (
    select
        spells.scheme_code,
        newest.month,
        spells.sign
        * (
            coalesce(sum(spells.person_count) filter (where spells.person_id is null), 0)
            + count(distinct spells.person_id)
        ) as person_count
    from {{ ref('int_participation_spells') }} as spells
    inner join newest on newest.month between spells.from_month and spells.to_month
    group by spells.scheme_code, newest.month, spells.sign
),

final as (
    {{ added_to_kept('changes', keys, ['person_count'], 'int_active_persons') }}
)

select * from final
