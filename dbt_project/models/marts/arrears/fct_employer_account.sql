with accounts as (
    select * from {{ ref('int_employer_accounts') }}
),

final as (
    select
        accounts.*,
        {{ member_key('agencies', 'agency_key', 'accounts.agency_code') }} as agency_key,
        {{ member_key('employers', 'employer_key', 'accounts.employer_code') }} as employer_key,
        coalesce(agencies.level_number = 1, false) as is_province
    from accounts
    left join {{ ref('int_agency_versions') }} as agencies
        on
            accounts.agency_code = agencies.agency_code
            and (accounts.month + interval '1 month' - interval '1 day')::date
            between agencies.joined_from_date and agencies.joined_to_date
    left join {{ ref('int_employer_versions') }} as employers
        on
            accounts.employer_code = employers.employer_code
            and (accounts.month + interval '1 month' - interval '1 day')::date
            between employers.joined_from_date and employers.joined_to_date
)

select * from final
