-- Đồng collected per agency × month of credit × collection metric; also of agencies not in force.
with lines as (
    select
        agency_code,
        credited_month,
        fund_code,
        sum(collected_vnd) as collected_vnd
    from {{ ref('int_contributions') }}
    group by agency_code, credited_month, fund_code
),

members as (
    select * from {{ ref('int_agency_members') }}
),

metric_funds as (
    select * from {{ ref('int_metric_funds') }}
),

final as (
    select
        members.agency_code,
        lines.credited_month as month,
        metric_funds.metric_code,
        sum(lines.collected_vnd) as collected_vnd
    from lines
    inner join members on lines.agency_code = members.member_agency_code
    inner join metric_funds on lines.fund_code = metric_funds.fund_code
    group by members.agency_code, lines.credited_month, metric_funds.metric_code
)

select * from final
