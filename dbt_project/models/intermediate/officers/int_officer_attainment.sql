with universe as (
    select
        officer_months.agency_code,
        officer_months.officer_code,
        officer_months.month,
        officer_months.year_start_month,
        officer_months.official_variant_code,
        officer_months.is_own_agency,
        officer_months.agency_key,
        officer_months.officer_key,
        metrics.metric_code,
        metrics.kind_code,
        metrics.direction_code,
        metrics.scheme_code,
        metrics.group_code,
        metrics.denominator_metric_code
    from {{ ref('int_officer_months') }} as officer_months
    cross join {{ ref('int_metrics') }} as metrics
),

flows as (
    {{ collected_to_date(
        ['agency_code', 'officer_code', 'metric_code'], ref('int_officer_collection_months')
    ) }}
),

-- each month's account belongs to that month's officer; a handover does not move earlier months
receivables as (
    select
        universe.agency_code,
        universe.officer_code,
        universe.month,
        universe.metric_code,
        sum(arrears.receivable_vnd) as receivable_to_date_vnd
    from universe
    inner join {{ ref('int_officer_arrears_months') }} as arrears
        on
            universe.agency_code = arrears.agency_code
            and universe.officer_code = arrears.officer_code
            and universe.group_code = arrears.group_code
            and arrears.month between universe.year_start_month and universe.month
    where universe.kind_code = 'ratio'
    group by universe.agency_code, universe.officer_code, universe.month, universe.metric_code
),

plans as (
    select
        object_code as officer_code,
        month,
        metric_code,
        plan_original,
        plan_in_force,
        plan_final
    from {{ ref('int_plan_months') }}
    where object_type_code = 'officer'
),

measured as (
    select
        universe.agency_code,
        universe.officer_code,
        universe.month,
        universe.metric_code,
        universe.kind_code,
        universe.direction_code,
        universe.is_own_agency,
        universe.agency_key,
        universe.officer_key,
        plans.plan_original,
        plans.plan_in_force,
        plans.plan_final,
        newest.known_at,
        case universe.kind_code
            when 'flow' then coalesce(flows.of_month_vnd, 0)
            when 'stock' then coalesce(participations.participant_count, 0)
        end as counted_month,
        case universe.kind_code
            when 'flow' then coalesce(flows.to_date_vnd, 0)
            when 'stock' then coalesce(participations.participant_count, 0)
        end as counted_to_date,
        case
            when universe.official_variant_code like 'interest~_bearing~_%' escape '~'
                then arrears.interest_bearing_arrears_vnd
            else arrears.arrears_vnd
        end as numerator,
        -- null if the month has no account, even if there is a plan
        case
            when arrears.agency_code is null then null
            when universe.official_variant_code like '%~_plan' escape '~'
                then denominators.plan_in_force
            else receivables.receivable_to_date_vnd
        end as denominator
    from universe
    cross join {{ ref('int_newest_batch') }} as newest
    left join flows
        on
            universe.agency_code = flows.agency_code
            and universe.officer_code = flows.officer_code
            and universe.month = flows.month
            and universe.metric_code = flows.metric_code
    left join {{ ref('int_officer_participation_counts') }} as participations
        on
            universe.agency_code = participations.agency_code
            and universe.officer_code = participations.officer_code
            and universe.month = participations.month
            and universe.scheme_code = participations.scheme_code
    left join {{ ref('int_officer_arrears_months') }} as arrears
        on
            universe.agency_code = arrears.agency_code
            and universe.officer_code = arrears.officer_code
            and universe.month = arrears.month
            and universe.group_code = arrears.group_code
    left join receivables
        on
            universe.agency_code = receivables.agency_code
            and universe.officer_code = receivables.officer_code
            and universe.month = receivables.month
            and universe.metric_code = receivables.metric_code
    -- an officer has one plan for all employers; it is only in the row of the own agency
    left join plans
        on
            universe.is_own_agency
            and universe.officer_code = plans.officer_code
            and universe.month = plans.month
            and universe.metric_code = plans.metric_code
    left join plans as denominators
        on
            universe.is_own_agency
            and universe.officer_code = denominators.officer_code
            and universe.month = denominators.month
            and universe.denominator_metric_code = denominators.metric_code
),

final as (
    select
        agency_code,
        officer_code,
        month,
        metric_code,
        case
            when kind_code = 'ratio' then {{ exact_ratio('numerator', 'denominator') }}
            else counted_month
        end as actual_month,
        case
            when kind_code = 'ratio' then {{ exact_ratio('numerator', 'denominator') }}
            else counted_to_date
        end as actual_to_date,
        numerator,
        denominator,
        plan_original,
        plan_in_force,
        {{ attainment_ratio('counted_to_date') }} as attainment_ratio,
        {{ is_plan_met('counted_to_date') }} as is_met,
        known_at,
        agency_key,
        officer_key,
        is_own_agency,
        plan_final,
        {{ plan_status() }} as plan_status_code
    from measured
)

select * from final
