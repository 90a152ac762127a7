with periods as (
    select * from {{ ref('int_emulation_periods') }}
),

excluded as (
    select
        period_id,
        participant_type,
        participant_code
    from {{ ref('int_emulation_obstacles') }}
    where reason_number = 1
),

judged as (
    select
        figures.*,
        periods.share_at_target,
        periods.excess_code,
        periods.decimals_count,
        periods.point_unit,
        figures.weight_points * periods.share_at_target as at_target_points,
        figures.plan_in_force * figures.actual_denominator as scaled_target,
        case
            when excluded.period_id is not null then 'not_considered'
            when figures.plan_in_force is null then 'no_plan'
            when figures.plan_in_force <= 0 then 'plan_zero'
            when figures.actual_numerator is null then 'no_figure'
            when figures.actual_numerator < 0 then 'negative'
            when not figures.is_met then 'below_target'
            when
                figures.actual_numerator = figures.plan_in_force * figures.actual_denominator
                then 'at_target'
            else 'above_target'
        end as result_code
    from {{ ref('int_emulation_figures') }} as figures
    inner join periods on figures.period_id = periods.period_id
    left join excluded
        on
            figures.period_id = excluded.period_id
            and figures.participant_type = excluded.participant_type
            and figures.participant_code = excluded.participant_code
    where figures.weight_points is not null
),

-- an excess is a fraction, too; participants who are not over the plan have none
exceeded as (
    select
        judged.period_id,
        judged.participant_type,
        judged.participant_code,
        judged.province_code,
        judged.metric_code,
        judged.participant_name,
        abs(judged.actual_numerator - judged.scaled_target) as excess_numerator,
        case judged.excess_code
            when 'amount' then judged.actual_denominator
            else judged.scaled_target
        end as excess_denominator
    from judged
    where judged.result_code = 'above_target'
),

-- agencies without a province are ranked among themselves
ordered as (
    select
        exceeded.period_id,
        exceeded.participant_type,
        exceeded.participant_code,
        exceeded.province_code,
        exceeded.metric_code,
        exceeded.excess_numerator,
        exceeded.excess_denominator,
        coalesce(exceeded.participant_name, exceeded.participant_code) as participant_name,
        rank() over (
            partition by
                exceeded.period_id, exceeded.participant_type, exceeded.metric_code,
                exceeded.province_code
            order by
                {{ fraction_order('excess_numerator', 'excess_denominator') }} desc
        ) as excess_rank
    from exceeded
),

leaders as (
    select
        ordered.period_id,
        ordered.participant_type,
        ordered.metric_code,
        ordered.province_code,
        string_agg(
            ordered.participant_name, ', ' order by ordered.participant_code collate "C"
        ) as leader_names,
        string_agg(
            ordered.participant_code, ', ' order by ordered.participant_code collate "C"
        ) as leader_codes,
        -- the leaders' fractions are equal; numerator and denominator must be of the same leader
        {{ of_first_leader('ordered.excess_numerator') }} as leader_numerator,
        {{ of_first_leader('ordered.excess_denominator') }} as leader_denominator
    from ordered
    where ordered.excess_rank = 1
    group by
        ordered.period_id, ordered.participant_type, ordered.metric_code, ordered.province_code
),

compared as (
    select
        judged.period_id,
        judged.participant_type,
        judged.participant_code,
        judged.participant_name,
        judged.measured_month,
        judged.metric_code,
        judged.metric_name_vi,
        judged.metric_name_en,
        judged.unit_code,
        judged.direction_code,
        judged.weight_points,
        judged.is_gate,
        judged.actual_to_date,
        judged.plan_in_force,
        judged.attainment_ratio,
        judged.actual_numerator,
        judged.scaled_target,
        judged.share_at_target,
        judged.at_target_points,
        judged.excess_code,
        judged.decimals_count,
        judged.point_unit,
        leaders.leader_names,
        leaders.leader_codes,
        ordered.excess_numerator,
        ordered.excess_denominator,
        leaders.leader_numerator,
        leaders.leader_denominator,
        case when ordered.excess_rank = 1 then 'leader' else judged.result_code end as result_code
    from judged
    left join ordered
        on
            judged.period_id = ordered.period_id
            and judged.participant_type = ordered.participant_type
            and judged.participant_code = ordered.participant_code
            and judged.metric_code = ordered.metric_code
    left join leaders
        on
            judged.result_code <> 'not_considered'
            and judged.period_id = leaders.period_id
            and judged.participant_type = leaders.participant_type
            and judged.metric_code = leaders.metric_code
            and judged.province_code is not distinct from leaders.province_code
),

scored as (
    select
        period_id,
        participant_type,
        participant_code,
        participant_name,
        measured_month,
        metric_code,
        metric_name_vi,
        metric_name_en,
        unit_code,
        direction_code,
        weight_points,
        is_gate,
        actual_to_date,
        plan_in_force,
        attainment_ratio,
        at_target_points,
        excess_code,
        decimals_count,
        leader_names,
        leader_codes,
        result_code,
        case result_code
            when 'not_considered' then null
            when 'leader' then {{ rounded_points('weight_points', '1', 'point_unit') }}
            when 'above_target'
                then {{ rounded_points(
                    'weight_points * (share_at_target * excess_denominator * leader_numerator'
                    ~ ' + (1 - share_at_target) * excess_numerator * leader_denominator)',
                    'excess_denominator * leader_numerator',
                    'point_unit'
                ) }}
            when 'at_target' then {{ rounded_points('at_target_points', '1', 'point_unit') }}
            when 'below_target'
                then case direction_code
                    when 'below'
                        then {{ rounded_points(
                            'at_target_points * scaled_target', 'actual_numerator', 'point_unit'
                        ) }}
                    else {{ rounded_points(
                        'at_target_points * actual_numerator', 'scaled_target', 'point_unit'
                    ) }}
                end
            else 0 * point_unit
        end as points,
        {{ exact_ratio('excess_numerator', 'excess_denominator') }} as excess_ratio,
        {{ exact_ratio('leader_numerator', 'leader_denominator') }} as leader_excess_ratio,
        {{ exact_ratio(
            'excess_numerator * leader_denominator', 'excess_denominator * leader_numerator'
        ) }} as share_of_leader_ratio
    from compared
),

final as (
    select
        scored.period_id,
        scored.participant_type,
        scored.participant_code,
        scored.metric_code,
        scored.measured_month,
        scored.actual_to_date,
        scored.plan_in_force,
        scored.attainment_ratio,
        scored.weight_points,
        scored.is_gate,
        scored.result_code,
        scored.excess_ratio,
        scored.leader_codes,
        scored.leader_excess_ratio,
        scored.points,
        {{ point_text('vi') }} as explanation_vi,
        {{ point_text('en') }} as explanation_en,
        -- see rpt_emulation_ranking
        false as is_sealed,
        null::text as release_id,
        scored.participant_name,
        {{ point_labels('scored', 'periods') }}
    from scored
    inner join periods on scored.period_id = periods.period_id
)

select * from final
