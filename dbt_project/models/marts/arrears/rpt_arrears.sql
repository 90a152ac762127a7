with facts as (
    select * from {{ ref('fct_arrears_ratio') }}
),

variants as (
    select
        agency_code,
        month,
        group_code,
        max(ratio) filter (where variant_code = 'total_receivable') as ratio_total_receivable,
        max(ratio) filter (where variant_code = 'total_plan') as ratio_total_plan,
        max(ratio) filter (where variant_code = 'interest_bearing_receivable')
            as ratio_interest_bearing_receivable,
        max(ratio) filter (where variant_code = 'interest_bearing_plan')
            as ratio_interest_bearing_plan
    from facts
    group by agency_code, month, group_code
),

metrics as (
    select
        metric_code,
        group_code
    from {{ ref('int_metrics') }}
    where kind_code = 'ratio'
),

final as (
    select
        facts.agency_code,
        {{ agency_columns('judged') }}
        facts.month,
        facts.month = latest.accounts_month as is_latest_month,
        facts.group_code,
        {{ labels_of('group', 'facts.group_code', 'group') }},
        {{ label_order('group', 'facts.group_code') }} as group_order,
        facts.group_code = 'total' as is_total,
        facts.variant_code,
        {{ labels_of('variant', 'facts.variant_code', 'variant') }},
        facts.numerator as arrears_vnd,
        facts.denominator as denominator_vnd,
        facts.ratio as arrears_ratio,
        judged.plan_in_force as target_ratio,
        facts.is_met,
        judged.status_code,
        judged.status_vi,
        judged.status_en,
        judged.status_order,
        variants.ratio_total_receivable,
        variants.ratio_total_plan,
        variants.ratio_interest_bearing_receivable,
        variants.ratio_interest_bearing_plan,
        facts.has_differing_verdicts,
        judged.quarantined_money,
        latest.data_as_of
    from facts
    inner join variants
        on
            facts.agency_code = variants.agency_code
            and facts.month = variants.month
            and facts.group_code = variants.group_code
    inner join metrics on facts.group_code = metrics.group_code
    inner join {{ ref('rpt_attainment') }} as judged
        on
            facts.agency_code = judged.agency_code
            and facts.month = judged.month
            and metrics.metric_code = judged.metric_code
    cross join {{ ref('int_latest_months') }} as latest
    where facts.is_official
)

select * from final
