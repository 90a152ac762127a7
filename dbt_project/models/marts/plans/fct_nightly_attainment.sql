-- Only the rows of this night; chotso.build.expose keeps those of earlier nights, and none of a
-- refresh within the day.
with night as (
    select * from {{ ref('int_night') }}
),

shown as (
    select
        night.business_date,
        attainment.agency_code,
        attainment.agency_key,
        attainment.metric_code,
        attainment.month,
        attainment.actual_to_date,
        attainment.plan_in_force,
        attainment.attainment_ratio,
        attainment.is_met,
        attainment.known_at,
        attainment.is_province,
        metrics.kind_code,
        metrics.direction_code,
        night.year_start_date,
        night.year_end_date,
        -- a closed year's days are over
        least(night.business_date, night.year_end_date) as as_of_date
    from night
    inner join {{ ref('fct_monthly_attainment') }} as attainment on night.month = attainment.month
    inner join {{ ref('dim_metric') }} as metrics on attainment.metric_code = metrics.metric_code
),

-- the pace of a stock is its growth since the end of the year's first month
year_starts as (
    select
        agency_code,
        metric_code,
        month,
        actual_to_date
    from {{ ref('fct_monthly_attainment') }}
),

measured as (
    select
        shown.business_date,
        shown.agency_code,
        shown.agency_key,
        shown.metric_code,
        shown.month,
        shown.actual_to_date,
        shown.plan_in_force,
        shown.attainment_ratio,
        shown.is_met,
        shown.known_at,
        shown.is_province,
        shown.year_end_date - shown.as_of_date as days_left_count,
        {{ missing_to_plan('shown.actual_to_date') }} as missing_to_plan,
        case shown.kind_code
            when 'flow' then shown.actual_to_date
            when 'stock' then shown.actual_to_date - year_starts.actual_to_date
        end as grown,
        case shown.kind_code
            when 'flow' then shown.as_of_date - shown.year_start_date + 1
            when 'stock'
                then
                    shown.as_of_date
                    - (shown.year_start_date + interval '1 month' - interval '1 day')::date
        end as days_passed_count
    from shown
    left join year_starts
        on
            shown.agency_code = year_starts.agency_code
            and shown.metric_code = year_starts.metric_code
            and shown.year_start_date = year_starts.month
),

final as (
    select
        business_date,
        agency_code,
        agency_key,
        metric_code,
        month,
        actual_to_date,
        plan_in_force,
        attainment_ratio,
        is_met,
        days_left_count,
        missing_to_plan,
        case
            when missing_to_plan = 0 then 0
            when days_left_count > 0 then ceil(missing_to_plan / days_left_count)
        end as needed_per_day,
        case
            when days_passed_count > 0 then {{ exact_ratio('grown', 'days_passed_count') }}
        end as run_rate_per_day,
        known_at,
        is_province
    from measured
)

select * from final
