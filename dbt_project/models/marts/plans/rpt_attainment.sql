with
{{ judged_against_pace(
    ref('fct_monthly_attainment'), ref('fct_monthly_attainment'),
    ['agency_code', 'metric_code']
) }},

final as (
    select
        judged.agency_code,
        {{ agency_columns('judged') }}
        judged.month,
        calendar.month_name_vi,
        calendar.month_name_en,
        judged.month = latest.attainment_month as is_latest_month,
        judged.metric_code,
        {{ metric_columns('judged') }}
        judged.actual_month,
        judged.actual_to_date,
        judged.numerator,
        judged.denominator,
        judged.plan_original,
        judged.plan_in_force,
        judged.plan_final,
        {{ plan_to_date() }} as plan_to_date,
        {{ missing_to_plan('actual_to_date') }} as missing_to_plan,
        {{ shown_number('judged.attainment_ratio') }} as attainment_ratio,
        {{ shown_number(pace_ratio('actual_to_date')) }} as pace_ratio,
        {{ status_columns('status') }},
        judged.plan_status_code,
        {{ labels_of('plan_status', 'judged.plan_status_code', 'plan_status') }},
        judged.is_met,
        judged.quarantined_money,
        judged.quarantined_to_date,
        latest.data_as_of
    from judged
    inner join {{ ref('dim_month') }} as calendar on judged.month = calendar.month
    cross join {{ ref('int_latest_months') }} as latest
)

select * from final
