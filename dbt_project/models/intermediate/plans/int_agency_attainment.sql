with universe as (
    select
        agency_months.agency_code,
        agency_months.agency_key,
        agency_months.month,
        agency_months.year_start_month,
        agency_months.is_province,
        metrics.metric_code,
        metrics.kind_code,
        metrics.direction_code,
        metrics.scheme_code,
        metrics.group_code
    from {{ ref('int_agency_months') }} as agency_months
    cross join {{ ref('int_metrics') }} as metrics
),

flows as (
    {{ collected_to_date(['agency_code', 'metric_code'], ref('int_collection_months')) }}
),

official_ratios as (
    select * from {{ ref('int_arrears_ratios') }}
    where is_official
),

plans as (
    select
        object_code as agency_code,
        month,
        metric_code,
        plan_original,
        plan_in_force,
        plan_final
    from {{ ref('int_plan_months') }}
    where object_type_code = 'agency'
),

measured as (
    select
        universe.agency_code,
        universe.agency_key,
        universe.month,
        universe.metric_code,
        universe.kind_code,
        universe.direction_code,
        universe.is_province,
        official_ratios.numerator,
        official_ratios.denominator,
        plans.plan_original,
        plans.plan_in_force,
        plans.plan_final,
        newest.known_at,
        case universe.kind_code
            when 'flow' then coalesce(flows.of_month_vnd, 0)
            when 'stock' then participations.participant_count
            when 'ratio' then official_ratios.ratio
        end as actual_month,
        case universe.kind_code
            when 'flow' then coalesce(flows.to_date_vnd, 0)
            when 'stock' then participations.participant_count
            when 'ratio' then official_ratios.ratio
        end as actual_to_date,
        coalesce(quarantined.quarantined_money, 0) as quarantined_money,
        coalesce(to_date.quarantined_to_date, 0) as quarantined_to_date
    from universe
    cross join {{ ref('int_newest_batch') }} as newest
    left join flows
        on
            universe.agency_code = flows.agency_code
            and universe.month = flows.month
            and universe.metric_code = flows.metric_code
    left join {{ ref('int_participation_months') }} as participations
        on
            universe.agency_code = participations.agency_code
            and universe.month = participations.month
            and universe.scheme_code = participations.scheme_code
    left join official_ratios
        on
            universe.agency_code = official_ratios.agency_code
            and universe.month = official_ratios.month
            and universe.group_code = official_ratios.group_code
    left join plans
        on
            universe.agency_code = plans.agency_code
            and universe.month = plans.month
            and universe.metric_code = plans.metric_code
    left join {{ ref('int_quarantined_money') }} as quarantined
        on
            universe.agency_code = quarantined.agency_code
            and universe.month = quarantined.month
            and universe.metric_code = quarantined.metric_code
    left join {{ ref('int_quarantined_to_date') }} as to_date
        on
            universe.agency_code = to_date.agency_code
            and universe.month = to_date.month
            and universe.metric_code = to_date.metric_code
),

final as (
    select
        agency_code,
        month,
        metric_code,
        actual_month,
        actual_to_date,
        numerator,
        denominator,
        plan_original,
        plan_in_force,
        {{ attainment_ratio('actual_to_date') }} as attainment_ratio,
        {{ is_plan_met('actual_to_date') }} as is_met,
        quarantined_money,
        known_at,
        agency_key,
        plan_final,
        {{ plan_status() }} as plan_status_code,
        quarantined_to_date,
        is_province
    from measured
)

select * from final
