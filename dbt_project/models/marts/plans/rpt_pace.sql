-- Only the rows of this night; chotso.build.expose keeps those of earlier nights.
with
{{ judged_against_pace(
    ref('fct_nightly_attainment'), ref('fct_monthly_attainment'),
    ['agency_code', 'metric_code']
) }},

final as (
    select
        judged.agency_code,
        {{ agency_columns('judged') }}
        judged.business_date,
        -- the switch to a night's figures takes the mark from the nights before
        true as is_latest_night,
        judged.month,
        judged.metric_code,
        {{ metric_columns('judged') }}
        judged.actual_to_date,
        judged.plan_in_force,
        {{ plan_to_date() }} as plan_to_date,
        {{ shown_number('judged.attainment_ratio') }} as attainment_ratio,
        {{ status_columns('status') }},
        judged.is_met,
        judged.days_left_count,
        judged.missing_to_plan,
        judged.needed_per_day,
        judged.run_rate_per_day,
        {{ local_timestamp('judged.known_at') }} as data_as_of
    from judged
)

select * from final
