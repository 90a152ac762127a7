-- Documents with a version set aside; employer, agency and month are from the newest such version.
-- A value is null if it is unreadable, or if versions that came together differ; null matches any.
with newest as (
    select
        document_code,
        employer_code,
        agency_code,
        amount_vnd,
        {{ local_month('credited_at') }} as credited_month,
        rank() over (
            partition by document_code order by first_seen_at desc
        ) as newest_rank
    from {{ ref('stg_quarantined_documents') }}
    where document_code is not null
),

final as (
    select
        document_code,
        case
            when
                count(employer_code) = count(*) and min(employer_code) = max(employer_code)
                then min(employer_code)
        end as employer_code,
        case
            when
                count(agency_code) = count(*) and min(agency_code) = max(agency_code)
                then min(agency_code)
        end as agency_code,
        case
            when
                count(credited_month) = count(*) and min(credited_month) = max(credited_month)
                then min(credited_month)
        end as credited_month,
        max(abs(amount_vnd)) as amount_vnd
    from newest
    where newest_rank = 1
    group by document_code
)

select * from final
