-- Open allocation lines set aside, with agency and month of their document: as known in raw, else
-- as an open quarantined payment says. What is unreadable, or said in two ways, is null: it
-- excludes nothing.
with lines as (
    select
        quarantine_id,
        document_code,
        fund_code,
        set_aside_vnd
    from {{ ref('stg_quarantined_lines') }}
),

known_documents as (
    select
        document_code,
        agency_code,
        credited_month
    from {{ ref('stg_payments') }}
),

newest_quarantined as (
    select
        document_code,
        agency_code,
        {{ local_month('credited_at') }} as credited_month,
        rank() over (
            partition by document_code order by first_seen_at desc
        ) as newest_rank
    from {{ ref('stg_quarantined_documents') }}
    where document_code is not null
),

quarantined_documents as (
    select
        document_code,
        case
            when
                count(agency_code) = count(*) and min(agency_code) = max(agency_code)
                then min(agency_code)
        end as agency_code,
        case
            when
                count(credited_month) = count(*) and min(credited_month) = max(credited_month)
                then min(credited_month)
        end as credited_month
    from newest_quarantined
    where newest_rank = 1
    group by document_code
),

final as (
    select
        lines.quarantine_id,
        case
            when known_documents.document_code is not null then known_documents.agency_code
            else quarantined_documents.agency_code
        end as agency_code,
        case
            when known_documents.document_code is not null then known_documents.credited_month
            else quarantined_documents.credited_month
        end as month,
        funds.fund_code,
        lines.set_aside_vnd
    from lines
    left join known_documents on lines.document_code = known_documents.document_code
    left join quarantined_documents on lines.document_code = quarantined_documents.document_code
    -- a fund that the register lacks is no readable fund
    left join {{ ref('dim_fund') }} as funds on lines.fund_code = funds.fund_code
)

select * from final
