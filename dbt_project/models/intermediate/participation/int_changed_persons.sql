-- Whom a build with kept sums reads: persons with a changed spell, and persons with a spell at an
-- employer that has other officers than it had. Their old sums are taken away, their new ones added.
with changed_employers as (
    {%- if has_kept() %}
    (
        select employer_code, officer_code, from_month, to_month
        from {{ ref('int_officer_employer_months') }}
        except
        select employer_code, officer_code, from_month, to_month
        from {{ kept('int_officer_employer_months') }}
    )
    union
    (
        select employer_code, officer_code, from_month, to_month
        from {{ kept('int_officer_employer_months') }}
        except
        select employer_code, officer_code, from_month, to_month
        from {{ ref('int_officer_employer_months') }}
    )
    {%- else %}
    select employer_code from {{ ref('int_officer_employer_months') }}
    where false
    {%- endif %}
),

final as (
    select person_id from {{ ref('stg_participation_changes') }}
    union
    select spells.person_id
    from {{ ref('stg_participations') }} as spells
    where spells.employer_code in (select changed_employers.employer_code from changed_employers)
)

select * from final
