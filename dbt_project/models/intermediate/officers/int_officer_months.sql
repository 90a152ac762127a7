-- The universe of officers: officers of the register in their own agency while it is in force, the
-- part of every agency without an officer, and officers with facts to date in the year in any
-- agency.
with months as (
    select * from {{ ref('int_months') }}
),

agencies as (
    select agency_code from {{ ref('stg_agencies') }}
),

agency_months as (
    select
        agency_code,
        month,
        is_province
    from {{ ref('int_agency_months') }}
),

officers as (
    select
        officer_code,
        agency_code
    from {{ ref('stg_officers') }}
),

facts as (
    select
        agency_code,
        officer_code,
        month
    from {{ ref('int_officer_collection_months') }}
    union
    select
        agency_code,
        officer_code,
        month
    from {{ ref('int_officer_arrears_months') }}
    union
    select
        agency_code,
        officer_code,
        month
    from {{ ref('int_officer_participation_counts') }}
    where participant_count > 0
),

first_facts as (
    select
        agency_code,
        officer_code,
        date_trunc('year', month::timestamp)::date as year_start_month,
        min(month) as first_month
    from facts
    group by agency_code, officer_code, date_trunc('year', month::timestamp)::date
),

shown as (
    select
        agency_months.agency_code,
        officers.officer_code,
        agency_months.month
    from agency_months
    inner join officers on agency_months.agency_code = officers.agency_code
    union
    select
        agency_code,
        'unassigned' as officer_code,
        month
    from agency_months
    where not is_province
    union
    select
        first_facts.agency_code,
        first_facts.officer_code,
        months.month
    from first_facts
    inner join agencies on first_facts.agency_code = agencies.agency_code
    inner join months
        on
            first_facts.year_start_month = months.year_start_month
            and first_facts.first_month <= months.month
),

final as (
    select
        shown.agency_code,
        shown.officer_code,
        shown.month,
        months.year_start_month,
        months.official_variant_code,
        coalesce(officers.agency_code = shown.agency_code, false) as is_own_agency,
        {{ member_key('agency_versions', 'agency_key', 'shown.agency_code') }} as agency_key,
        case
            when shown.officer_code <> 'unassigned'
                then {{ member_key('officer_versions', 'officer_key', 'shown.officer_code') }}
        end as officer_key
    from shown
    inner join months on shown.month = months.month
    left join officers on shown.officer_code = officers.officer_code
    left join {{ ref('int_agency_versions') }} as agency_versions
        on
            shown.agency_code = agency_versions.agency_code
            and months.month_end_date between agency_versions.joined_from_date
            and agency_versions.joined_to_date
    left join {{ ref('int_officer_versions') }} as officer_versions
        on
            shown.officer_code = officer_versions.officer_code
            and months.month_end_date between officer_versions.joined_from_date
            and officer_versions.joined_to_date
)

select * from final
