-- Whom a build with kept sums reads: persons with a changed spell, and persons with a spell at an
-- employer that has other officers than it had. Their old sums are taken away, new ones are added.
with now as (
    select
        employer_code,
        officer_code,
        from_month,
        to_month
    from {{ ref('int_officer_employer_months') }}
),

before as (
    select
        employer_code,
        officer_code,
        from_month,
        to_month
    from {{ ref('int_officer_employer_months_before') }}
),

changed_employers as (
    (
        select * from now
        except
        select * from before
    )
    union
    (
        select * from before
        except
        select * from now
    )
),

final as (
    select person_id from {{ ref('stg_participation_changes') }}
    union
    select spells.person_id
    from {{ ref('stg_participations') }} as spells
    where spells.employer_code in (select changed_employers.employer_code from changed_employers)
)

select * from final
