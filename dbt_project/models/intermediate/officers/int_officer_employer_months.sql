-- The officer responsible for an employer's accounts and spells of a month: the officer on its last
-- day, or on the day of the cutoff. Consecutive months of one officer are one row. All months of an
-- employer that ever had an officer are included; months without one are `unassigned`.
with assignments as (
    select * from {{ ref('int_officer_assignments') }}
),

employers as (
    select employer_code from assignments
    group by employer_code
),

judged as (
    select
        employers.employer_code,
        months.month,
        coalesce(assignments.officer_code, 'unassigned') as officer_code
    from employers
    cross join {{ ref('int_months') }} as months
    left join assignments
        on
            employers.employer_code = assignments.employer_code
            and months.plan_limit_date between assignments.from_date and assignments.to_date
),

numbered as (
    select
        employer_code,
        month,
        officer_code,
        row_number() over (partition by employer_code order by month)
        - row_number() over (partition by employer_code, officer_code order by month)
            as stretch_number
    from judged
),

final as (
    select
        employer_code,
        officer_code,
        min(month) as from_month,
        max(month) as to_month
    from numbered
    group by employer_code, officer_code, stretch_number
)

select * from final
