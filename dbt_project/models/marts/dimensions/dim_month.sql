with months as (
    select * from {{ ref('int_months') }}
),

final as (
    select
        month,
        month_end_date,
        plan_year as year_number,
        extract(quarter from month)::int as quarter_number,
        extract(month from month)::int as month_number,
        'Tháng ' || to_char(month, 'MM/YYYY') as month_name_vi,
        to_char(month, 'YYYY-MM') as month_name_en,
        official_variant_code,
        is_interest_collected
    from months
)

select * from final
