{%- set entries = var('measures').get('pace', []) if var('measures') is mapping else [] -%}
-- How much of the year's plan is due by the last day that a month's figures can know.
with newest as (
    select business_date from {{ ref('int_newest_batch') }}
),

-- twelve shares for each configured pace; no rows where every pace is linear by day
shares as (
    select
        null::date as valid_from_month,
        null::integer as month_number,
        null::numeric as share
    where false
    {% for entry in entries if entry['monthly_shares'] %}
        {% set valid_from = "date '" ~ entry['from'] ~ "-01'" %}
        {% for share in entry['monthly_shares'] %}
            union all
            select
                {{ valid_from }},
                {{ loop.index }},
                {{ share }}::numeric
        {% endfor %}
    {% endfor %}
),

months as (
    select
        months.month,
        months.year_start_month,
        least(months.plan_limit_date, newest.business_date) as as_of_date,
        make_date(months.plan_year, 12, 31) as year_end_date,
        case
        {% for entry in entries | sort(attribute='from', reverse=true) %}
                when months.month >= date '{{ entry['from'] }}-01'
                    then {{ "date '" ~ entry['from'] ~ "-01'" if entry['monthly_shares']
                        else 'null::date' }}
            {% endfor %}
            when true then null::date
        end as pace_from_month
    from {{ ref('int_months') }} as months
    cross join newest
),

counted as (
    select
        month,
        as_of_date,
        pace_from_month,
        extract(month from month)::integer as month_number,
        year_end_date = as_of_date as is_year_over,
        year_end_date - year_start_month + 1 as year_days_count,
        as_of_date - year_start_month + 1 as year_days_passed_count,
        (month + interval '1 month')::date - month as month_days_count,
        as_of_date - month + 1 as month_days_passed_count,
        -- a stock grows from the end of January to the end of the year
        year_end_date - (year_start_month + interval '1 month' - interval '1 day')::date
            as stock_days_count,
        greatest(
            as_of_date - (year_start_month + interval '1 month' - interval '1 day')::date, 0
        ) as stock_days_passed_count
    from months
),

configured as (
    select
        counted.month,
        sum(shares.share) filter (where shares.month_number < counted.month_number)
            as share_before,
        sum(shares.share) filter (where shares.month_number = counted.month_number)
            as share_of_month
    from counted
    inner join shares on counted.pace_from_month = shares.valid_from_month
    group by counted.month
),

final as (
    select
        counted.month,
        counted.as_of_date,
        counted.is_year_over,
        counted.stock_days_count,
        counted.stock_days_passed_count,
        coalesce(
            coalesce(configured.share_before, 0) * counted.month_days_count
            + configured.share_of_month * counted.month_days_passed_count,
            counted.year_days_passed_count
        ) as due_numerator,
        case
            when configured.month is null then counted.year_days_count
            else counted.month_days_count
        end as due_denominator
    from counted
    left join configured on counted.month = configured.month
)

select * from final
