-- Rows set aside that are open, and the agency and month of each, if they can be told.
with documents as (
    select
        document_code,
        agency_code,
        credited_month
    from {{ ref('int_quarantined_documents') }}
),

known_documents as (
    select
        document_code,
        agency_code,
        credited_month
    from {{ ref('stg_payments') }}
    where
        document_code in (
            select set_aside.document_code from {{ ref('stg_quarantined_rows') }} as set_aside
        )
),

account_months as (
    select
        quarantine_id,
        max(month) as month
    from {{ ref('stg_quarantined_accounts') }}
    group by quarantine_id
),

final as (
    select
        set_aside.quarantine_id,
        set_aside.feed_code,
        set_aside.rule_id,
        set_aside.money_vnd,
        set_aside.first_seen_date,
        coalesce(
            account_months.month, documents.credited_month, known_documents.credited_month
        ) as month,
        coalesce(
            set_aside.agency_code,
            set_aside.plan_agency_code,
            documents.agency_code,
            known_documents.agency_code,
            officers.agency_code,
            employers.agency_code
        ) as agency_code
    from {{ ref('stg_quarantined_rows') }} as set_aside
    left join documents on set_aside.document_code = documents.document_code
    left join known_documents on set_aside.document_code = known_documents.document_code
    left join account_months on set_aside.quarantine_id = account_months.quarantine_id
    left join
        {{ ref('stg_officers') }} as officers
        on set_aside.officer_code = officers.officer_code
    left join
        {{ ref('stg_employers') }} as employers
        on set_aside.employer_code = employers.employer_code
)

select * from final
