-- Every agency counts facts filed under itself. A province (level 1) also counts facts filed under
-- agencies below it, in force or not. `union` stops at a cycle of parents.
with recursive agencies as (
    select
        agency_code,
        parent_agency_code,
        is_province
    from {{ ref('stg_agencies') }}
),

chains as (
    select
        agency_code as member_agency_code,
        agency_code as ancestor_code
    from agencies
    union
    select
        chains.member_agency_code,
        agencies.parent_agency_code as ancestor_code
    from chains
    inner join agencies on chains.ancestor_code = agencies.agency_code
    where agencies.parent_agency_code is not null
),

final as (
    select
        chains.ancestor_code as agency_code,
        chains.member_agency_code
    from chains
    inner join agencies on chains.ancestor_code = agencies.agency_code
    where agencies.is_province or chains.member_agency_code = chains.ancestor_code
)

select * from final
