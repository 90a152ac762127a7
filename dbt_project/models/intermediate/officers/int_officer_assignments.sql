-- The officer in charge of an employer, and on which days. If assignments overlap, the one that
-- began last counts. When it ends, an earlier one that still runs counts again.
with assignments as (
    select
        employer_code,
        officer_code,
        assigned_from_date,
        coalesce(assigned_to_date, date 'infinity') as assigned_to_date
    from {{ ref('stg_assignments') }}
    where officer_code is not null
),

bounds as (
    select
        employer_code,
        assigned_from_date as from_date
    from assignments
    union
    select
        employer_code,
        assigned_to_date + 1 as from_date
    from assignments
    where assigned_to_date < date 'infinity'
),

ranges as (
    select
        employer_code,
        from_date,
        coalesce(
            lead(from_date) over (partition by employer_code order by from_date) - 1,
            date 'infinity'
        ) as to_date
    from bounds
),

in_charge as (
    select
        ranges.employer_code,
        ranges.from_date,
        ranges.to_date,
        assignments.officer_code,
        row_number() over (
            partition by ranges.employer_code, ranges.from_date
            order by assignments.assigned_from_date desc, assignments.officer_code collate "C" desc
        ) as preference_rank
    from ranges
    inner join assignments
        on
            ranges.employer_code = assignments.employer_code
            and ranges.from_date between assignments.assigned_from_date
            and assignments.assigned_to_date
),

final as (
    select
        employer_code,
        from_date,
        to_date,
        officer_code
    from in_charge
    where preference_rank = 1
)

select * from final
