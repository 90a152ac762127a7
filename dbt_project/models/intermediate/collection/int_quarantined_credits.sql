-- Credited money that is set aside, each đồng once: a document and its lines are the same money. If
-- several versions of a line are set aside, the largest counts. A document's amount beyond its
-- lines belongs to an unknown fund. The sign may be the error, so amounts are absolute.
with lines as (
    select
        document_code,
        coalesce(
            case when document_code is not null then line_number_text end,
            'row ' || quarantine_id
        ) as line_key,
        agency_code,
        month,
        case
            when count(fund_code) = count(*) and min(fund_code) = max(fund_code)
                then min(fund_code)
        end as fund_code,
        max(abs(set_aside_vnd)) as set_aside_vnd
    from {{ ref('int_quarantined_lines') }}
    group by document_code, line_key, agency_code, month
),

of_documents as (
    select
        document_code,
        sum(set_aside_vnd) as set_aside_vnd
    from lines
    group by document_code
),

rests as (
    select
        agencies.agency_code,
        documents.credited_month as month,
        null::text as fund_code,
        greatest(documents.amount_vnd - coalesce(of_documents.set_aside_vnd, 0), 0)
            as set_aside_vnd
    from {{ ref('int_quarantined_documents') }} as documents
    left join of_documents on documents.document_code = of_documents.document_code
    left join {{ ref('stg_agencies') }} as agencies
        on documents.agency_code = agencies.agency_code
    union all
    -- lines of a document without a number are not known
    select
        agencies.agency_code,
        {{ local_month('documents.credited_at') }} as month,
        null::text as fund_code,
        abs(documents.amount_vnd) as set_aside_vnd
    from {{ ref('stg_quarantined_documents') }} as documents
    left join {{ ref('stg_agencies') }} as agencies
        on documents.agency_code = agencies.agency_code
    where documents.document_code is null
),

items as (
    select
        agency_code,
        month,
        fund_code,
        set_aside_vnd
    from lines
    union all
    select
        agency_code,
        month,
        fund_code,
        set_aside_vnd
    from rests
),

final as (
    select
        agency_code,
        month,
        fund_code,
        sum(set_aside_vnd) as set_aside_vnd
    from items
    where set_aside_vnd > 0
    group by agency_code, month, fund_code
)

select * from final
