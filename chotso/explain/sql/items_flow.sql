-- Allocation lines of the year to the month that a collection figure of an agency counts.
select
    lines.document_code,
    lines.line_number,
    lines.agency_code,
    lines.employer_code,
    lines.fund_code,
    lines.paid_for_month,
    lines.credited_month,
    lines.credited_at,
    lines.recorded_at,
    lines.principal_vnd,
    lines.interest_vnd,
    lines.collected_vnd,
    lines.document_batch_id,
    lines.line_batch_id
from {state}.fct_contribution as lines
inner join {state}.int_agency_members as members
    on lines.agency_code = members.member_agency_code
inner join {state}.int_metric_funds as funds
    on lines.fund_code = funds.fund_code
where
    members.agency_code = {agency_code}
    and funds.metric_code = {metric_code}
    and lines.credited_month between {year_start} and {month}
order by lines.credited_at, lines.document_code collate "C", lines.line_number
