-- Differences that the previous or next month reverses exactly. Each difference is used once. In a
-- run of months that each reverse the previous one, the first two are a pair, then the next two;
-- the last month of an odd run has no pair.
with differences as (
    select
        employer_code,
        group_code,
        month,
        difference_vnd,
        lag(month) over months as month_before,
        lag(difference_vnd) over months as difference_before_vnd
    from {{ ref('int_reconciliation_sides') }}
    where difference_vnd <> 0 and group_code <> 'voluntary'
    window months as (partition by employer_code, group_code order by month)
),

runs as (
    select
        employer_code,
        group_code,
        month,
        count(*) filter (
            where
            difference_before_vnd is null
            or month_before <> (month - interval '1 month')::date
            or difference_before_vnd <> -difference_vnd
        ) over (partition by employer_code, group_code order by month) as run_number
    from differences
),

numbered as (
    select
        employer_code,
        group_code,
        month,
        row_number() over (
            partition by employer_code, group_code, run_number order by month
        ) as place_number,
        count(*) over (partition by employer_code, group_code, run_number) as run_length_count
    from runs
),

final as (
    select
        employer_code,
        month,
        group_code
    from numbered
    where place_number < run_length_count or run_length_count % 2 = 0
)

select * from final
