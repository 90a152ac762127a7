-- As for agencies, there are no rows per person × month. A spell is cut only when its employer
-- changes officers. Each piece adds, as one start and one end, the months that no earlier piece of
-- the same person covers.
{%- set keys = ['agency_code', 'officer_code', 'scheme_code', 'month'] %}
with first_month as (
    select min(month) as month from {{ ref('int_months') }}
),

spells as (
    select
        valid_spells.agency_code,
        valid_spells.scheme_code,
        valid_spells.person_id,
        valid_spells.employer_code,
        valid_spells.sign,
        greatest(valid_spells.from_month, first_month.month) as from_month,
        valid_spells.to_month
    from {{ ref('int_valid_spells') }} as valid_spells
    inner join first_month on valid_spells.to_month >= first_month.month
),

employer_months as (
    select
        employer_code,
        officer_code,
        from_month,
        to_month,
        1 as sign
    from {{ ref('int_officer_employer_months') }}
    union all
    select
        employer_code,
        officer_code,
        from_month,
        to_month,
        -1 as sign
    from {{ ref('int_officer_employer_months_before') }}
),

pieces as (
    select
        spells.agency_code,
        coalesce(employer_months.officer_code, 'unassigned') as officer_code,
        spells.scheme_code,
        spells.person_id,
        spells.sign,
        -- greatest and least ignore the nulls of an employer that never had an officer
        greatest(spells.from_month, employer_months.from_month) as from_month,
        least(spells.to_month, employer_months.to_month) as to_month
    from spells
    left join employer_months
        on
            spells.employer_code = employer_months.employer_code
            and spells.sign = employer_months.sign
            and spells.from_month <= employer_months.to_month
            and spells.to_month >= employer_months.from_month
),

-- most persons have one piece per officer; these can be counted without sorting
grouped as (
    select
        agency_code,
        officer_code,
        scheme_code,
        person_id,
        sign,
        count(*) as piece_count,
        min(from_month) as from_month,
        max(to_month) as to_month
    from pieces
    group by agency_code, officer_code, scheme_code, person_id, sign
),

several as (
    select
        agency_code,
        officer_code,
        scheme_code,
        person_id,
        sign
    from grouped
    where piece_count > 1
),

filed as (
    select
        pieces.agency_code,
        pieces.officer_code,
        pieces.scheme_code,
        pieces.from_month,
        pieces.to_month,
        pieces.sign,
        max(pieces.to_month) over (
            partition by
                pieces.sign, pieces.agency_code, pieces.officer_code, pieces.scheme_code,
                pieces.person_id
            order by pieces.from_month, pieces.to_month
            rows between unbounded preceding and 1 preceding
        ) as reached_month
    from pieces
    inner join several
        on
            pieces.person_id = several.person_id
            and pieces.sign = several.sign
            and pieces.scheme_code = several.scheme_code
            and pieces.agency_code = several.agency_code
            and pieces.officer_code = several.officer_code
),

uncovered as (
    select
        agency_code,
        officer_code,
        scheme_code,
        greatest(from_month, (reached_month + interval '1 month')::date) as from_month,
        to_month,
        sign
    from filed
    where reached_month is null or reached_month < to_month
    union all
    select
        agency_code,
        officer_code,
        scheme_code,
        from_month,
        to_month,
        sign
    from grouped
    where piece_count = 1
),

changes as (
    select
        agency_code,
        officer_code,
        scheme_code,
        from_month as month,
        sum(sign) as person_change_count
    from uncovered
    group by agency_code, officer_code, scheme_code, from_month
    union all
    select
        agency_code,
        officer_code,
        scheme_code,
        (to_month + interval '1 month')::date as month,
        -sum(sign) as person_change_count
    from uncovered
    group by agency_code, officer_code, scheme_code, to_month
),

final as (
    {{ added_to_kept('changes', keys, ['person_change_count'], 'int_officer_participation_steps') }}
)

select * from final
