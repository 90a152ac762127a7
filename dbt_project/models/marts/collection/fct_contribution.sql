with final as (
    select
        lines.*,
        {{ member_key('agencies', 'agency_key', 'lines.agency_code') }} as agency_key,
        {{ member_key('employers', 'employer_key', 'lines.employer_code') }} as employer_key,
        coalesce(agencies.level_number = 1, false) as is_province
    from {{ ref('int_contributions') }} as lines
    left join {{ ref('int_agency_versions') }} as agencies
        on
            lines.agency_code = agencies.agency_code
            and lines.credited_date between agencies.joined_from_date and agencies.joined_to_date
    left join {{ ref('int_employer_versions') }} as employers
        on
            lines.employer_code = employers.employer_code
            and lines.credited_date between employers.joined_from_date and employers.joined_to_date
)

select * from final
