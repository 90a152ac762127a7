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
    select
        universe.agency_code,
        universe.officer_code,
        universe.month,
        universe.metric_code,
        sum(collections.collected_vnd) filter (
            where collections.month = universe.month
        ) as of_month_vnd,
        sum(collections.collected_vnd) as to_date_vnd
    from universe
    inner join {{ ref('int_officer_collection_months') }} as collections
        on
            universe.agency_code = collections.agency_code
            and universe.officer_code = collections.officer_code
            and universe.metric_code = collections.metric_code
            and collections.month between universe.year_start_month and universe.month
    group by universe.agency_code, universe.officer_code, universe.month, universe.metric_code
),

-- each month's account with that month's officer: who hands an employer over keeps what was due
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
        -- without an account of the month there is nothing to divide, whatever the plan says
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
    -- an officer has one plan, wherever the employers are: it stands with the own agency alone
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
        -- a ratio's attainment is rounded once, from the fraction, not from its rounded value
        case
            when kind_code = 'ratio'
                then {{ exact_ratio('numerator', 'denominator * plan_in_force') }}
            else {{ exact_ratio('counted_to_date', 'plan_in_force') }}
        end as attainment_ratio,
        case
            when kind_code = 'ratio' and direction_code = 'below'
                then {{ is_ratio_below('numerator', 'denominator', 'plan_in_force') }}
            when kind_code = 'ratio'
                then not {{ is_ratio_below('numerator', 'denominator', 'plan_in_force') }}
            when direction_code = 'below' then counted_to_date < plan_in_force
            else counted_to_date >= plan_in_force
        end as is_met,
        known_at,
        agency_key,
        officer_key,
        is_own_agency,
        plan_final,
        case
            when plan_in_force is null and plan_original is null then 'none'
            when plan_in_force is null then 'not_yet'
            when plan_in_force = 0 then 'zero'
            else 'in_force'
        end as plan_status_code
    from measured
)

select * from final
