-- Only the rows of this refresh; chotso.build.expose keeps those of earlier ones for some days.
with newest as (
    select * from {{ ref('int_newest_batch') }}
),

shown as (
    select * from {{ ref('fct_nightly_attainment') }}
),

final as (
    select
        shown.known_at,
        {{ local_timestamp('shown.known_at') }} as data_as_of,
        shown.business_date,
        shown.agency_code,
        shown.agency_key,
        shown.metric_code,
        shown.month,
        shown.actual_to_date,
        shown.plan_in_force,
        shown.attainment_ratio,
        shown.is_met,
        shown.days_left_count,
        shown.missing_to_plan,
        shown.needed_per_day,
        shown.is_province
    from shown
    inner join newest on shown.business_date = newest.business_date
    where newest.is_refresh
)

select * from final
