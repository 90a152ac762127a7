-- What was credited, where it was filed. Rows of the province itself are only what is filed there,
-- so all rows add up to the whole.
with days as (
    select
        agency_key,
        agency_code,
        credited_date,
        credited_month,
        fund_code,
        payment_method_code,
        sum(principal_vnd) as principal_vnd,
        sum(interest_vnd) as interest_vnd,
        sum(collected_vnd) as collected_vnd,
        count(*) as line_count
    from {{ ref('fct_contribution') }}
    group by
        agency_key, agency_code, credited_date, credited_month, fund_code, payment_method_code
),

final as (
    select
        days.agency_code,
        {{ agency_columns('agencies') }}
        days.credited_date,
        days.credited_month as month,
        days.credited_month = latest.attainment_month as is_latest_month,
        days.fund_code,
        funds.fund_name_vi as fund_vi,
        funds.fund_name_en as fund_en,
        funds.sort_order as fund_order,
        coalesce(funds.group_code, 'voluntary') as group_code,
        {{ labels_of('group', "coalesce(funds.group_code, 'voluntary')", 'group') }},
        days.payment_method_code,
        {{ labels_of('payment_method', 'days.payment_method_code', 'payment_method') }},
        days.principal_vnd,
        days.interest_vnd,
        days.collected_vnd,
        days.line_count,
        latest.data_as_of
    from days
    inner join {{ ref('int_agency_labels') }} as agencies on days.agency_key = agencies.agency_key
    inner join {{ ref('dim_fund') }} as funds on days.fund_code = funds.fund_code
    cross join {{ ref('int_latest_months') }} as latest
)

select * from final
