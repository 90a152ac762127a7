-- A province's collection of a month is the sum of its own and its members' lines, each once.
with provinces as (
    select agency_code from {{ ref('dim_agency') }}
    where is_province and is_current
),

lines as (
    select
        members.agency_code,
        contributions.credited_month as month,
        sum(contributions.collected_vnd) as collected_vnd
    from {{ ref('fct_contribution') }} as contributions
    inner join {{ ref('int_agency_members') }} as members
        on contributions.agency_code = members.member_agency_code
    group by members.agency_code, contributions.credited_month
)

select
    shown.agency_code,
    shown.month
from {{ ref('fct_monthly_attainment') }} as shown
inner join provinces on shown.agency_code = provinces.agency_code
left join lines
    on
        shown.agency_code = lines.agency_code
        and shown.month = lines.month
where
    shown.metric_code = 'collection_total'
    and shown.actual_month <> coalesce(lines.collected_vnd, 0)
