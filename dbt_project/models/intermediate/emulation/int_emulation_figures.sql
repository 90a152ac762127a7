-- Each participant's figure in each metric of the period, as an exact fraction.
with participants as (
    select * from {{ ref('int_emulation_participants') }}
),

metrics as (
    select * from {{ ref('int_emulation_metrics') }}
),

attainments as (
    select
        'agency' as participant_type,
        agency_code as participant_code,
        agency_code,
        month,
        metric_code,
        actual_to_date,
        numerator,
        denominator,
        plan_in_force,
        attainment_ratio,
        is_met
    from {{ ref('int_agency_attainment') }}
    union all
    select
        'officer' as participant_type,
        officer_code as participant_code,
        agency_code,
        month,
        metric_code,
        actual_to_date,
        numerator,
        denominator,
        plan_in_force,
        attainment_ratio,
        is_met
    from {{ ref('int_officer_attainment') }}
),

measured as (
    select
        participants.period_id,
        participants.participant_type,
        participants.participant_code,
        participants.participant_name,
        participants.province_code,
        participants.measured_month,
        metrics.metric_code,
        metrics.metric_name_vi,
        metrics.metric_name_en,
        metrics.unit_code,
        metrics.direction_code,
        metrics.sort_order,
        metrics.weight_points,
        metrics.is_gate,
        metrics.tie_position,
        attainments.actual_to_date,
        attainments.plan_in_force,
        attainments.attainment_ratio,
        attainments.is_met,
        -- a ratio is measured by its fraction, with a positive denominator
        case
            when attainments.actual_to_date is null then null
            when metrics.unit_code <> 'fraction' then attainments.actual_to_date
            else attainments.numerator * sign(attainments.denominator)
        end as actual_numerator,
        case
            when attainments.actual_to_date is null then null
            when metrics.unit_code <> 'fraction' then 1
            else abs(attainments.denominator)
        end as actual_denominator
    from participants
    inner join metrics
        on
            participants.period_id = metrics.period_id
            and participants.participant_type = metrics.participant_type
    left join attainments
        on
            participants.participant_type = attainments.participant_type
            and participants.participant_code = attainments.participant_code
            and participants.agency_code = attainments.agency_code
            and participants.measured_month = attainments.month
            and metrics.metric_code = attainments.metric_code
),

final as (
    select
        period_id,
        participant_type,
        participant_code,
        participant_name,
        province_code,
        measured_month,
        metric_code,
        metric_name_vi,
        metric_name_en,
        unit_code,
        direction_code,
        sort_order,
        weight_points,
        is_gate,
        tie_position,
        actual_to_date,
        plan_in_force,
        attainment_ratio,
        is_met,
        actual_numerator,
        actual_denominator,
        -- greater is better in both directions; the least value if it cannot be computed
        case
            when actual_numerator is null or coalesce(plan_in_force, 0) <= 0
                then '-infinity'::numeric
            when direction_code = 'below'
                then -{{ fraction_order('actual_numerator', 'actual_denominator * plan_in_force') }}
            else {{ fraction_order('actual_numerator', 'actual_denominator * plan_in_force') }}
        end as attainment_order
    from measured
)

select * from final
