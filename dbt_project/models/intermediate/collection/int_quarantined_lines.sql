-- Lines set aside, and accepted lines of documents with a version set aside (only lines tell the
-- fund of such money). Agency and month are from the document's version set aside, otherwise from
-- raw. A value that is unreadable, or in no register, is null, which matches any.
with set_aside as (
    select
        quarantine_id,
        document_code,
        line_number_text,
        fund_code,
        principal_vnd,
        set_aside_vnd
    from {{ ref('stg_quarantined_lines') }}
),

quarantined_documents as (
    select * from {{ ref('int_quarantined_documents') }}
),

accepted as (
    select
        null::bigint as quarantine_id,
        lines.document_code,
        lines.line_number::text as line_number_text,
        lines.fund_code,
        lines.principal_vnd::numeric as principal_vnd,
        lines.principal_vnd::numeric + lines.interest_vnd as set_aside_vnd
    from {{ ref('stg_allocations') }} as lines
    inner join quarantined_documents on lines.document_code = quarantined_documents.document_code
    where not exists (
        select 1 from set_aside
        where
            set_aside.document_code = lines.document_code
            and set_aside.line_number_text = lines.line_number::text
    )
),

lines as (
    select
        quarantine_id,
        document_code,
        line_number_text,
        fund_code,
        principal_vnd,
        set_aside_vnd
    from set_aside
    union all
    select
        quarantine_id,
        document_code,
        line_number_text,
        fund_code,
        principal_vnd,
        set_aside_vnd
    from accepted
),

known_documents as (
    select
        document_code,
        employer_code,
        agency_code,
        credited_month
    from {{ ref('stg_payments') }}
    where document_code in (select lines.document_code from lines)
),

attributed as (
    select
        lines.quarantine_id,
        lines.document_code,
        lines.line_number_text,
        lines.fund_code,
        lines.principal_vnd,
        lines.set_aside_vnd,
        -- a correction never changes the employer, so it may come from either version
        coalesce(known_documents.employer_code, quarantined_documents.employer_code)
            as employer_code,
        case
            when quarantined_documents.document_code is null then known_documents.agency_code
            else quarantined_documents.agency_code
        end as agency_code,
        case
            when quarantined_documents.document_code is null then known_documents.credited_month
            else quarantined_documents.credited_month
        end as month
    from lines
    left join quarantined_documents on lines.document_code = quarantined_documents.document_code
    left join known_documents on lines.document_code = known_documents.document_code
),

final as (
    select
        attributed.quarantine_id,
        attributed.document_code,
        attributed.line_number_text,
        attributed.employer_code,
        agencies.agency_code,
        attributed.month,
        funds.fund_code,
        attributed.principal_vnd,
        attributed.set_aside_vnd
    from attributed
    left join {{ ref('stg_agencies') }} as agencies
        on attributed.agency_code = agencies.agency_code
    left join {{ ref('int_funds') }} as funds on attributed.fund_code = funds.fund_code
)

select * from final
