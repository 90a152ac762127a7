-- Allocation lines whose own version, document's version or agency's parents differ.
with before_lines as (
    select
        lines.document_code,
        lines.line_number,
        lines.fund_code,
        lines.principal_vnd,
        lines.interest_vnd,
        lines.known_at,
        lines.batch_id
    from {before}.stg_allocations as lines
),

after_lines as (
    select
        lines.document_code,
        lines.line_number,
        lines.fund_code,
        lines.principal_vnd,
        lines.interest_vnd,
        lines.known_at,
        lines.batch_id
    from {after}.stg_allocations as lines
),

lines as (
    select
        coalesce(before_lines.document_code, after_lines.document_code) as document_code,
        coalesce(before_lines.line_number, after_lines.line_number) as line_number,
        before_lines.fund_code as before_fund_code,
        before_lines.principal_vnd as before_principal_vnd,
        before_lines.interest_vnd as before_interest_vnd,
        before_lines.batch_id as before_line_batch_id,
        after_lines.fund_code as after_fund_code,
        after_lines.principal_vnd as after_principal_vnd,
        after_lines.interest_vnd as after_interest_vnd,
        after_lines.batch_id as after_line_batch_id,
        before_lines.batch_id is not null as has_line_before,
        after_lines.batch_id is not null as has_line_after,
        (
            before_lines.known_at is distinct from after_lines.known_at
            or before_lines.batch_id is distinct from after_lines.batch_id
        ) as is_line_changed
    from before_lines
    full join after_lines
        on
            before_lines.document_code = after_lines.document_code
            and before_lines.line_number = after_lines.line_number
)

select
    lines.*,
    before_documents.employer_code as before_employer_code,
    before_documents.agency_code as before_agency_code,
    before_documents.credited_month as before_credited_month,
    before_documents.credited_at as before_credited_at,
    before_documents.is_valid as is_valid_before,
    before_documents.batch_id as before_document_batch_id,
    after_documents.employer_code as after_employer_code,
    after_documents.agency_code as after_agency_code,
    after_documents.credited_month as after_credited_month,
    after_documents.credited_at as after_credited_at,
    after_documents.is_valid as is_valid_after,
    after_documents.batch_id as after_document_batch_id,
    before_documents.batch_id is not null as has_document_before,
    after_documents.batch_id is not null as has_document_after,
    (
        before_documents.known_at is distinct from after_documents.known_at
        or before_documents.batch_id is distinct from after_documents.batch_id
    ) as is_document_changed
from lines
left join {before}.stg_payments as before_documents
    on lines.document_code = before_documents.document_code
left join {after}.stg_payments as after_documents
    on lines.document_code = after_documents.document_code
where
    lines.is_line_changed
    or (
        before_documents.known_at is distinct from after_documents.known_at
        or before_documents.batch_id is distinct from after_documents.batch_id
    )
    or after_documents.agency_code = any({moved})
