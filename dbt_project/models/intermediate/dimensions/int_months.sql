-- The months shown: January of the first year to the month of the newest published business date.
with last_month as (
    select date_trunc('month', business_date::timestamp) as month from {{ ref('int_newest_batch') }}
),

calendar as (
    select
        series.month::date as month,
        (series.month + interval '1 month' - interval '1 day')::date as month_end_date,
        date_trunc('year', series.month)::date as year_start_month
    from last_month
    cross join lateral generate_series(
        make_date({{ var('first_year') }}, 1, 1)::timestamp, last_month.month, interval '1 month'
    ) as series (month)
),

final as (
    select
        month,
        month_end_date,
        year_start_month,
        extract(year from month)::int as plan_year,
        -- a decision that takes effect after the cutoff was not in force at the cutoff
        least(month_end_date, {{ local_date(event_cutoff()) }}) as plan_limit_date,
        {{ dated_measure('official_arrears_variant', 'month', 'text') }}
            as official_variant_code,
        coalesce({{ dated_measure('is_interest_collected', 'month', 'boolean') }}, false)
            as is_interest_collected
    from calendar
)

select * from final
