-- The universe: agencies that are valid on a day of the month. It limits which rows are shown, not
-- which facts count.
with months as (
    select * from {{ ref('int_months') }}
),

agencies as (
    select
        agency_code,
        valid_from_date,
        valid_to_date,
        is_province
    from {{ ref('stg_agencies') }}
),

versions as (
    select * from {{ ref('int_agency_versions') }}
),

final as (
    select
        agencies.agency_code,
        {{ member_key('versions', 'agency_key', 'agencies.agency_code') }} as agency_key,
        months.month,
        months.month_end_date,
        months.year_start_month,
        months.plan_year,
        months.plan_limit_date,
        months.official_variant_code,
        agencies.is_province
    from months
    inner join agencies
        on
            (agencies.valid_from_date is null or months.month_end_date >= agencies.valid_from_date)
            and (agencies.valid_to_date is null or months.month <= agencies.valid_to_date)
    left join versions
        on
            agencies.agency_code = versions.agency_code
            and months.month_end_date between versions.joined_from_date and versions.joined_to_date
)

select * from final
