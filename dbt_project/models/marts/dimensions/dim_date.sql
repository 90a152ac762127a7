with months as (
    select * from {{ ref('dim_month') }}
),

final as (
    select
        series.day::date as day_date,
        months.month
    from months
    cross join lateral generate_series(
        months.month::timestamp, months.month_end_date::timestamp, interval '1 day'
    ) as series (day)
)

select * from final
