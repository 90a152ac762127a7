with
{{ judged_against_pace(
    ref('fct_officer_attainment'), ref('fct_officer_attainment'),
    ['agency_code', 'officer_code', 'metric_code']
) }},

final as (
    select
        judged.agency_code,
        {{ agency_columns('judged') }}
        judged.officer_code,
        case
            when judged.officer_code = 'unassigned' then 'Chưa phân công'
            else coalesce(officers.officer_name, judged.officer_code)
        end as officer_name,
        judged.officer_code = 'unassigned' as is_unassigned,
        judged.is_own_agency,
        judged.month,
        judged.month = latest.attainment_month as is_latest_month,
        judged.metric_code,
        {{ metric_columns('judged') }}
        judged.actual_month,
        judged.actual_to_date,
        judged.plan_in_force,
        {{ shown_number('judged.attainment_ratio') }} as attainment_ratio,
        {{ status_columns('status') }},
        judged.is_met,
        latest.data_as_of
    from judged
    left join {{ ref('int_officers') }} as officers on judged.officer_key = officers.officer_key
    cross join {{ ref('int_latest_months') }} as latest
)

select * from final
