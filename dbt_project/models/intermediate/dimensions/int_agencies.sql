with agencies as (
    select * from {{ ref('stg_agencies') }}
),

named_elsewhere as (
    select agency_code from {{ ref('stg_payments') }}
    group by agency_code
    union
    select agency_code from {{ ref('stg_accounts') }}
    group by agency_code
    union
    select agency_code from {{ ref('stg_employers') }}
    group by agency_code
    union
    select agency_code from {{ ref('stg_officers') }}
    group by agency_code
),

inferred as (
    select named_elsewhere.agency_code
    from named_elsewhere
    left join agencies on named_elsewhere.agency_code = agencies.agency_code
    where named_elsewhere.agency_code is not null and agencies.agency_code is null
),

provinces as (
    select
        members.member_agency_code,
        min(members.agency_code) as province_code
    from {{ ref('int_agency_members') }} as members
    inner join agencies on members.agency_code = agencies.agency_code
    where agencies.is_province
    group by members.member_agency_code
),

versions as (
    select * from {{ ref('int_agency_versions') }}
),

final as (
    select
        versions.agency_key,
        versions.agency_code,
        versions.agency_name,
        versions.parent_agency_code,
        provinces.province_code,
        versions.level_number,
        versions.level_number = 1 as is_province,
        versions.district_code,
        coalesce(versions.valid_from_date, versions.dated_from_date) as valid_from_date,
        coalesce(versions.valid_to_date, agencies.valid_to_date) as valid_to_date,
        agencies.valid_from_date as in_force_from_date,
        agencies.valid_to_date as in_force_to_date,
        versions.is_current,
        false as is_inferred
    from versions
    inner join agencies on versions.agency_code = agencies.agency_code
    -- the current province of that version's parent; a province is its own
    left join provinces
        on
            case
                when versions.level_number = 1 then versions.agency_code
                else versions.parent_agency_code
            end = provinces.member_agency_code
    union all
    select
        inferred.agency_code || '|first' as agency_key,
        inferred.agency_code,
        null as agency_name,
        null as parent_agency_code,
        null as province_code,
        null as level_number,
        false as is_province,
        null as district_code,
        null as valid_from_date,
        null as valid_to_date,
        null as in_force_from_date,
        null as in_force_to_date,
        true as is_current,
        true as is_inferred
    from inferred
)

select * from final
