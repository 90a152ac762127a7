-- The universe: agencies whose validity touches the month. It limits what is shown, never what
-- counts.
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

final as (
    select
        agencies.agency_code,
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
)

select * from final
