with periods as (
    select * from {{ ref('int_emulation_periods') }}
),

participants as (
    select * from {{ ref('int_emulation_participants') }}
),

totals as (
    select
        period_id,
        participant_type,
        participant_code,
        sum(points) as total_points,
        sum(weight_points) as full_points
    from {{ ref('rpt_emulation_points') }}
    group by period_id, participant_type, participant_code
),

reasons as (
    select
        period_id,
        participant_type,
        participant_code,
        max(obstacle_code) filter (where reason_number = 1) as not_considered_code,
        string_agg(reason_vi, '; ' order by reason_number) as reasons_vi,
        string_agg(reason_en, '; ' order by reason_number) as reasons_en
    from {{ ref('int_emulation_obstacles') }}
    group by period_id, participant_type, participant_code
),

tie_figures as (
    select
        period_id,
        participant_type,
        participant_code,
        array_agg(attainment_order order by tie_position) as attainment_orders,
        array_agg(metric_code order by tie_position) as tie_codes
    from {{ ref('int_emulation_figures') }}
    where tie_position is not null
    group by period_id, participant_type, participant_code
),

standings as (
    select
        participants.period_id,
        participants.participant_type,
        participants.participant_code,
        participants.participant_name,
        participants.agency_code,
        participants.agency_key,
        participants.officer_key,
        participants.province_code,
        participants.measured_month,
        totals.full_points,
        reasons.not_considered_code,
        reasons.reasons_vi,
        reasons.reasons_en,
        tie_figures.tie_codes,
        coalesce(tie_figures.attainment_orders, '{}'::numeric[]) as attainment_orders,
        reasons.not_considered_code is null as is_considered,
        case when reasons.not_considered_code is null then totals.total_points end as total_points
    from participants
    left join totals
        on
            participants.period_id = totals.period_id
            and participants.participant_type = totals.participant_type
            and participants.participant_code = totals.participant_code
    left join reasons
        on
            participants.period_id = reasons.period_id
            and participants.participant_type = reasons.participant_type
            and participants.participant_code = reasons.participant_code
    left join tie_figures
        on
            participants.period_id = tie_figures.period_id
            and participants.participant_type = tie_figures.participant_type
            and participants.participant_code = tie_figures.participant_code
),

ranked as (
    select
        period_id,
        participant_type,
        participant_code,
        participant_name,
        agency_code,
        agency_key,
        officer_key,
        province_code,
        measured_month,
        full_points,
        not_considered_code,
        reasons_vi,
        reasons_en,
        tie_codes,
        attainment_orders,
        is_considered,
        total_points,
        rank() over (by_considered order by total_points desc, attainment_orders desc)
            as rank_number,
        count(*) over by_considered as considered_count
    from standings
    window by_considered as (
        partition by period_id, participant_type, province_code, is_considered
    )
),

-- each pair with the same total, and the first metric in which both differ, if any
pairs as (
    select
        ranked.period_id,
        ranked.participant_type,
        ranked.participant_code,
        (
            select min(positions.tie_position)
            from generate_subscripts(ranked.attainment_orders, 1) as positions (tie_position)
            where
                ranked.attainment_orders[positions.tie_position]
                <> others.attainment_orders[positions.tie_position]
        ) as separating_position
    from ranked
    inner join ranked as others
        on
            ranked.period_id = others.period_id
            and ranked.participant_type = others.participant_type
            and ranked.province_code is not distinct from others.province_code
            and ranked.participant_code <> others.participant_code
            and ranked.total_points = others.total_points
    where ranked.is_considered and others.is_considered
),

levels as (
    select
        period_id,
        participant_type,
        participant_code,
        max(separating_position) as deepest_position,
        count(separating_position) as level_count,
        count(*) - count(separating_position) as sharing_count
    from pairs
    group by period_id, participant_type, participant_code
),

placed as (
    select
        ranked.period_id,
        ranked.participant_type,
        ranked.participant_code,
        ranked.participant_name,
        ranked.agency_code,
        ranked.agency_key,
        ranked.officer_key,
        ranked.province_code,
        ranked.measured_month,
        ranked.full_points,
        ranked.not_considered_code,
        ranked.reasons_vi,
        ranked.reasons_en,
        ranked.is_considered,
        ranked.total_points,
        ranked.rank_number,
        ranked.considered_count,
        periods.period_name_vi,
        periods.period_name_en,
        periods.decimals_count,
        periods.is_at_cutoff,
        periods.data_as_of,
        metrics.metric_code as tie_broken_by,
        metrics.metric_name_vi as tie_metric_name_vi,
        metrics.metric_name_en as tie_metric_name_en,
        coalesce(levels.level_count, 0) as level_count,
        coalesce(levels.sharing_count, 0) as sharing_count
    from ranked
    inner join periods on ranked.period_id = periods.period_id
    left join levels
        on
            ranked.period_id = levels.period_id
            and ranked.participant_type = levels.participant_type
            and ranked.participant_code = levels.participant_code
    left join {{ ref('dim_metric') }} as metrics
        on ranked.tie_codes[levels.deepest_position] = metrics.metric_code
),

final as (
    select
        placed.period_id,
        placed.participant_type,
        placed.participant_code,
        placed.period_name_vi,
        placed.period_name_en,
        placed.participant_name,
        placed.agency_code,
        placed.province_code,
        placed.measured_month,
        placed.is_at_cutoff,
        placed.is_considered,
        placed.not_considered_code,
        placed.reasons_vi as not_considered_reason_vi,
        placed.reasons_en as not_considered_reason_en,
        placed.total_points,
        placed.full_points,
        case when placed.is_considered then placed.rank_number end as rank_number,
        placed.tie_broken_by,
        placed.sharing_count > 0 as is_rank_shared,
        {{ standing_text('vi') }} as explanation_vi,
        {{ standing_text('en') }} as explanation_en,
        placed.agency_key,
        placed.officer_key,
        -- a build ranks by what is known; for a sealed period, readers see the release's places
        false as is_sealed,
        null::text as release_id,
        {{ labels_of('participant_type', 'placed.participant_type', 'participant_type') }},
        {{ participant_short_name('placed') }} as participant_short_name,
        agencies.agency_name,
        agencies.agency_short_name,
        agencies.agency_level,
        coalesce(agencies.is_province, false) as is_province,
        (
            row_number() over (
                partition by placed.period_id, placed.participant_type, placed.province_code
                order by
                    placed.is_considered desc,
                    placed.rank_number asc,
                    placed.participant_code collate "C" asc
            )
        )::integer as ranking_order,
        {{ labels_of('ranking_state', "'provisional'", 'ranking_state') }},
        placed.data_as_of
    from placed
    left join {{ ref('int_agency_labels') }} as agencies
        on placed.agency_key = agencies.agency_key
)

select * from final
