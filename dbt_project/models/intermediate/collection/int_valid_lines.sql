{{ config(materialized='view') }}

-- Allocation lines of documents that are valid as known, whenever they were credited.
with documents as (
    select
        document_code,
        employer_code,
        agency_code,
        payment_method_code,
        credited_at,
        credited_date,
        credited_month,
        recorded_at,
        batch_id
    from {{ ref('stg_payments') }}
    where is_valid
),

lines as (
    select
        document_code,
        line_number,
        fund_code,
        paid_for_month,
        principal_vnd,
        interest_vnd,
        batch_id
    from {{ ref('stg_allocations') }}
),

final as (
    select
        lines.document_code,
        lines.line_number,
        lines.fund_code,
        lines.paid_for_month,
        lines.principal_vnd,
        lines.interest_vnd,
        documents.employer_code,
        documents.agency_code,
        documents.payment_method_code,
        documents.credited_at,
        documents.credited_date,
        documents.credited_month,
        documents.recorded_at,
        documents.batch_id as document_batch_id,
        lines.batch_id as line_batch_id,
        documents.credited_at < {{ event_cutoff() }} as is_before_cutoff
    from lines
    inner join documents on lines.document_code = documents.document_code
)

select * from final
