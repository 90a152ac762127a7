-- Đồng collected per agency × officer × month of credit × collection metric. It is the employer's
-- officer on the local day of the credit.
with lines as (
    select
        contributions.agency_code,
        coalesce(assignments.officer_code, 'unassigned') as officer_code,
        contributions.credited_month,
        contributions.fund_code,
        sum(contributions.collected_vnd) as collected_vnd
    from {{ ref('int_contributions') }} as contributions
    left join {{ ref('int_officer_assignments') }} as assignments
        on
            contributions.employer_code = assignments.employer_code
            and contributions.credited_date between assignments.from_date and assignments.to_date
    group by
        contributions.agency_code,
        coalesce(assignments.officer_code, 'unassigned'),
        contributions.credited_month,
        contributions.fund_code
),

metric_funds as (
    select * from {{ ref('int_metric_funds') }}
),

final as (
    select
        lines.agency_code,
        lines.officer_code,
        lines.credited_month as month,
        metric_funds.metric_code,
        sum(lines.collected_vnd) as collected_vnd
    from lines
    inner join metric_funds on lines.fund_code = metric_funds.fund_code
    group by lines.agency_code, lines.officer_code, lines.credited_month, metric_funds.metric_code
)

select * from final
