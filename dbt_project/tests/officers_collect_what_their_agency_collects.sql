-- Every đồng and every account of an agency belongs to one officer, or to none. So in each month,
-- the rows of the officers (with the unassigned row) add up to the agency's own figures.
with officers as (
    select
        agency_code,
        month,
        metric_code,
        sum(actual_to_date) filter (where numerator is null) as collected_vnd,
        sum(numerator) as arrears_vnd
    from {{ ref('fct_officer_attainment') }}
    where metric_code like 'collection%' or metric_code like 'arrears%'
    group by agency_code, month, metric_code
),

agencies as (
    select
        attainment.agency_code,
        attainment.month,
        attainment.metric_code,
        metrics.kind_code,
        attainment.actual_to_date,
        attainment.numerator
    from {{ ref('fct_monthly_attainment') }} as attainment
    inner join {{ ref('dim_metric') }} as metrics on attainment.metric_code = metrics.metric_code
    inner join {{ ref('int_agency_months') }} as agency_months
        on
            attainment.agency_code = agency_months.agency_code
            and attainment.month = agency_months.month
    where metrics.kind_code in ('flow', 'ratio') and not agency_months.is_province
)

select
    agencies.agency_code,
    agencies.month,
    agencies.metric_code
from agencies
left join officers
    on
        agencies.agency_code = officers.agency_code
        and agencies.month = officers.month
        and agencies.metric_code = officers.metric_code
where
    case agencies.kind_code
        when 'flow' then agencies.actual_to_date is distinct from officers.collected_vnd
        else agencies.numerator is distinct from officers.arrears_vnd
    end
