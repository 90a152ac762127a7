-- The names of an agency as charts show them, one row per version like dim_agency.
with final as (
    select
        agency_key,
        agency_code,
        coalesce(agency_name, agency_code) as agency_name,
        coalesce({{ agency_short_name('agency_name', 'is_province') }}, agency_code)
            as agency_short_name,
        level_number as agency_level,
        is_province,
        -- provinces first, then by code
        dense_rank() over (order by case when is_province then 0 else 1 end, agency_code)::integer
            as agency_order,
        province_code,
        is_current
    from {{ ref('int_agencies') }}
)

select * from final
