-- A person with two agencies counts once in the province. No single agency has more than it.
select
    province.agency_code,
    province.month
from {{ ref('fct_participation_month') }} as province
inner join {{ ref('dim_agency') }} as agencies
    on
        province.agency_code = agencies.agency_code
        and agencies.is_province
        and agencies.is_current
inner join {{ ref('int_agency_members') }} as members
    on
        province.agency_code = members.agency_code
        and members.agency_code <> members.member_agency_code
inner join {{ ref('fct_participation_month') }} as member
    on
        members.member_agency_code = member.agency_code
        and province.month = member.month
        and province.scheme_code = member.scheme_code
group by province.agency_code, province.month, province.scheme_code, province.participant_count
having province.participant_count < max(member.participant_count)
