-- Rows set aside that could explain a difference, by employer: payment lines, documents without
-- lines, and accounts. An unreadable month or group is null, which matches any. Rows without an
-- employer explain no difference here; fct_monthly_attainment still shows their money.
with lines as (
    select
        lines.document_code,
        lines.employer_code,
        lines.month,
        lines.principal_vnd,
        funds.group_code,
        funds.fund_code is not null and funds.group_code is null as is_outside_accounts
    from {{ ref('int_quarantined_lines') }} as lines
    left join {{ ref('int_funds') }} as funds on lines.fund_code = funds.fund_code
),

documents as (
    select
        quarantined.document_code,
        coalesce(known.employer_code, quarantined.employer_code) as employer_code,
        quarantined.credited_month as month,
        known.credited_month as accepted_month
    from {{ ref('int_quarantined_documents') }} as quarantined
    left join {{ ref('stg_payments') }} as known
        on quarantined.document_code = known.document_code
),

items as (
    select
        employer_code,
        month,
        group_code,
        principal_vnd,
        0::numeric as allocated_vnd
    from lines
    where not is_outside_accounts
    union all
    select
        documents.employer_code,
        documents.month,
        null as group_code,
        0 as principal_vnd,
        0 as allocated_vnd
    from documents
    where
        not exists (
            select 1 from lines
            where lines.document_code = documents.document_code
        )
    union all
    -- while a correction is set aside, the accepted version counts in its month, perhaps wrongly
    select
        documents.employer_code,
        documents.accepted_month as month,
        lines.group_code,
        0 as principal_vnd,
        0 as allocated_vnd
    from documents
    inner join lines on documents.document_code = lines.document_code
    where documents.accepted_month <> documents.month and not lines.is_outside_accounts
    union all
    select
        employer_code,
        month,
        group_code,
        0 as principal_vnd,
        allocated_vnd
    from {{ ref('stg_quarantined_accounts') }}
),

final as (
    select
        employer_code,
        month,
        group_code,
        sum(principal_vnd) as principal_vnd,
        sum(allocated_vnd) as allocated_vnd,
        count(*) as item_count
    from items
    where employer_code is not null
    group by employer_code, month, group_code
)

select * from final
