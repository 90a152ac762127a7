-- Accepted facts that count at no province: the agency belongs to no province shown in the month
-- (its chain of parents ends elsewhere or is a cycle, or its row was closed), or a line's document
-- never came. It should be empty; a freeze is sealed only if it is.
with members as (
    select * from {{ ref('int_agency_members') }}
),

months as (
    select month from {{ ref('int_months') }}
),

counted as (
    select
        members.member_agency_code as agency_code,
        shown.month,
        count(*) as province_count
    from {{ ref('int_agency_months') }} as shown
    inner join members on shown.agency_code = members.agency_code
    where shown.is_province
    group by members.member_agency_code, shown.month
),

facts as (
    select
        'collection_total' as metric_code,
        agency_code,
        credited_month as month,
        count(*) as fact_count,
        sum(collected_vnd) as money_vnd
    from {{ ref('int_contributions') }}
    group by agency_code, credited_month
    union all
    select
        'arrears_ratio_total' as metric_code,
        agency_code,
        month,
        count(distinct employer_code) as fact_count,
        sum(arrears_vnd) as money_vnd
    from {{ ref('int_employer_accounts') }}
    group by agency_code, month
),

lost_lines as (
    select
        count(*) as fact_count,
        sum(lines.principal_vnd) as money_vnd
    from {{ ref('stg_allocations') }} as lines
    where
        not exists (
            select 1 from {{ ref('stg_known_documents') }} as known_documents
            where known_documents.document_code = lines.document_code
        )
),

final as (
    select
        facts.metric_code,
        facts.agency_code,
        facts.month,
        facts.fact_count::bigint as fact_count,
        facts.money_vnd::numeric as money_vnd
    from facts
    inner join months on facts.month = months.month
    left join counted
        on
            facts.agency_code = counted.agency_code
            and facts.month = counted.month
    where counted.agency_code is null
    union all
    select
        metric_code,
        agency_code,
        month,
        fact_count,
        0::numeric as money_vnd
    from {{ ref('int_uncounted_persons') }}
    union all
    select
        'collection_total' as metric_code,
        null as agency_code,
        null as month,
        fact_count::bigint as fact_count,
        money_vnd::numeric as money_vnd
    from lost_lines
    where fact_count > 0
)

select * from final
