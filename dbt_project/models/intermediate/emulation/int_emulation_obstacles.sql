-- Why a participant is not considered: the gates and weighted metrics by which it is excluded.
with figures as (
    select * from {{ ref('int_emulation_figures') }}
    where is_gate or weight_points is not null
),

periods as (
    select
        period_id,
        string_to_array(obstacle_codes, ',') as obstacle_codes
    from {{ ref('int_emulation_periods') }}
),

found as (
    select
        figures.period_id,
        figures.participant_type,
        figures.participant_code,
        figures.measured_month,
        figures.metric_code,
        figures.metric_name_vi,
        figures.metric_name_en,
        figures.unit_code,
        figures.direction_code,
        figures.sort_order,
        figures.actual_to_date,
        figures.plan_in_force,
        obstacles.obstacle_code
    from figures
    cross join
        lateral (
            values
            ('gate_failed', figures.is_gate and not figures.is_met),
            ('no_plan', figures.plan_in_force is null),
            ('plan_zero', figures.plan_in_force <= 0),
            ('no_figure', figures.actual_numerator is null)
        ) as obstacles (obstacle_code, is_found)
    where obstacles.is_found
),

final as (
    select
        found.period_id,
        found.participant_type,
        found.participant_code,
        found.metric_code,
        found.obstacle_code,
        row_number() over (
            partition by found.period_id, found.participant_type, found.participant_code
            order by array_position(periods.obstacle_codes, found.obstacle_code), found.sort_order
        ) as reason_number,
        {{ obstacle_text('vi') }} as reason_vi,
        {{ obstacle_text('en') }} as reason_en
    from found
    inner join periods
        on
            found.period_id = periods.period_id
            and found.obstacle_code = any(periods.obstacle_codes)
)

select * from final
