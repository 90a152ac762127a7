-- All đồng set aside that could still change a figure to date, each once. This is the only
-- definition: the seal's precondition, a release's data and papers, and `chotso status` use it.
with to_date as (
    select
        agency_code,
        month,
        case metric_code
            when 'collection_total' then 'collection'
            when 'arrears_ratio_total' then 'arrears'
        end as kind_code,
        quarantined_to_date as at_stake_vnd
    from {{ ref('int_quarantined_to_date') }}
    where metric_code in ('collection_total', 'arrears_ratio_total')
),

final as (
    select
        agency_code,
        month,
        kind_code,
        at_stake_vnd
    from to_date
    union all
    select
        agency_code,
        month,
        'plan' as kind_code,
        plan_vnd as at_stake_vnd
    from {{ ref('int_quarantined_plans') }}
    where plan_vnd > 0
)

select * from final
