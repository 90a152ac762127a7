with variants as (
    select
        variants.variant_code,
        variants.is_interest_bearing,
        variants.is_by_plan
    from (
        values
        ('total_receivable', false, false),
        ('total_plan', false, true),
        ('interest_bearing_receivable', true, false),
        ('interest_bearing_plan', true, true)
    ) as variants (variant_code, is_interest_bearing, is_by_plan)
),

universe as (
    select
        agency_months.agency_code,
        agency_months.agency_key,
        agency_months.month,
        agency_months.official_variant_code,
        agency_months.is_province,
        metrics.metric_code,
        metrics.group_code,
        metrics.denominator_metric_code,
        variants.variant_code,
        variants.is_interest_bearing,
        variants.is_by_plan
    from {{ ref('int_agency_months') }} as agency_months
    cross join {{ ref('int_metrics') }} as metrics
    cross join variants
    where metrics.kind_code = 'ratio'
),

plans as (
    select
        object_code as agency_code,
        month,
        metric_code,
        plan_in_force
    from {{ ref('int_plan_months') }}
    where object_type_code = 'agency'
),

measured as (
    select
        universe.agency_code,
        universe.agency_key,
        universe.month,
        universe.group_code,
        universe.variant_code,
        universe.is_province,
        universe.variant_code = universe.official_variant_code as is_official,
        targets.plan_in_force as target_ratio,
        case
            when universe.is_interest_bearing then arrears.interest_bearing_arrears_vnd
            else arrears.arrears_vnd
        end as numerator,
        -- null if the month has no account, even if there is a plan
        case
            when arrears.agency_code is null then null
            when universe.is_by_plan then denominators.plan_in_force
            else receivable.receivable_to_date_vnd
        end as denominator
    from universe
    left join {{ ref('int_arrears_months') }} as arrears
        on
            universe.agency_code = arrears.agency_code
            and universe.month = arrears.month
            and universe.group_code = arrears.group_code
    left join {{ ref('int_receivable_to_date') }} as receivable
        on
            universe.agency_code = receivable.agency_code
            and universe.month = receivable.month
            and universe.group_code = receivable.group_code
    left join plans as denominators
        on
            universe.agency_code = denominators.agency_code
            and universe.month = denominators.month
            and universe.denominator_metric_code = denominators.metric_code
    left join plans as targets
        on
            universe.agency_code = targets.agency_code
            and universe.month = targets.month
            and universe.metric_code = targets.metric_code
),

judged as (
    select
        agency_code,
        month,
        group_code,
        variant_code,
        numerator,
        denominator,
        {{ exact_ratio('numerator', 'denominator') }} as ratio,
        {{ is_ratio_below('numerator', 'denominator', 'target_ratio') }} as is_met,
        coalesce(is_official, false) as is_official,
        agency_key,
        is_province
    from measured
),

final as (
    select
        agency_code,
        month,
        group_code,
        variant_code,
        numerator,
        denominator,
        ratio,
        is_met,
        is_official,
        agency_key,
        coalesce(
            bool_or(is_met) over by_group and not bool_and(is_met) over by_group, false
        ) as has_differing_verdicts,
        is_province
    from judged
    window by_group as (partition by agency_code, month, group_code)
)

select * from final
